//! `status.json`: where a run stands, for people and scripts.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{Sink, SinkError};
use crate::{config::Config, event::Event, metrics::Metrics, snapshot};

/// The content of `status.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Whether it runs, and how it ended.
    pub state: State,
    /// Environment steps so far.
    pub step: u64,
    /// Environment steps of the whole curriculum.
    pub total_steps: u64,
    /// The name in the config.
    pub preset: String,
    /// The method.
    pub method: String,
    /// The seed.
    pub seed: u64,
    /// See [`Metrics`]; null until the first evaluation.
    pub average_performance: Option<f64>,
    /// See [`Metrics`]; null before the second task.
    pub forgetting: Option<f64>,
    /// See [`Metrics`]; null before the second task.
    pub backward_transfer: Option<f64>,
    /// Seconds since the run began.
    pub wall_seconds: f64,
    /// Engram's version.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
}

/// Whether a run runs, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It runs, or was killed.
    Running,
    /// It reached its end.
    Finished,
    /// A signal stopped it.
    Stopped,
    /// It could not go on.
    Failed,
}

/// How often the file is renewed while nothing but steps happens.
const PERIOD: Duration = Duration::from_secs(2);

/// Keeps `status.json` up to date.
pub struct StatusSink {
    path: PathBuf,
    status: Status,
    started: Instant,
    written: Instant,
}

impl StatusSink {
    /// Writes the first status of a run.
    pub fn new(run: &Path, config: &Config, total_steps: u64) -> Result<Self, SinkError> {
        let status = Status {
            state: State::Running,
            step: 0,
            total_steps,
            preset: config.name.clone(),
            method: config.method.name.as_str().into(),
            seed: config.seed,
            average_performance: None,
            forgetting: None,
            backward_transfer: None,
            wall_seconds: 0.0,
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("ENGRAM_COMMIT").into(),
        };
        let now = Instant::now();
        let mut sink = Self { path: run.join("status.json"), status, started: now, written: now };
        sink.write()?;
        Ok(sink)
    }

    fn metrics(&mut self, metrics: &Metrics) {
        self.status.average_performance = Some(metrics.average_performance);
        self.status.forgetting = metrics.forgetting;
        self.status.backward_transfer = metrics.backward_transfer;
    }

    fn write(&mut self) -> Result<(), SinkError> {
        self.written = Instant::now();
        self.status.wall_seconds = self.started.elapsed().as_secs_f64();
        let text = serde_json::to_string_pretty(&self.status).map_err(|cause| SinkError::new(&self.path, cause))?;
        snapshot::replace(&self.path, format!("{text}\n").as_bytes()).map_err(|cause| SinkError::new(&self.path, cause))
    }
}

impl Sink for StatusSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::Stepped { step } => {
                self.status.step = *step;
                if self.written.elapsed() > PERIOD { self.write() } else { Ok(()) }
            }
            Event::Row { row, metrics, .. } => {
                self.status.step = row.step;
                self.metrics(metrics);
                self.write()
            }
            Event::Broken { step, failed } => {
                self.status.state = if *failed { State::Failed } else { State::Stopped };
                self.status.step = *step;
                self.write()
            }
            Event::Finished { step, metrics, .. } => {
                self.status.state = State::Finished;
                self.status.step = *step;
                self.metrics(metrics);
                self.write()
            }
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
