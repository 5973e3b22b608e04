//! The diagonal Fisher information of a Q-network, exact for each example.
//!
//! A Q-network is no probability model until a likelihood is chosen for it; the choice is explicit here. For every one:
//! states are drawn uniformly from the finished task's replay, the score of each example is squared, then averaged:
//! `F_i = mean_n sum_r (d(dQ_nr . Q_n) / d theta_i)^2`. Squaring the mean over a batch instead is a common mistake that
//! gives values smaller by up to the batch size.

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    loss::td_target,
    network::QNetwork,
    params::Owner,
    replay::{Batch, Replay},
};

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

/// What is worth knowing of an estimate. Means and maxima are over shared parameters, before normalisation and floor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FisherDiagnostics {
    /// States in the mean.
    pub states: usize,
    /// Mean importance.
    pub mean: f64,
    /// Greatest importance.
    pub max: f64,
    /// Sum of all importance.
    pub trace: f64,
    /// Standard error of the trace of the plain Fisher information, from the spread between groups of states.
    pub trace_standard_error: f64,
    /// Share of the parameters below a thousandth of the mean.
    pub zero_share: f64,
    /// Layers in which no parameter has any importance.
    pub zero_layers: Vec<String>,
    /// Mean entropy of the softmax policy in nats, where there is one.
    pub entropy: Option<f64>,
    /// The temperature used, where there is one.
    pub temperature: Option<f64>,
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

/// What the score of each example is taken of.
enum Labels {
    All,
    Taken { actions: Vec<usize>, weights: Vec<f32> },
    Expected { temperature: f32 },
    Drawn { actions: Vec<usize>, temperature: f32 },
}

impl Labels {
    fn choose(
        config: &FisherConfig,
        network: &mut dyn QNetwork,
        batch: &Batch,
        rows: &[&[f32]],
        task: usize,
        actions: usize,
        generator: &mut Pcg64,
    ) -> Result<Self, AgentError> {
        let temperature = if config.temperature > 0.0 { config.temperature } else { automatic_temperature(rows) };
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
                        .unwrap_or(actions - 1)
                };
                Self::Drawn { actions: rows.iter().map(&mut draw).collect(), temperature }
            }
            Likelihood::Td => {
                let columns = network.architecture().actions();
                let mut next = vec![0.0; batch.len() * columns];
                network.infer(&batch.next_observations, task, &mut next)?;
                let weight = |row: usize| {
                    let next = &next[row * columns..(row + 1) * columns];
                    let target = td_target(batch.rewards[row], batch.discounts[row], next, None, actions);
                    (rows[row][batch.actions[row]] - target).clamp(-1.0, 1.0)
                };
                Self::Taken { actions: batch.actions.clone(), weights: (0..batch.len()).map(weight).collect() }
            }
        })
    }

    fn rounds(&self, actions: usize) -> usize {
        match self {
            Self::All | Self::Expected { .. } => actions,
            Self::Taken { .. } | Self::Drawn { .. } => 1,
        }
    }

    fn temperature(&self) -> Option<f32> {
        match self {
            Self::Expected { temperature } | Self::Drawn { temperature, .. } => Some(*temperature),
            Self::All | Self::Taken { .. } => None,
        }
    }

    /// The score vector `dQ` of one example in one round, over the valid actions.
    fn score(&self, example: usize, round: usize, q: &[f32], dq: &mut [f32]) {
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

/// The median over states of the gap between the best and the second action, over 2.4.
fn automatic_temperature(rows: &[&[f32]]) -> f32 {
    let mut gaps: Vec<f32> = rows
        .iter()
        .map(|row| {
            let mut sorted = row.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            sorted[0] - sorted.get(1).unwrap_or(&sorted[0])
        })
        .collect();
    gaps.sort_by(f32::total_cmp);
    (gaps[gaps.len() / 2] / 2.4).max(1e-6)
}

fn diagnose(
    network: &dyn QNetwork,
    importance: &[f32],
    traces: &[f64],
    states: usize,
    labels: &Labels,
    rows: &[&[f32]],
) -> FisherDiagnostics {
    let layout = network.layout();
    let shared: Vec<f64> =
        layout.shared().into_iter().flat_map(|range| &importance[range]).map(|f| f64::from(*f)).collect();
    let trace: f64 = shared.iter().sum();
    let mean = trace / shared.len().max(1) as f64;
    let group_mean = traces.iter().sum::<f64>() / traces.len() as f64;
    let spread: f64 = traces.iter().map(|trace| (trace - group_mean).powi(2)).sum();
    let entries = layout.entries().iter().filter(|entry| entry.owner == Owner::Shared);
    let entropy = |temperature: f32| {
        let of = |row: &&[f32]| -> f64 {
            softmax(row, temperature).iter().filter(|p| **p > 0.0).map(|p| -f64::from(*p) * f64::from(*p).ln()).sum()
        };
        rows.iter().map(of).sum::<f64>() / rows.len() as f64
    };
    FisherDiagnostics {
        states,
        mean,
        max: shared.iter().fold(0.0, |max, f| max.max(*f)),
        trace,
        trace_standard_error: (spread / (traces.len() * (traces.len() - 1).max(1)) as f64).sqrt(),
        zero_share: shared.iter().filter(|f| **f < 1e-3 * mean || **f == 0.0).count() as f64
            / shared.len().max(1) as f64,
        zero_layers: entries
            .filter(|entry| importance[entry.range.clone()].iter().all(|f| *f == 0.0))
            .map(|entry| entry.name.clone())
            .collect(),
        entropy: labels.temperature().map(entropy),
        temperature: labels.temperature().map(f64::from),
    }
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

impl FisherDiagnostics {
    /// What in the estimate deserves attention, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.states < 64 {
            warnings.push(format!(
                "the Fisher information is a mean over only {} states; set method.fisher.states to 64 or more",
                self.states
            ));
        }
        if self.trace == 0.0 {
            warnings.push(
                "the Fisher information is zero everywhere, so nothing is protected; use likelihood \"gaussian\""
                    .into(),
            );
        } else if !self.zero_layers.is_empty() {
            warnings.push(format!("the Fisher information is zero in all of {}", self.zero_layers.join(", ")));
        }
        if let Some(entropy) = self.entropy.filter(|entropy| *entropy < 0.01) {
            warnings.push(format!("the softmax policy is nearly deterministic (entropy {entropy:.4} nat), so its Fisher information is nearly zero; raise method.fisher.temperature"));
        }
        warnings
    }
}
