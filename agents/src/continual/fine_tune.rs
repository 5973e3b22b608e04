//! Fine-tuning: each task is learnt from where the last one ended, and nothing is kept.

use super::{Consolidation, FinishedTask, Method, MethodState};
use crate::{AgentError, continual::quadratic::Quadratic};

/// The baseline without any protection.
pub(super) struct FineTune;

impl Method for FineTune {
    fn quadratic(&self) -> Option<&Quadratic> {
        None
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        Ok(Consolidation::new(task.network.params().to_vec()))
    }

    fn save(&self) -> MethodState {
        MethodState::default()
    }

    fn load(&mut self, _state: MethodState) {}
}
