//! Fine-tuning: each task is learnt from where the last one ended, and nothing is kept.

use super::{Method, MethodState};

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
}
