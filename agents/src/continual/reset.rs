//! Reset: the network is drawn anew for each task. Nothing is forgotten that was not thrown away, and nothing is carried
//! over: what a task can be learnt to from scratch, the plasticity that other methods are measured against.

use super::{Beginning, Begun, Method, MethodState};
use crate::AgentError;

/// The baseline that keeps nothing at all.
#[derive(Default)]
pub(super) struct Reset {
    state: MethodState,
}

impl Method for Reset {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, _state: MethodState) {}

    fn begin(&mut self, phase: Beginning<'_>) -> Result<Begun, AgentError> {
        if phase.later {
            let drawn = phase.network.architecture().initialize(phase.generator);
            phase.network.params_mut().copy_from_slice(&drawn);
        }
        Ok(if phase.later { Begun::Redrawn } else { Begun::Unchanged })
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;

    /// Fails if anything of the old network is left, or if the first phase throws its network away.
    #[test]
    fn a_later_phase_begins_with_another_network() {
        let mut stage = Stage::with_heads();
        let before = stage.online.params().to_vec();
        let mut begin = |later: bool| {
            let Stage { online, generator, .. } = &mut stage;
            let drawn = online.architecture().initialize(&mut generator.clone());
            let beginning = Beginning { task: 1, later, network: online.as_mut(), generator };
            let begun = Reset::default().begin(beginning).unwrap();
            (begun, drawn, online.params().to_vec())
        };
        let (begun, _, params) = begin(false);
        assert!(begun == Begun::Unchanged && params == before);
        let (begun, drawn, params) = begin(true);
        assert!(begun == Begun::Redrawn && params == drawn && params != before);
    }
}
