//! Synaptic intelligence (Zenke et al. 2017): a parameter's importance is what it contributed to the fall of the loss on
//! its way. In each update `w_i = w_i - g_i (theta_i' - theta_i)`, `g` the gradient of the task's loss alone and `theta'`
//! the parameters after the whole update, penalty included. At a task's end
//! `Omega_i = max(0, Omega_i + w_i / ((theta_i - theta_start,i)^2 + damping))`, `w = 0`, and the penalty is
//! `lambda/2 sum_i Omega_i (theta_i - theta*_i)^2` around the latest parameters.

use super::{Beginning, Consolidation, FinishedTask, Method, MethodState, SynapticStrength, quadratic::Quadratic};
use crate::{AgentError, learning::Learning, network::QNetwork};

/// Where in the state's vectors what lies.
const PATH: usize = 0;
const START: usize = 1;

/// The path of learning as importance.
pub(super) struct SynapticIntelligence {
    strength: SynapticStrength,
    /// Vectors: `w`, and the parameters at the phase's start.
    state: MethodState,
    /// The task's gradient and the parameters before the update.
    gradient: Vec<f32>,
    before: Vec<f32>,
}

impl SynapticIntelligence {
    pub fn new(strength: SynapticStrength, network: &dyn QNetwork) -> Self {
        let params = network.params();
        let vectors = vec![vec![0.0; params.len()], params.to_vec()];
        let (gradient, before) = Default::default();
        Self { strength, state: MethodState { vectors, ..MethodState::default() }, gradient, before }
    }
}

impl Method for SynapticIntelligence {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.strength.lambda);
    }

    fn begin(&mut self, phase: Beginning<'_>) -> Result<bool, AgentError> {
        self.state.vectors[PATH].fill(0.0);
        self.state.vectors[START].copy_from_slice(phase.network.params());
        Ok(false)
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        self.gradient.clear();
        self.gradient.extend_from_slice(learning.gradient);
        self.before.clear();
        self.before.extend_from_slice(learning.online.params());
        Ok(())
    }

    fn after_update(&mut self, params: &mut [f32]) {
        let path = self.state.vectors[PATH].iter_mut().zip(&self.gradient);
        for (((w, g), before), after) in path.zip(&self.before).zip(params) {
            *w -= g * (*after - before);
        }
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let anchor = task.network.params().to_vec();
        let (path, start) = (&self.state.vectors[PATH], &self.state.vectors[START]);
        let mut own = vec![0.0; anchor.len()];
        for range in task.network.layout().shared() {
            for i in range {
                own[i] = path[i] / ((anchor[i] - start[i]).powi(2) + self.strength.damping);
            }
        }
        let importance = match &self.state.quadratic {
            None => own.iter().map(|own| own.max(0.0)).collect::<Vec<f32>>(),
            Some(old) => old.importance.iter().zip(&own).map(|(old, own)| (old + own).max(0.0)).collect(),
        };
        self.state.quadratic = Some(Quadratic::new(self.strength.lambda, importance, anchor.clone()));
        let own = own.into_iter().map(|own: f32| own.max(0.0)).collect();
        Ok(Consolidation { importance: Some(own), ..Consolidation::new(anchor) })
    }
}
