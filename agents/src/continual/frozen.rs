//! Frozen: after the first task the shared parameters stay as they are, and only what a task owns (an output layer, gains
//! and biases) learns. Nothing is forgotten; what can still be learnt is the floor of plasticity.

use super::{Consolidation, FinishedTask, Method, MethodState};
use crate::{AgentError, learning::Learning, params::Layout};

/// The baseline that never changes what it shares.
pub(super) struct Frozen {
    state: MethodState,
    /// The parameters before the update.
    before: Vec<f32>,
    /// Where the shared ones lie.
    shared: Vec<std::ops::Range<usize>>,
}

impl Frozen {
    pub fn new(layout: &Layout) -> Self {
        Self { state: MethodState::default(), before: Vec::new(), shared: layout.shared() }
    }
}

impl Method for Frozen {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        self.before.clear();
        if !self.state.learnt.is_empty() {
            self.before.extend_from_slice(learning.online.params());
            for range in &self.shared {
                learning.gradient[range.clone()].fill(0.0);
            }
        }
        Ok(())
    }

    /// An optimizer with moments of an earlier gradient moves parameters without one, too.
    fn after_update(&mut self, params: &mut [f32]) {
        if !self.before.is_empty() {
            for range in &self.shared {
                params[range.clone()].copy_from_slice(&self.before[range.clone()]);
            }
        }
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        if self.state.learnt.is_empty() {
            self.state.learnt.push(task.task);
        }
        Ok(Consolidation::new(task.network.params().to_vec()))
    }
}
