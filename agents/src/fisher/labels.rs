//! The score vectors of each likelihood.

use rand::Rng;
use rand_pcg::Pcg64;

use super::{FisherConfig, Likelihood};
use crate::{AgentError, loss::td_target, network::QNetwork, replay::Batch};

/// What the score of each example is taken of.
pub(super) enum Labels {
    All,
    Taken { actions: Vec<usize>, weights: Vec<f32> },
    Expected { temperature: f32 },
    Drawn { actions: Vec<usize>, temperature: f32 },
}

impl Labels {
    /// Chooses for the states of `batch`, whose valid actions have the Q-values in `rows`.
    pub fn choose(
        config: &FisherConfig,
        network: &mut dyn QNetwork,
        batch: &Batch,
        rows: &[&[f32]],
        temperature: Option<f32>,
        task: usize,
        generator: &mut Pcg64,
    ) -> Result<Self, AgentError> {
        // Only the softmax likelihoods use one, and they have one.
        let temperature = temperature.unwrap_or(1.0);
        Ok(match config.likelihood {
            Likelihood::Gaussian => Self::All,
            Likelihood::GaussianTaken => {
                Self::Taken { actions: batch.actions.clone(), weights: vec![1.0; batch.len()] }
            }
            Likelihood::Softmax => Self::Expected { temperature },
            Likelihood::SoftmaxTaken => Self::Drawn { actions: batch.actions.clone(), temperature },
            Likelihood::SoftmaxSampled => {
                let mut draw = |row: &&[f32]| {
                    let mut left: f32 = generator.random();
                    let policy = softmax(row, temperature);
                    policy
                        .iter()
                        .position(|p| {
                            left -= p;
                            left < 0.0
                        })
                        .unwrap_or(row.len() - 1)
                };
                Self::Drawn { actions: rows.iter().map(&mut draw).collect(), temperature }
            }
            Likelihood::Td => {
                let columns = network.architecture().actions();
                let mut next = vec![0.0; batch.len() * columns];
                network.infer(&batch.next_observations, task, &mut next)?;
                let weight = |row: usize| {
                    let next = &next[row * columns..(row + 1) * columns];
                    let target = td_target(batch.rewards[row], batch.discounts[row], next, None, rows[row].len());
                    (rows[row][batch.actions[row]] - target).clamp(-1.0, 1.0)
                };
                Self::Taken { actions: batch.actions.clone(), weights: (0..batch.len()).map(weight).collect() }
            }
        })
    }

    pub fn rounds(&self, actions: usize) -> usize {
        match self {
            Self::All | Self::Expected { .. } => actions,
            Self::Taken { .. } | Self::Drawn { .. } => 1,
        }
    }

    /// The score vector `dQ` of one example in one round, over the valid actions.
    pub fn score(&self, example: usize, round: usize, q: &[f32], dq: &mut [f32]) {
        match self {
            Self::All => dq[round] = 1.0,
            Self::Taken { actions, weights } => dq[actions[example]] = weights[example],
            Self::Expected { temperature } => log_policy_score(q, *temperature, round, true, dq),
            Self::Drawn { actions, temperature } => log_policy_score(q, *temperature, actions[example], false, dq),
        }
    }
}

/// `d ln pi_a / dQ = (e_a - pi) / temperature`, times `sqrt(pi_a)` where the square is to be an expectation over `a`.
fn log_policy_score(q: &[f32], temperature: f32, action: usize, expected: bool, dq: &mut [f32]) {
    let policy = softmax(q, temperature);
    let weight = if expected { policy[action].sqrt() } else { 1.0 } / temperature;
    for (index, (dq, p)) in dq.iter_mut().zip(&policy).enumerate() {
        *dq = weight * (f32::from(u8::from(index == action)) - p);
    }
}

fn softmax(q: &[f32], temperature: f32) -> Vec<f32> {
    let max = q.iter().fold(f32::NEG_INFINITY, |max, q| max.max(*q));
    let weights: Vec<f32> = q.iter().map(|q| ((q - max) / temperature).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

/// The sum over `rows` of the entropy of `softmax(Q / temperature)`, in nats.
pub(super) fn entropy(rows: &[&[f32]], temperature: f32) -> f64 {
    let of = |row: &&[f32]| -> f64 {
        softmax(row, temperature).iter().filter(|p| **p > 0.0).map(|p| -f64::from(*p) * f64::from(*p).ln()).sum()
    };
    rows.iter().map(of).sum()
}

/// The gap between the best and the second action.
pub(super) fn gap(row: &[f32]) -> f32 {
    let mut sorted = row.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted[0] - sorted.get(1).unwrap_or(&sorted[0])
}

/// The median of the gaps over 2.4.
pub(super) fn automatic_temperature(mut gaps: Vec<f32>) -> f32 {
    gaps.sort_by(f32::total_cmp);
    (gaps[gaps.len() / 2] / 2.4).max(1e-6)
}
