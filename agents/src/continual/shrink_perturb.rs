//! Shrink and perturb (Ash and Adams 2020): where a task begins, `theta = shrink theta + perturb theta_new` over the shared
//! parameters, `theta_new` a freshly drawn network. A remedy against the loss of plasticity, not against forgetting.

use super::{Beginning, Begun, Method, MethodState, ShrinkPerturbConfig};
use crate::AgentError;

/// A partial reset.
pub(super) struct ShrinkPerturb {
    config: ShrinkPerturbConfig,
    state: MethodState,
}

impl ShrinkPerturb {
    pub fn new(config: ShrinkPerturbConfig) -> Self {
        Self { config, state: MethodState::default() }
    }
}

impl Method for ShrinkPerturb {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, _state: MethodState) {}

    fn begin(&mut self, phase: Beginning<'_>) -> Result<Begun, AgentError> {
        if phase.later {
            let ShrinkPerturbConfig { shrink, perturb } = self.config;
            let drawn = phase.network.architecture().initialize(phase.generator);
            let shared = phase.network.layout().shared();
            let params = phase.network.params_mut();
            for i in shared.into_iter().flatten() {
                params[i] = shrink * params[i] + perturb * drawn[i];
            }
        }
        Ok(if phase.later { Begun::Changed } else { Begun::Unchanged })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// Fails if heads are shrunk, if the first phase is, or if the new draw is not from the phase's own randomness.
    #[test]
    fn shrunk_and_perturbed_by_hand() {
        let mut stage = Stage::with_heads();
        let mut method = ShrinkPerturb::new(ShrinkPerturbConfig { shrink: 0.5, perturb: 0.25 });
        let before = stage.online.params().to_vec();
        let mut begin = |later: bool| {
            let Stage { online, generator, .. } = &mut stage;
            let drawn = online.architecture().initialize(&mut generator.clone());
            let begun = method.begin(Beginning { task: 1, later, network: online.as_mut(), generator }).unwrap();
            (begun, drawn, online.params().to_vec(), online.layout().shared())
        };
        let (begun, _, params, _) = begin(false);
        assert!(begun == Begun::Unchanged && params == before);
        let (begun, drawn, params, shared) = begin(true);
        assert!(begun == Begun::Changed && shared == [0..24]);
        assert!((0..24).all(|i| params[i] == 0.5 * before[i] + 0.25 * drawn[i]));
        assert_eq!(params[24..], before[24..]);
    }
}
