//! The L2 anchor: `lambda/2 sum_k sum_i (theta_i - theta*_k,i)^2` over the shared parameters, one term a finished task.
//! It is EWC with every importance 1, the uniform penalty of Kirkpatrick et al. 2017, figure 2.

use super::{Consolidation, FinishedTask, Method, MethodConfig, MethodState};
use crate::{AgentError, params::Layout};

/// The uniform anchor.
pub(super) struct L2 {
    config: MethodConfig,
    state: MethodState,
}

impl L2 {
    pub fn new(config: &MethodConfig) -> Self {
        Self { config: config.clone(), state: MethodState::default() }
    }
}

/// An importance of 1 for every shared parameter, 0 for what tasks own.
pub(super) fn uniform(layout: &Layout) -> Vec<f32> {
    let mut importance = vec![0.0; layout.len()];
    for range in layout.shared() {
        importance[range].fill(1.0);
    }
    importance
}

impl Method for L2 {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.config.l2.lambda);
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let anchor = task.network.params().to_vec();
        let importance = uniform(task.network.layout());
        if task.steps >= self.config.penalty_after_steps {
            self.state.add_separate(self.config.l2.lambda, self.config.revisit, task.task, &importance, &anchor);
        }
        Ok(Consolidation { importance: Some(importance), ..Consolidation::new(anchor) })
    }
}
