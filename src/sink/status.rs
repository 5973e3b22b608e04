//! `status.json`: where a run stands, for people and scripts.

use std::{
    fmt,
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
    /// What it has cost so far.
    #[serde(flatten)]
    pub cost: Cost,
    /// Engram's version.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// The processor's family and those of its features that decide how sums are rounded: runs are equal to the bit
    /// where this is.
    pub cpu: String,
}

/// Time and memory that a run has taken so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Seconds that it has run, over all processes that worked on it.
    pub wall_seconds: f64,
    /// Those of them spent on consolidations.
    pub consolidation_seconds: f64,
    /// Bytes that the method keeps beside the network, the target network and the optimizer; as of the last phase's end.
    pub method_bytes: u64,
    /// Bytes of the replay buffers, then.
    pub replay_bytes: u64,
}

/// A number of bytes for people, such as `1.2 MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            count @ 0..1000 => write!(f, "{count} bytes"),
            count @ 1000..1_000_000 => write!(f, "{:.1} kB", count as f64 / 1e3),
            count => write!(f, "{:.1} MB", count as f64 / 1e6),
        }
    }
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
    /// Seconds that the run had taken before this process went on with it.
    seconds_before: f64,
    written: Instant,
}

impl StatusSink {
    /// Writes the first status of a run, or of one that goes on and has cost something `before`.
    pub fn new(run: &Path, config: &Config, total_steps: u64, before: Cost) -> Result<Self, SinkError> {
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
            cost: before,
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("ENGRAM_COMMIT").into(),
            cpu: cpu(),
        };
        let now = Instant::now();
        let mut sink = Self {
            path: run.join("status.json"),
            status,
            started: now,
            seconds_before: before.wall_seconds,
            written: now,
        };
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
        self.status.cost.wall_seconds = self.seconds_before + self.started.elapsed().as_secs_f64();
        let text = serde_json::to_string_pretty(&self.status).map_err(|cause| SinkError::new(&self.path, cause))?;
        snapshot::replace(&self.path, format!("{text}\n").as_bytes()).map_err(|cause| SinkError::new(&self.path, cause))
    }
}

/// As [`Status::cpu`], such as `x86_64 avx2 fma`.
pub fn cpu() -> String {
    #[cfg(target_arch = "x86_64")]
    let features = [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let features: [(&str, bool); 0] = [];
    let present = features.iter().filter(|(_, present)| *present).map(|(name, _)| *name);
    std::iter::once(std::env::consts::ARCH).chain(present).collect::<Vec<_>>().join(" ")
}

/// A run that a defect of the program ended is not left as one that still runs.
impl Drop for StatusSink {
    fn drop(&mut self) {
        if std::thread::panicking() && self.status.state == State::Running {
            self.status.state = State::Failed;
            // There is no one left to tell.
            let _ = self.write();
        }
    }
}

impl Sink for StatusSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::Stepped { step } => {
                self.status.step = *step;
                if self.written.elapsed() > PERIOD { self.write() } else { Ok(()) }
            }
            Event::Resumed { step, matrix, .. } => {
                self.status.step = *step;
                if !matrix.rows.is_empty() {
                    self.metrics(&Metrics::of(matrix));
                }
                self.write()
            }
            Event::Row { row, metrics, .. } => {
                self.status.step = row.step;
                self.metrics(metrics);
                self.write()
            }
            Event::Kept { method_bytes, replay_bytes, seconds, .. } => {
                let cost = &mut self.status.cost;
                cost.consolidation_seconds += seconds;
                (cost.method_bytes, cost.replay_bytes) = (*method_bytes, *replay_bytes);
                Ok(())
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

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};

    use super::*;
    use crate::config::{Overrides, Source, load};

    fn read(run: &Path) -> Status {
        serde_json::from_slice(&std::fs::read(run.join("status.json")).unwrap()).unwrap()
    }

    #[test]
    fn a_run_that_a_defect_ended_has_failed() {
        let run = tempfile::tempdir().unwrap();
        let config = load(&Source::from("catch-3"), &Overrides::default()).unwrap();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| {
            let _sink = StatusSink::new(run.path(), &config, 9, Cost::default()).unwrap();
            assert_eq!(read(run.path()).state, State::Running);
            panic!("a defect");
        }));
        assert!(outcome.is_err());
        let status = read(run.path());
        assert_eq!(status.state, State::Failed);
        assert!(status.cpu.starts_with(std::env::consts::ARCH), "{}", status.cpu);
        drop(StatusSink::new(run.path(), &config, 9, Cost::default()).unwrap());
        assert_eq!(read(run.path()).state, State::Running);
    }
}
