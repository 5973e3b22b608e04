//! Progress and compress (Schwarz et al. 2018), without lateral connections. Progress: a freshly drawn network, the active
//! column, learns each task by itself. Compress: at the task's end it is distilled into the knowledge base on the task's
//! replayed states, `E KL(softmax(Q_column / T) | softmax(Q_base)) + lambda/2 sum_i A_i (theta_i - theta*_i)^2`, the
//! latter the penalty of online EWC with the Fisher informations of the knowledge base. Every task but the one that is
//! being learnt is played by the knowledge base; its outputs are logits, not values.

use super::{
    Beginning, Begun, Consolidation, FinishedTask, Method, MethodState, ProgressCompressConfig, quadratic::Quadratic,
};
use crate::{
    AgentError,
    distillation::{DistillationLoss, distill},
    fisher::FisherConfig,
    learning::Learning,
    network::QNetwork,
    replay::Batch,
};

/// Where in the state's vectors what lies.
const BASE: usize = 0;
const COLUMN: usize = 1;

/// An active column and a knowledge base.
pub(super) struct ProgressCompress {
    config: ProgressCompressConfig,
    fisher: FisherConfig,
    /// Vectors: the knowledge base, and the column that is compressed into it.
    state: MethodState,
    /// A network to play the column with while the agent's own is the knowledge base.
    teacher: Box<dyn QNetwork>,
    values: Vec<f32>,
}

impl ProgressCompress {
    pub fn new(
        config: ProgressCompressConfig,
        fisher: FisherConfig,
        network: &dyn QNetwork,
    ) -> Result<Self, AgentError> {
        let vectors = vec![network.params().to_vec(); 2];
        let state = MethodState { vectors, ..MethodState::default() };
        Ok(Self { config, fisher, state, teacher: network.duplicate()?, values: Vec::new() })
    }
}

impl Method for ProgressCompress {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.config.lambda);
        self.teacher.params_mut().copy_from_slice(&self.state.vectors[COLUMN]);
    }

    /// The penalty is the knowledge base's; a column is free.
    fn quadratic(&self) -> Option<&Quadratic> {
        self.state.quadratic.as_ref().filter(|_| self.state.compressing)
    }

    fn begin(&mut self, phase: Beginning<'_>) -> Result<Begun, AgentError> {
        if phase.later {
            let drawn = phase.network.architecture().initialize(phase.generator);
            phase.network.params_mut().copy_from_slice(&drawn);
        }
        Ok(if phase.later { Begun::Redrawn } else { Begun::Unchanged })
    }

    fn prepare(&mut self, task: FinishedTask<'_>) -> Result<u64, AgentError> {
        let params = task.network.params_mut();
        self.teacher.params_mut().copy_from_slice(params);
        self.state.vectors[COLUMN].copy_from_slice(params);
        params.copy_from_slice(&self.state.vectors[BASE]);
        self.state.compressing = true;
        Ok(self.config.compress_updates)
    }

    fn compress(&mut self, learning: &mut Learning<'_>, batch: &Batch) -> Result<(), AgentError> {
        let (columns, task, temperature) =
            (learning.online.architecture().actions(), learning.task, self.config.temperature);
        self.values.resize(batch.len() * columns, 0.0);
        self.teacher.infer(&batch.observations, task, &mut self.values)?;
        let taught = (batch.observations.as_slice(), self.values.as_slice());
        learning.add_loss_on_q(taught, task, 1.0, &mut |column, base, actions, derivative| {
            distill(DistillationLoss::Kl, temperature, column, base, actions, derivative);
        })
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let learnt = task.task;
        let (fisher, base) = task.weigh(&self.fisher)?;
        self.state.recentre(self.config.lambda, self.config.decay, &fisher.importance, &base);
        self.state.vectors[BASE].copy_from_slice(&base);
        self.state.compressing = false;
        if !self.state.learnt.contains(&learnt) {
            self.state.learnt.push(learnt);
        }
        Ok(Consolidation::weighed(fisher, base))
    }

    fn parameters_for(&self, task: usize, current: Option<usize>, _own: &[f32]) -> Option<Vec<f32>> {
        let by_base = current != Some(task) && !self.state.learnt.is_empty();
        by_base.then(|| self.state.vectors[BASE].clone())
    }
}
