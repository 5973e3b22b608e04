//! Elastic weight consolidation (Kirkpatrick et al. 2017):
//! `L(theta) = L_task(theta) + lambda/2 sum_k sum_i F_k,i (theta_i - theta*_k,i)^2`, one term a finished task,
//! with `F_k` the diagonal Fisher information of task `k` at its end and `theta*_k` the parameters there.

use super::{Consolidation, FinishedTask, Method, MethodState, Revisit};
use crate::{AgentError, continual::quadratic::Quadratic, fisher::FisherConfig};

/// Separate penalties, kept merged.
pub(super) struct Ewc {
    lambda: f32,
    revisit: Revisit,
    fisher: FisherConfig,
    state: MethodState,
}

impl Ewc {
    pub fn new(lambda: f32, revisit: Revisit, fisher: FisherConfig) -> Self {
        Self { lambda, revisit, fisher, state: MethodState::default() }
    }
}

impl Method for Ewc {
    fn quadratic(&self) -> Option<&Quadratic> {
        self.state.quadratic.as_ref()
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let index = task.task;
        let (fisher, anchor) = task.weigh(&self.fisher)?;
        self.state.add_separate(self.lambda, self.revisit, index, &fisher.importance, &anchor);
        Ok(Consolidation::weighed(fisher, anchor))
    }

    fn save(&self) -> MethodState {
        self.state.clone()
    }

    fn load(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.lambda);
    }
}
