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

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use super::*;
    use crate::network::{Conditioning, NetworkConfig};

    /// Fails if the absolute value is taken of the mean, if the 2 is left out, or if an action that is not valid counts.
    #[test]
    fn sensitivity_equals_finite_differences_for_each_example() {
        let network = NetworkConfig { hidden: vec![5], conditioning: Conditioning::None, ..NetworkConfig::default() };
        let mut stage = Stage::new(network);
        let observations: Vec<f32> = (0..12).map(|i| (i as f32 * 1.7).sin()).collect();
        for actions in [3, 2] {
            let importance = sensitivity(stage.online.as_mut(), &observations, 4, 0, actions).unwrap();
            let mut cancelled = 0;
            for (i, found) in importance.iter().enumerate() {
                let own = stage.online.params()[i];
                let mut norms = |value: f32| {
                    let mut q = [0.0; 12];
                    stage.online.params_mut()[i] = value;
                    stage.online.infer(&observations, 0, &mut q).unwrap();
                    [0, 1, 2, 3]
                        .map(|row| q[3 * row..3 * row + actions].iter().map(|q| f64::from(*q).powi(2)).sum::<f64>())
                };
                let (above, below) = (norms(own + 5e-4), norms(own - 5e-4));
                stage.online.params_mut()[i] = own;
                let slopes = [0, 1, 2, 3].map(|row| (above[row] - below[row]) / 1e-3);
                let expected = slopes.iter().map(|slope| slope.abs()).sum::<f64>() / 4.0;
                assert!((f64::from(*found) - expected).abs() < 5e-3, "{i}: {found} {expected}");
                cancelled += usize::from(slopes.iter().sum::<f64>().abs() / 4.0 < 0.8 * expected - 0.02);
            }
            assert!(cancelled > 0, "examples that pull in opposite directions do not cancel");
        }
    }

    /// Fails if the sum over tasks is a mean, or if the centre stays.
    #[test]
    fn importance_is_summed_over_tasks() {
        let mut stage = Stage::with_heads();
        let mut method = MemoryAwareSynapses::new(AwareStrength { lambda: 0.7, states: 16 });
        let first = method.consolidate(stage.finished()).unwrap().importance.unwrap();
        stage.online.params_mut().iter_mut().for_each(|param| *param *= 1.5);
        let second = method.consolidate(stage.finished()).unwrap().importance.unwrap();
        let quadratic = method.quadratic().unwrap();
        assert!(first.iter().zip(&second).zip(&quadratic.importance).all(|((a, b), sum)| a + b == *sum));
        assert_eq!((&quadratic.centre[..], quadratic.lambda), (stage.online.params(), 0.7));
    }
}
