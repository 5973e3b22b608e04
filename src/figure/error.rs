//! What can stand in the way of a figure.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;

/// Why a figure cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// No run directory was given.
    #[error("no run directory given")]
    NoRuns,
    /// No run of a sweep has finished.
    #[error("none of the sweep's {runs} runs has finished")]
    NoneFinished {
        /// How many it has.
        runs: usize,
    },
    /// The path holds no `status.json`.
    #[error("{} is not a run directory: it has no status.json", path.display())]
    NotARun {
        /// What was given.
        path: PathBuf,
    },
    /// The run has not reached its end.
    #[error("the run {} is not finished: its state is \"{state}\"", path.display())]
    Unfinished {
        /// The run directory.
        path: PathBuf,
        /// Its `state` in `status.json`.
        state: String,
    },
    /// An evaluation lacks some tasks.
    #[error("{}: the evaluation at step {step} does not have every task", path.display())]
    PartialEvaluation {
        /// The file.
        path: PathBuf,
        /// Environment steps at the evaluation.
        step: u64,
    },
    /// A file of the run cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A file of the run does not hold what it should.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        problem: String,
    },
    /// Two runs are of different experiments.
    #[error("runs of different presets cannot share a figure: {} is of {first}, {} of {second}", one.display(), other.display())]
    DifferentPresets {
        /// A run directory.
        one: PathBuf,
        /// Its preset.
        first: String,
        /// Another one.
        other: PathBuf,
        /// The preset of that.
        second: String,
    },
    /// Two runs were told to play different tasks, for different steps, or to be evaluated at different steps.
    #[error(
        "runs of different curricula cannot share a figure: {key} is {first} in {} and {second} in {}",
        one.display(),
        other.display()
    )]
    DifferentCurricula {
        /// The key of the config.
        key: String,
        /// A run directory.
        one: PathBuf,
        /// Its value.
        first: String,
        /// Another one.
        other: PathBuf,
        /// The value in that.
        second: String,
    },
    /// Two runs differ in their tasks, phases, or evaluation steps.
    #[error("{} and {} differ in their tasks, phases or evaluation steps", one.display(), other.display())]
    DifferentSchedules {
        /// A run directory.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
    },
    /// Two runs have one method, the same settings and one seed: they are not independent.
    #[error("{} and {} are both {method} with seed {seed}: give one of them", one.display(), other.display())]
    Duplicate {
        /// A run directory.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
        /// The method of both, and the settings that tell them from others.
        method: String,
        /// The seed of both.
        seed: u64,
    },
    /// The run's config cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The name of the figure does not tell its format.
    #[error("{} must end in .svg or .png", path.display())]
    UnknownExtension {
        /// The output file.
        path: PathBuf,
    },
    /// The place for a report is no folder.
    #[error("{} is a file: a report needs a folder", path.display())]
    NoFolder {
        /// What was given.
        path: PathBuf,
    },
    /// The figure's folder does not exist.
    #[error("the folder {} does not exist", path.display())]
    MissingFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The figure cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The output file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// The plotting library failed.
    #[error("cannot draw: {0}")]
    Draw(String),
}
