//! Shrink and perturb (Ash and Adams 2020): where a task begins, `theta = shrink theta + perturb theta_new` over the shared
//! parameters, `theta_new` a freshly drawn network. A remedy against the loss of plasticity, not against forgetting.

use super::{Beginning, Consolidation, FinishedTask, Method, MethodState, ShrinkPerturbConfig};
use crate::AgentError;

/// A partial reset.
pub(super) struct ShrinkPerturb {
    config: ShrinkPerturbConfig,
    state: MethodState,
}

impl ShrinkPerturb {
    pub fn new(config: ShrinkPerturbConfig) -> Self {
        Self { config, state: MethodState::default() }
    }
}

impl Method for ShrinkPerturb {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, _state: MethodState) {}

    fn begin(&mut self, phase: Beginning<'_>) -> Result<bool, AgentError> {
        if phase.later {
            let ShrinkPerturbConfig { shrink, perturb } = self.config;
            let drawn = phase.network.architecture().initialize(phase.generator);
            let shared = phase.network.layout().shared();
            let params = phase.network.params_mut();
            for i in shared.into_iter().flatten() {
                params[i] = shrink * params[i] + perturb * drawn[i];
            }
        }
        Ok(phase.later)
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        Ok(Consolidation::new(task.network.params().to_vec()))
    }
}
