//! The diagonal Fisher information of a Q-network, exact for each example.
//!
//! A Q-network is no probability model until a likelihood is chosen for it; the choice is explicit here. For every one:
//! states are drawn uniformly from the finished task's replay, the score of each example is squared, then averaged:
//! `F_i = mean_n sum_r (d(dQ_nr . Q_n) / d theta_i)^2`. Squaring the mean over a batch instead is a common mistake that
//! gives values smaller by up to the batch size.

mod diagnostics;
mod labels;
mod states;

pub use diagnostics::FisherDiagnostics;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    network::QNetwork,
    replay::{Batch, Replay},
};
use diagnostics::Spread;
use labels::{Labels, automatic_temperature, entropy, gap};
use states::{Drawn, States};

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
    /// protected too: `F = max(F, F_leak)`. 0 is the plain Fisher information; the default is 0.1.
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
            leak: 0.1,
            floor: 0.0,
        }
    }
}

impl FisherConfig {
    /// Whether the importance is brought to a mean of 1.
    pub fn is_normalized(&self) -> bool {
        match self.normalization {
            Normalization::Auto => self.likelihood != Likelihood::Gaussian,
            Normalization::None => false,
            Normalization::Mean => true,
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

impl Likelihood {
    /// Whether the score depends on the Q-values themselves, and not on their gradient alone.
    fn uses_values(self) -> bool {
        !matches!(self, Self::Gaussian | Self::GaussianTaken)
    }

    /// Whether a policy is made of the Q-values.
    fn is_softmax(self) -> bool {
        matches!(self, Self::Softmax | Self::SoftmaxSampled | Self::SoftmaxTaken)
    }
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
    let mut slots = Vec::new();
    replay.draw(config.states, Some(task), generator, &mut slots);
    Estimate { config, task, actions, states: &Drawn { replay, slots } }.run(network, generator)
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
    Estimate { config, task, actions, states: batch }.run(network, generator)
}

/// What an estimate is made of.
struct Estimate<'a> {
    config: &'a FisherConfig,
    task: usize,
    actions: usize,
    states: &'a dyn States,
}

/// Sums over the groups of states so far, in their order.
struct Sums {
    plain: Vec<f64>,
    leaky: Vec<f64>,
    spread: Spread,
    entropy: f64,
}

impl Estimate<'_> {
    fn run(&self, network: &mut dyn QNetwork, generator: &mut Pcg64) -> Result<Fisher, AgentError> {
        let temperature = self.temperature(network)?;
        let parameters = network.layout().len();
        let leaking = self.config.leak > 0.0;
        let mut sums = Sums {
            plain: vec![0.0; parameters],
            leaky: vec![0.0; if leaking { parameters } else { 0 }],
            spread: Spread::default(),
            entropy: 0.0,
        };
        let mut squares = vec![0.0; parameters];
        self.each_group(network, |network, batch, rows| {
            sums.entropy += temperature.map_or(0.0, |temperature| entropy(rows, temperature));
            let labels = Labels::choose(self.config, network, batch, rows, temperature, self.task, generator)?;
            self.square(network, batch, &labels, 0.0, &mut squares)?;
            let trace = add(&mut sums.plain, &squares);
            sums.spread.add(batch.len(), trace / batch.len() as f64);
            if leaking {
                self.square(network, batch, &labels, self.config.leak, &mut squares)?;
                add(&mut sums.leaky, &squares);
            }
            Ok(())
        })?;
        let share = 1.0 / self.states.len() as f64;
        let mut importance: Vec<f32> = sums.plain.iter().map(|sum| (sum * share) as f32).collect();
        for (f, leaky) in importance.iter_mut().zip(&sums.leaky) {
            *f = f.max((leaky * share) as f32);
        }
        let diagnostics = FisherDiagnostics {
            trace_standard_error: sums.spread.standard_error(),
            entropy: temperature.map(|_| sums.entropy * share),
            temperature: temperature.map(f64::from),
            ..FisherDiagnostics::of(network, &importance, self.states.len())
        };
        normalize(self.config, network, &mut importance, diagnostics.mean as f32);
        Ok(Fisher { importance, diagnostics })
    }

    /// The squared scores of one group's states, in place of what `squares` held.
    fn square(
        &self,
        network: &mut dyn QNetwork,
        batch: &Batch,
        labels: &Labels,
        leak: f32,
        squares: &mut [f32],
    ) -> Result<(), AgentError> {
        let columns = network.architecture().actions();
        let mut round = 0;
        let mut scores = |q: &[f32], chosen: &mut [f32]| {
            for (row, (q, dq)) in q.chunks_exact(columns).zip(chosen.chunks_exact_mut(columns)).enumerate() {
                labels.score(row, round, &q[..self.actions], &mut dq[..self.actions]);
            }
            round += 1;
        };
        squares.fill(0.0);
        let rounds = labels.rounds(self.actions);
        network.squared_gradient(&batch.observations, self.task, rounds, leak, &mut scores, squares)
    }

    /// The temperature of a softmax likelihood, which an automatic choice needs all states for; None for the others.
    fn temperature(&self, network: &mut dyn QNetwork) -> Result<Option<f32>, AgentError> {
        if !self.config.likelihood.is_softmax() {
            return Ok(None);
        }
        if self.config.temperature > 0.0 {
            return Ok(Some(self.config.temperature));
        }
        let mut gaps = Vec::with_capacity(self.states.len());
        self.each_group(network, |_, _, rows| {
            gaps.extend(rows.iter().map(|row| gap(row)));
            Ok(())
        })?;
        Ok(Some(automatic_temperature(gaps)))
    }

    /// Calls `visit` with the transitions of each group and their valid actions' Q-values, a row a state; they are 0 where
    /// the likelihood does not use them.
    fn each_group(
        &self,
        network: &mut dyn QNetwork,
        mut visit: impl FnMut(&mut dyn QNetwork, &Batch, &[&[f32]]) -> Result<(), AgentError>,
    ) -> Result<(), AgentError> {
        let columns = network.architecture().actions();
        let (mut batch, mut q) = (Batch::default(), Vec::new());
        for first in (0..self.states.len()).step_by(GROUP) {
            self.states.gather(first..(first + GROUP).min(self.states.len()), &mut batch);
            q.resize(batch.len() * columns, 0.0);
            if self.config.likelihood.uses_values() {
                network.infer(&batch.observations, self.task, &mut q)?;
            }
            let rows: Vec<&[f32]> = q.chunks_exact(columns).map(|row| &row[..self.actions]).collect();
            visit(network, &batch, &rows)?;
        }
        Ok(())
    }
}

/// Adds the squares to the sums; returns what they come to, in eight parts so that no addition waits for the one before.
fn add(sums: &mut [f64], squares: &[f32]) -> f64 {
    const PARTS: usize = 8;
    let mut totals = [0.0; PARTS];
    let (mut sums, squares) = (sums.chunks_exact_mut(PARTS), squares.chunks_exact(PARTS));
    let rest = squares.remainder();
    for (sums, squares) in sums.by_ref().zip(squares) {
        for (part, (sum, square)) in sums.iter_mut().zip(squares).enumerate() {
            *sum += f64::from(*square);
            totals[part] += f64::from(*square);
        }
    }
    for (part, (sum, square)) in sums.into_remainder().iter_mut().zip(rest).enumerate() {
        *sum += f64::from(*square);
        totals[part] += f64::from(*square);
    }
    totals.iter().sum()
}

fn normalize(config: &FisherConfig, network: &dyn QNetwork, importance: &mut [f32], mean: f32) {
    let scale = if config.is_normalized() && mean > 0.0 { 1.0 / mean } else { 1.0 };
    for range in network.layout().shared() {
        for f in &mut importance[range] {
            *f = (*f + config.floor * mean) * scale;
        }
    }
}
