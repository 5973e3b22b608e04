//! `PackNet` (Mallya and Lazebnik 2018, in the form of Wolczyk et al. 2021): each task owns a part of the shared
//! weights.
//! A task learns with the weights that no one owns yet. At its end, in each layer, the largest of them by magnitude become
//! its own, `1 / (left + 1)` of them with `left` tasks still to come; the others are set to 0 and released, and its own are
//! trained on for a while. A task is played with its own weights and those of the tasks before it, so that nothing is
//! forgotten. Biases are the first task's. A unit of which no weight is owned is 0 on both sides, so that nothing moves it
//! any more: in a layer with few weights a unit, such units are lost.

use std::ops::Range;

use super::{FinishedTask, Method, MethodState, PackNetConfig};
use crate::{
    AgentError,
    config::TaskSet,
    learning::Learning,
    network::QNetwork,
    params::{Layout, Owner},
    replay::Batch,
};

/// The owner of what no task owns yet.
const FREE: u8 = 0;

/// Weights owned by tasks.
pub(super) struct PackNet {
    config: PackNetConfig,
    tasks: usize,
    /// Where the shared weights lie, tensor by tensor.
    weights: Vec<Range<usize>>,
    /// Where the shared biases lie.
    biases: Vec<Range<usize>>,
    state: MethodState,
    /// The parameters before the update, and whose of them move in it.
    before: Vec<f32>,
    moving: u8,
}

impl PackNet {
    pub fn new(config: PackNetConfig, tasks: &TaskSet, network: &dyn QNetwork) -> Self {
        let (weights, biases) = shared_tensors(network.layout());
        let owners = vec![FREE; network.layout().len()];
        let state = MethodState { owners, ..MethodState::default() };
        Self { config, tasks: tasks.actions.len(), weights, biases, state, before: Vec::new(), moving: FREE }
    }

    fn shared(&self) -> impl Iterator<Item = usize> {
        self.weights.iter().chain(&self.biases).cloned().flatten()
    }

    /// Zeroes the gradient of every shared parameter but those of one owner.
    fn mask(&mut self, learning: &mut Learning<'_>, moving: u8) {
        self.moving = moving;
        self.before.clear();
        self.before.extend_from_slice(learning.online.params());
        for i in self.shared() {
            if self.state.owners[i] != moving {
                learning.gradient[i] = 0.0;
            }
        }
    }

    /// Gives the newest task the largest of the free weights of each tensor and zeroes the others.
    fn prune(&mut self, params: &mut [f32]) {
        let newest = self.state.learnt.len() as u8;
        let left = self.tasks.saturating_sub(self.state.learnt.len());
        for range in &self.weights {
            let mut free: Vec<usize> = range.clone().filter(|i| self.state.owners[*i] == FREE).collect();
            free.sort_by(|a, b| params[*b].abs().total_cmp(&params[*a].abs()).then(a.cmp(b)));
            let kept = free.len().div_ceil(left + 1);
            for (rank, i) in free.into_iter().enumerate() {
                if rank < kept {
                    self.state.owners[i] = newest;
                } else {
                    params[i] = 0.0;
                }
            }
        }
        for i in self.biases.iter().cloned().flatten() {
            self.state.owners[i] = 1;
        }
    }
}

/// The ranges of the shared weights and of the shared biases.
fn shared_tensors(layout: &Layout) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let shared = layout.entries().iter().filter(|entry| entry.owner == Owner::Shared);
    let (weights, biases): (Vec<_>, Vec<_>) = shared.partition(|entry| entry.name.ends_with(".weight"));
    let ranges = |entries: Vec<&crate::params::Entry>| entries.into_iter().map(|entry| entry.range.clone()).collect();
    (ranges(weights), ranges(biases))
}

impl Method for PackNet {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state;
    }

    fn shape_gradient(&mut self, learning: &mut Learning<'_>) -> Result<(), AgentError> {
        self.mask(learning, FREE);
        Ok(())
    }

    /// An optimizer with moments of an earlier gradient moves parameters without one, too.
    fn after_update(&mut self, params: &mut [f32]) {
        for i in self.shared() {
            if self.state.owners[i] != self.moving {
                params[i] = self.before[i];
            }
        }
    }

    fn prepare(&mut self, task: FinishedTask<'_>) -> Result<u64, AgentError> {
        self.state.learnt.push(task.task);
        self.prune(task.network.params_mut());
        let last = self.state.learnt.len() >= self.tasks;
        Ok(if last { 0 } else { self.config.retrain_updates })
    }

    fn compress(&mut self, learning: &mut Learning<'_>, batch: &Batch) -> Result<(), AgentError> {
        learning.add_td(batch, learning.task, 1.0)?;
        self.mask(learning, self.state.learnt.len() as u8);
        Ok(())
    }

    fn parameters_for(&self, task: usize, current: Option<usize>, own: &[f32]) -> Option<Vec<f32>> {
        let order = self.state.learnt.iter().position(|learnt| *learnt == task)?;
        if current == Some(task) {
            return None;
        }
        let mut params = own.to_vec();
        for i in self.weights.iter().cloned().flatten() {
            let owner = usize::from(self.state.owners[i]);
            if owner == usize::from(FREE) || owner > order + 1 {
                params[i] = 0.0;
            }
        }
        Some(params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packnet(tasks: usize, weights: usize, biases: usize) -> PackNet {
        PackNet {
            config: PackNetConfig::default(),
            tasks,
            weights: vec![0..weights],
            biases: vec![weights..weights + biases],
            state: MethodState { owners: vec![FREE; weights + biases], ..MethodState::default() },
            before: Vec::new(),
            moving: FREE,
        }
    }

    #[test]
    fn pruning_by_hand() {
        let mut packnet = packnet(3, 6, 1);
        let mut params = [0.1, -5.0, 2.0, -0.3, 4.0, 0.2, 7.0];
        packnet.state.learnt.push(2);
        packnet.prune(&mut params);
        assert_eq!(params, [0.0, -5.0, 0.0, 0.0, 4.0, 0.0, 7.0], "a third of six, the largest; biases stay");
        assert_eq!(packnet.state.owners, [0, 1, 0, 0, 1, 0, 1]);
        params = [0.5, -5.0, -0.6, 0.7, 4.0, 0.1, 7.0];
        packnet.state.learnt.push(0);
        packnet.prune(&mut params);
        assert_eq!(params, [0.0, -5.0, -0.6, 0.7, 4.0, 0.0, 7.0], "half of the four that were free");
        params = [0.9, -5.0, -0.6, 0.7, 4.0, 0.8, 7.0];
        packnet.state.learnt.push(1);
        packnet.prune(&mut params);
        assert_eq!(packnet.state.owners, [3, 1, 2, 2, 1, 3, 1], "the last task keeps all that is left");
        assert_eq!(packnet.parameters_for(2, Some(1), &params).unwrap(), [0.0, -5.0, 0.0, 0.0, 4.0, 0.0, 7.0]);
        assert_eq!(packnet.parameters_for(0, Some(1), &params).unwrap(), [0.0, -5.0, -0.6, 0.7, 4.0, 0.0, 7.0]);
        assert_eq!(packnet.parameters_for(1, Some(1), &params), None);
    }
}
