//! Fine-tuning: each task is learnt from where the last one ended, and nothing is kept.

use super::{Consolidation, FinishedTask, Method, MethodState};
use crate::AgentError;

/// The baseline without any protection.
#[derive(Default)]
pub(super) struct FineTune {
    state: MethodState,
}

impl Method for FineTune {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, _state: MethodState) {}

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        Ok(Consolidation::new(task.network.params().to_vec()))
    }
}
