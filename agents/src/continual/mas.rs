//! Memory aware synapses (Aljundi et al. 2018): a parameter's importance is how strongly it moves the squared norm of the
//! outputs, `Omega_i = mean_n |d |Q(s_n)|^2 / d theta_i|` over the valid actions of the finished task's replayed states,
//! for each example alone. It is summed over tasks; the penalty is `lambda/2 sum_i Omega_i (theta_i - theta*_i)^2`
//! around the latest parameters.

use super::{AwareStrength, Consolidation, FinishedTask, Method, MethodState};
use crate::{AgentError, network::QNetwork, replay::Batch};

/// The sensitivity of the outputs as importance.
pub(super) struct MemoryAwareSynapses {
    strength: AwareStrength,
    state: MethodState,
}

impl MemoryAwareSynapses {
    pub fn new(strength: AwareStrength) -> Self {
        Self { strength, state: MethodState::default() }
    }
}

/// `mean_n |d |Q(s_n)|^2 / d theta_i|` over the rows of `observations`, for the shared parameters; 0 elsewhere.
pub(super) fn sensitivity(
    network: &mut dyn QNetwork,
    observations: &[f32],
    rows: usize,
    task: usize,
    actions: usize,
) -> Result<Vec<f32>, AgentError> {
    let width = observations.len() / rows.max(1);
    let len = network.layout().len();
    let (mut gradient, mut sums) = (vec![0.0; len], vec![0.0_f64; len]);
    for observation in observations.chunks(width.max(1)) {
        gradient.fill(0.0);
        let mut scores = |q: &[f32], chosen: &mut [f32]| {
            for action in 0..actions {
                chosen[action] = 2.0 * q[action];
            }
        };
        network.gradient(observation, task, &mut scores, &mut gradient)?;
        for (sum, g) in sums.iter_mut().zip(&gradient) {
            *sum += f64::from(g.abs());
        }
    }
    let mut importance = vec![0.0; len];
    for range in network.layout().shared() {
        for i in range {
            importance[i] = (sums[i] / rows.max(1) as f64) as f32;
        }
    }
    Ok(importance)
}

impl Method for MemoryAwareSynapses {
    fn state(&self) -> &MethodState {
        &self.state
    }

    fn set_state(&mut self, state: MethodState) {
        self.state = state.with_lambda(self.strength.lambda);
    }

    fn consolidate(&mut self, task: FinishedTask<'_>) -> Result<Consolidation, AgentError> {
        let FinishedTask { task, actions, network, replay, generator, .. } = task;
        if !replay.holds(task) {
            return Err(AgentError::EmptyReplay { task });
        }
        let (mut slots, mut batch) = (Vec::new(), Batch::default());
        replay.draw(self.strength.states, Some(task), generator, &mut slots);
        replay.gather(&slots, &mut batch);
        let importance = sensitivity(network, &batch.observations, batch.len(), task, actions)?;
        let anchor = network.params().to_vec();
        self.state.recentre(self.strength.lambda, 1.0, &importance, &anchor);
        Ok(Consolidation { importance: Some(importance), ..Consolidation::new(anchor) })
    }
}
