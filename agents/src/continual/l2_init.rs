//! L2 to the start, or regenerative regularisation (Kumar et al. 2023): `lambda/2 sum_i (theta_i - theta_0,i)^2` over the
//! shared parameters, `theta_0` the network as it was drawn, from the first update on. It is there to keep the network
//! able to learn, and pulls away from what the old tasks need as much as from what the new one does.

use super::{Method, MethodState, Strength, l2::uniform, quadratic::Quadratic};
use crate::network::QNetwork;

/// The anchor at the start.
pub(super) struct L2Init {
    lambda: f32,
    state: MethodState,
}

impl L2Init {
    pub fn new(strength: Strength, network: &dyn QNetwork) -> Self {
        let importance = uniform(network.layout());
        let quadratic = Quadratic::new(strength.lambda, importance, network.params().to_vec());
        Self { lambda: strength.lambda, state: MethodState { quadratic: Some(quadratic), ..MethodState::default() } }
    }
}

impl Method for L2Init {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.lambda);
    }
}
