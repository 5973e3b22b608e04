//! The L2 anchor: `lambda/2 sum_k sum_i (theta_i - theta*_k,i)^2` over the shared parameters, one term a finished task.
//! It is EWC with every importance 1, the uniform penalty of Kirkpatrick et al. 2017, figure 2.

use super::{Consolidation, FinishedTask, Method, MethodState, Revisit};
use crate::{AgentError, continual::quadratic::Quadratic};

/// The uniform anchor.
pub(super) struct L2 {
    lambda: f32,
    revisit: Revisit,
    state: MethodState,
}

impl L2 {
    pub fn new(lambda: f32, revisit: Revisit) -> Self {
        Self { lambda, revisit, state: MethodState::default() }
    }
}

impl Method for L2 {
    fn quadratic(&self) -> Option<&Quadratic> {
        self.state.quadratic.as_ref()
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let anchor = task.network.params().to_vec();
        let mut importance = vec![0.0; anchor.len()];
        for range in task.network.layout().shared() {
            importance[range].fill(1.0);
        }
        self.state.add_separate(self.lambda, self.revisit, task.task, &importance, &anchor);
        Ok(Consolidation { importance: Some(importance), ..Consolidation::new(anchor) })
    }

    fn save(&self) -> MethodState {
        self.state.clone()
    }

    fn load(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.lambda);
    }
}
