//! Hidden units that never fire on a task's states. Their weights have no Fisher information, so a penalty built on it
//! leaves them free to move until they wake up on the old task's states.

use rand_pcg::Pcg64;
use serde::Serialize;

use crate::{
    AgentError,
    network::{HiddenLayer, QNetwork},
    replay::{Batch, Replay},
};

/// The units of a hidden layer that never fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadUnits {
    /// The layer.
    pub layer: String,
    /// How many of its units never fire.
    pub dead: usize,
    /// How many it has.
    pub units: usize,
}

/// Which hidden units, of all layers in order, are positive on at least one of `states` replayed states of `task`.
pub fn fired(
    network: &mut dyn QNetwork,
    replay: &Replay,
    task: usize,
    states: usize,
    generator: &mut Pcg64,
) -> Result<Vec<bool>, AgentError> {
    let mut fired = vec![false; network.architecture().hidden().iter().map(|layer| layer.units).sum()];
    if replay.holds(task) {
        let (mut slots, mut batch) = (Vec::new(), Batch::default());
        replay.draw(states, Some(task), generator, &mut slots);
        for slots in slots.chunks(256) {
            replay.gather(slots, &mut batch);
            network.mark_fired(&batch.observations, task, &mut fired)?;
        }
    }
    Ok(fired)
}

/// Counts the units that did not fire, layer by layer.
pub fn count(layers: Vec<HiddenLayer>, fired: &[bool]) -> Vec<DeadUnits> {
    let mut flags = fired;
    let count = |layer: HiddenLayer| {
        let (own, rest) = flags.split_at(layer.units);
        flags = rest;
        DeadUnits { layer: layer.name, dead: own.iter().filter(|fired| !**fired).count(), units: layer.units }
    };
    layers.into_iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_layer_by_layer() {
        let layers =
            vec![HiddenLayer { name: "dense1".into(), units: 3 }, HiddenLayer { name: "dense2".into(), units: 2 }];
        let dead = count(layers, &[true, false, true, false, false]);
        assert_eq!(dead.iter().map(|layer| (layer.dead, layer.units)).collect::<Vec<_>>(), [(1, 3), (2, 2)]);
    }
}
