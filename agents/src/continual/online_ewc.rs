//! Online elastic weight consolidation (Schwarz et al. 2018, equation 9): one penalty around the latest parameters,
//! `lambda/2 sum_i A_i (theta_i - theta*_i)^2` with `A = decay A + F` at each boundary. The paper multiplies the whole
//! penalty by the decay once more, which is a factor in lambda.

use super::{Consolidation, FinishedTask, Method, MethodState, OnlineStrength};
use crate::{AgentError, fisher::FisherConfig};

/// One decaying penalty.
pub(super) struct OnlineEwc {
    strength: OnlineStrength,
    fisher: FisherConfig,
    state: MethodState,
}

impl OnlineEwc {
    pub fn new(strength: OnlineStrength, fisher: FisherConfig) -> Self {
        Self { strength, fisher, state: MethodState::default() }
    }
}

impl Method for OnlineEwc {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.strength.lambda);
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let (fisher, anchor) = task.weigh(&self.fisher)?;
        self.state.recentre(self.strength.lambda, self.strength.decay, &fisher.importance, &anchor);
        Ok(Consolidation::weighed(fisher, anchor))
    }
}
