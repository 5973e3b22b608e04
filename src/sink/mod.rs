//! Where events go: each sink writes down what it cares about and ignores the rest.
//!
//! A sink never panics and never decides what a failure means: a full disk is an error that it hands to its caller.

pub(crate) mod bars;
mod charts;
pub mod consolidations;
pub mod csv;
mod hparams;
pub mod progress;
pub mod recordings;
pub mod status;
mod summary;
pub mod tensorboard;

use std::io;
use std::path::{Path, PathBuf};

use self::status::Cost;
use crate::event::Event;

/// Something that writes down the events of a run.
pub trait Sink {
    /// Takes note of one event. Events come in the order in which they happened.
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError>;

    /// Writes out whatever is still buffered.
    fn flush(&mut self) -> Result<(), SinkError>;
}

/// How a process comes to the run that it writes down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Start {
    /// The run begins.
    New,
    /// It goes on from a checkpoint.
    Resumed {
        /// What it has cost before.
        cost: Cost,
    },
    /// It begins with the outputs of another run, and other settings from there on.
    Forked,
}

/// Several sinks in one: each event goes to each of them, until one fails.
impl Sink for Vec<Box<dyn Sink>> {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        self.iter_mut().try_for_each(|sink| sink.record(event))
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        // One full disk must not cost the others their last lines.
        let results: Vec<_> = self.iter_mut().map(|sink| sink.flush()).collect();
        results.into_iter().collect()
    }
}

/// A file or stream that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {cause}", path.display())]
pub struct SinkError {
    /// The file, or the name of the stream.
    pub path: PathBuf,
    /// What the operating system said.
    pub cause: io::Error,
}

impl SinkError {
    pub(crate) fn new(path: &Path, cause: impl Into<io::Error>) -> Self {
        Self { path: path.to_owned(), cause: cause.into() }
    }
}

/// The id of a task's environment; empty where the index is unknown, since a sink must not panic.
fn env_id(envs: &[String], task: usize) -> &str {
    envs.get(task).map_or("", String::as_str)
}
