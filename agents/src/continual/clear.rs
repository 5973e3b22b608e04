//! Cloning after CLEAR (Rolnick et al. 2019), for Q-values: each update adds, on as many remembered transitions,
//! `weight loss(Q(s, a) - y) + policy_weight KL(softmax(Q_old / T) | softmax(Q / T)) + value_weight mean_a (Q_old - Q)^2`,
//! `Q_old` the values at the end of the task that the transition is of.

use super::{ClearConfig, Consolidation, FinishedTask, MemoryConfig, Method, MethodState, rehearsal::Rehearsal};
use crate::{
    AgentError,
    distillation::{DistillationLoss, distill, matched_kl},
    learning::Learning,
};

/// Old transitions are learnt from, and old Q-values cloned.
pub(super) struct Clear {
    config: ClearConfig,
    rehearsal: Rehearsal,
}

impl Clear {
    pub fn new(memory: MemoryConfig, config: ClearConfig) -> Self {
        Self { config, rehearsal: Rehearsal::new(memory, true) }
    }
}

impl Method for Clear {
    fn state(&self) -> &MethodState {
        &self.rehearsal.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.rehearsal.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        let ClearConfig { weight, policy_weight, value_weight, temperature } = self.config;
        self.rehearsal.each_task(learning, |learning, batch, old, task| {
            learning.add_td(batch, task, weight)?;
            let (columns, actions) = (learning.online.architecture().actions(), learning.actions[task]);
            let teacher = |row: usize| &old[row * columns..(row + 1) * columns];
            learning.add_loss_on_q(&batch.observations, task, policy_weight, &mut |row, q, derivative| {
                matched_kl(temperature, teacher(row), q, actions, derivative);
            })?;
            learning.add_loss_on_q(&batch.observations, task, value_weight, &mut |row, q, derivative| {
                distill(DistillationLoss::Mse, temperature, teacher(row), q, actions, derivative);
            })
        })
    }

    fn consolidate(&mut self, mut task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        self.rehearsal.remember(&mut task)?;
        Ok(Consolidation::new(task.network.params().to_vec()))
    }
}
