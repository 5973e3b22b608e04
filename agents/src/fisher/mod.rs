//! The diagonal Fisher information of a Q-network, exact for each example.
//!
//! A Q-network is no probability model until a likelihood is chosen for it; the choice is explicit here. For every one:
//! states are drawn uniformly from the finished task's replay, the score of each example is squared, then averaged:
//! `F_i = mean_n sum_r (d(dQ_nr . Q_n) / d theta_i)^2`. Squaring the mean over a batch instead is a common mistake that
//! gives values smaller by up to the batch size.

mod diagnostics;
mod labels;

pub use diagnostics::FisherDiagnostics;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    network::QNetwork,
    replay::{Batch, Replay},
};
use diagnostics::diagnose;
use labels::Labels;

/// The estimate of the Fisher information as configured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FisherConfig {
    /// The likelihood whose score is squared.
    pub likelihood: Likelihood,
    /// How many replayed states the mean is over.
    pub states: usize,
    /// Whether the importance is divided by its mean.
    pub normalization: Normalization,
    /// The temperature of the softmax likelihoods; 0 chooses, for each task, the median gap between the best and the
    /// second action over 2.4, at which the information about a gap is greatest.
    pub temperature: f32,
    /// The derivative that stands in for 0 where a ReLU is off, so that units which never fire on the finished task are
    /// protected too: `F = max(F, F_leak)`. 0 is the plain Fisher information.
    pub leak: f32,
    /// A share of the mean importance that is added to every shared parameter.
    pub floor: f32,
}

impl Default for FisherConfig {
    fn default() -> Self {
        Self {
            likelihood: Likelihood::Gaussian,
            states: 1024,
            normalization: Normalization::Auto,
            temperature: 0.0,
            leak: 0.0,
            floor: 0.0,
        }
    }
}

/// The model under which Q-values are the parameters of a distribution. `g_a = dQ(s, a) / d theta`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// Every action's value is observed with unit variance: `mean sum_a g_a^2`. With it the penalty is, to second order
    /// and on the diagonal, `lambda / 2` times the mean squared change of the old task's Q-values.
    Gaussian,
    /// Only the value of the action taken is observed: `mean g_taken^2`.
    GaussianTaken,
    /// Actions are drawn from `pi = softmax(Q / temperature)`, in expectation:
    /// `mean sum_a pi_a ((g_a - sum_b pi_b g_b) / temperature)^2`.
    Softmax,
    /// The same with one action drawn from `pi` for each state.
    SoftmaxSampled,
    /// The same with the action taken: the "empirical" Fisher information, biased.
    SoftmaxTaken,
    /// The temporal-difference loss: `mean min(|delta|, 1)^2 g_taken^2`. It vanishes as the errors do.
    Td,
}

/// Whether importance is divided by its mean over the shared parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// As the likelihood needs it: `none` for `gaussian`, whose scale has a meaning, `mean` for the others.
    Auto,
    /// As it comes.
    None,
    /// Divided by its mean, so that the uniform anchor is the case `F = 1`.
    Mean,
}

/// An estimate with what is worth knowing of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fisher {
    /// One number a parameter; 0 for those that a task owns.
    pub importance: Vec<f32>,
    /// How it looks.
    pub diagnostics: FisherDiagnostics,
}

/// States handled in one call of the network: bounds memory, and gives the groups of the standard error.
const GROUP: usize = 32;

/// Estimates the importance of every shared parameter for `task`, which has `actions` valid actions.
pub fn estimate(
    config: &FisherConfig,
    network: &mut dyn QNetwork,
    replay: &Replay,
    task: usize,
    actions: usize,
    generator: &mut Pcg64,
) -> Result<Fisher, AgentError> {
    if !replay.holds(task) {
        return Err(AgentError::EmptyReplay { task });
    }
    let (mut slots, mut batch) = (Vec::new(), Batch::default());
    replay.draw(config.states, Some(task), generator, &mut slots);
    replay.gather(&slots, &mut batch);
    of_batch(config, network, &batch, task, actions, generator)
}

/// As [`estimate`], for the given states.
pub fn of_batch(
    config: &FisherConfig,
    network: &mut dyn QNetwork,
    batch: &Batch,
    task: usize,
    actions: usize,
    generator: &mut Pcg64,
) -> Result<Fisher, AgentError> {
    let columns = network.architecture().actions();
    let width = batch.observations.len() / batch.len();
    let mut q = vec![0.0; batch.len() * columns];
    network.infer(&batch.observations, task, &mut q)?;
    let rows: Vec<&[f32]> = q.chunks_exact(columns).map(|row| &row[..actions]).collect();
    let labels = Labels::choose(config, network, batch, &rows, task, actions, generator)?;

    let mut importance = vec![0.0; network.layout().len()];
    let mut leaky = vec![0.0; importance.len()];
    let mut traces = Vec::new();
    for (group, observations) in batch.observations.chunks(GROUP * width).enumerate() {
        let first = group * GROUP;
        let rounds = labels.rounds(actions);
        let mut accumulate = |leak: f32, squares: &mut [f32]| {
            let mut round = 0;
            let mut scores = |q: &[f32], chosen: &mut [f32]| {
                for (row, (q, dq)) in q.chunks_exact(columns).zip(chosen.chunks_exact_mut(columns)).enumerate() {
                    labels.score(first + row, round, &q[..actions], &mut dq[..actions]);
                }
                round += 1;
            };
            network.squared_gradient(observations, task, rounds, leak, &mut scores, squares)
        };
        let before: f64 = importance.iter().map(|f| f64::from(*f)).sum();
        accumulate(0.0, &mut importance)?;
        let after: f64 = importance.iter().map(|f| f64::from(*f)).sum();
        traces.push((after - before) / (observations.len() / width) as f64);
        if config.leak > 0.0 {
            accumulate(config.leak, &mut leaky)?;
        }
    }
    let share = 1.0 / batch.len() as f32;
    for (f, leaky) in importance.iter_mut().zip(&leaky) {
        *f = f.max(*leaky) * share;
    }
    let diagnostics = diagnose(network, &importance, &traces, batch.len(), &labels, &rows);
    normalize(config, network, &mut importance, diagnostics.mean as f32);
    Ok(Fisher { importance, diagnostics })
}

fn normalize(config: &FisherConfig, network: &dyn QNetwork, importance: &mut [f32], mean: f32) {
    let by_mean = match config.normalization {
        Normalization::Auto => config.likelihood != Likelihood::Gaussian,
        Normalization::None => false,
        Normalization::Mean => true,
    };
    let scale = if by_mean && mean > 0.0 { 1.0 / mean } else { 1.0 };
    for range in network.layout().shared() {
        for f in &mut importance[range] {
            *f = (*f + config.floor * mean) * scale;
        }
    }
}
