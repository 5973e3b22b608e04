//! Elastic weight consolidation (Kirkpatrick et al. 2017):
//! `L(theta) = L_task(theta) + lambda/2 sum_k sum_i F_k,i (theta_i - theta*_k,i)^2`, one term a finished task,
//! with `F_k` the diagonal Fisher information of task `k` at its end and `theta*_k` the parameters there.

use super::{Consolidation, FinishedTask, Method, MethodConfig, MethodState};
use crate::AgentError;

/// Separate penalties, kept merged.
pub(super) struct Ewc {
    config: MethodConfig,
    state: MethodState,
}

impl Ewc {
    pub fn new(config: &MethodConfig) -> Self {
        Self { config: config.clone(), state: MethodState::default() }
    }
}

impl Method for Ewc {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.config.ewc.lambda);
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let (index, counts) = (task.task, task.steps >= self.config.penalty_after_steps);
        let (fisher, anchor) = task.weigh(&self.config.fisher)?;
        if counts {
            self.state.add_separate(self.config.ewc.lambda, self.config.revisit, index, &fisher.importance, &anchor);
        }
        Ok(Consolidation::weighed(fisher, anchor))
    }
}
