//! What happens in a run, as values: the trainer emits events, sinks write them down.

use engram_agents::continual::Consolidation;
use engram_agents::dqn::Update;
use engram_envs::{End, Frame};

use crate::{
    metrics::{Metrics, PerformanceMatrix, Row, Trained},
    reference::{self, Reference},
    statistics,
};
use serde::{Deserialize, Serialize};

/// One thing that happened. Steps count environment steps over the whole curriculum.
#[derive(Debug)]
pub enum Event<'a> {
    /// Training reached this step; sent every few steps, for progress displays only.
    Stepped {
        /// Environment steps so far.
        step: u64,
    },
    /// An earlier run goes on from its checkpoint.
    Resumed {
        /// Environment steps so far.
        step: u64,
        /// The phase that is played; None at a boundary.
        playing: Option<usize>,
        /// All rows so far.
        matrix: &'a PerformanceMatrix,
    },
    /// A phase of the curriculum began.
    PhaseStarted {
        /// Environment steps so far.
        step: u64,
        /// Index of the phase, from 0.
        phase: usize,
        /// Index of the phase's task; None in a joint phase.
        task: Option<usize>,
    },
    /// A training episode ended.
    Episode(Episode),
    /// The means over the updates since the last such event.
    Updated {
        /// Environment steps so far.
        step: u64,
        /// Index of the phase.
        phase: usize,
        /// Index of the task; None in a joint phase.
        task: Option<usize>,
        /// Losses, norms and rates.
        update: &'a Update,
        /// The exploration rate at this step.
        epsilon: f32,
    },
    /// Every task was evaluated greedily.
    Evaluated {
        /// Environment steps so far.
        step: u64,
        /// Index of the phase.
        phase: usize,
        /// One score a task, in the curriculum's order.
        scores: &'a [Score],
    },
    /// The first evaluation episode of a task was recorded.
    Recorded {
        /// Environment steps so far.
        step: u64,
        /// Index of the task.
        task: usize,
        /// A picture of its start and of each step, up to a limit.
        frames: &'a [Frame],
    },
    /// The method consolidated the finished phase's task.
    Consolidated {
        /// Environment steps so far.
        step: u64,
        /// Index of the phase.
        phase: usize,
        /// Index of the task.
        task: usize,
        /// Importance and its diagnostics.
        consolidation: &'a Consolidation,
    },
    /// What is in memory beside the networks, once a phase has ended.
    Kept {
        /// Environment steps so far.
        step: u64,
        /// Bytes that the method keeps.
        method_bytes: u64,
        /// Bytes of the replay buffers.
        replay_bytes: u64,
        /// How long the consolidation took.
        seconds: f64,
    },
    /// A row of the performance matrix is complete: row 0 before training, then one a phase.
    Row {
        /// The new row, the last of `matrix`.
        row: &'a Row,
        /// All rows so far.
        matrix: &'a PerformanceMatrix,
        /// The metrics on these rows.
        metrics: &'a Metrics,
    },
    /// Something deserves the user's attention.
    Warning {
        /// Environment steps so far.
        step: u64,
        /// One line: what, why, what to do.
        message: &'a str,
    },
    /// Training ended before its end.
    Broken {
        /// Environment steps so far.
        step: u64,
        /// Whether something failed; else it was asked to stop.
        failed: bool,
    },
    /// Training reached its end.
    Finished {
        /// Environment steps in all.
        step: u64,
        /// The whole performance matrix.
        matrix: &'a PerformanceMatrix,
        /// The final metrics.
        metrics: &'a Metrics,
    },
}

/// A training episode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Environment steps so far.
    pub step: u64,
    /// Index of the phase.
    pub phase: usize,
    /// Index of the task.
    pub task: usize,
    /// Index of the episode in its phase, from 0.
    pub episode: u64,
    /// The sum of its raw rewards, not discounted.
    pub episode_return: f64,
    /// Its steps.
    pub length: u32,
    /// How it ended.
    pub end: End,
}

impl Episode {
    pub(crate) fn new(phase: usize, task: usize, episode: u64) -> Self {
        Self { step: 0, phase, task, episode, episode_return: 0.0, length: 0, end: End::Truncated }
    }

    pub(crate) fn add(&mut self, reward: f32) {
        self.episode_return += f64::from(reward);
        self.length += 1;
    }

    pub(crate) fn ended(self, step: u64, end: End) -> Self {
        Self { step, end, ..self }
    }
}

/// The greedy evaluation of one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Index of the task.
    pub task: usize,
    /// Raw return of each evaluation episode.
    pub returns: Vec<f64>,
    /// Mean of `returns`.
    pub mean: f64,
    /// `(mean - random) / (single - random)`, see [`crate::reference`].
    pub normalized: f64,
}

impl Score {
    /// The score of a task from the returns of its evaluation episodes.
    pub fn new(task: usize, returns: Vec<f64>, reference: Reference) -> Self {
        let mean = statistics::mean(&returns);
        Self { task, returns, mean, normalized: reference::normalize(mean, reference) }
    }
}

/// The row of the performance matrix that the scores of all tasks make.
pub fn row(step: u64, trained: Option<Trained>, scores: &[Score]) -> Row {
    let returns = scores.iter().map(|score| score.mean).collect();
    let normalized = scores.iter().map(|score| score.normalized).collect();
    Row { step, trained, returns, normalized }
}
