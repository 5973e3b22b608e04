//! A `TensorBoard` event file, whose tags `runs/README.md` lists. The x axis is environment steps.
//!
//! It is written record by record: the crate's own `SummaryWriter` panics on a full disk and loses data on a name
//! collision. Only wall times and `charts/SPS` depend on the clock.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engram_agents::continual::Consolidation;
use engram_agents::params::{Layout, Owner};
use engram_envs::Frame;
use protobuf::{Message, RepeatedField};
use tensorboard_proto::api::Status;
use tensorboard_proto::event::{Event as Record, SessionLog, SessionLog_SessionStatus};
use tensorboard_proto::summary::{Summary, Summary_Value};
use tensorboard_rs::record_writer::RecordWriter;

use super::charts::charts;
use super::summary::{image, log_histogram, scalar, text};
use super::{Sink, SinkError, Start, env_id, hparams};
use crate::config::{self, Config};
use crate::event::{Episode, Event};
use crate::figure::{self, Png};
use crate::fisher_analysis::{overlap, shared};
use crate::metrics::{Metrics, PerformanceMatrix, Row};
use crate::snapshot::Snapshot;

/// How long events may stay in memory, so that a browser can follow a run.
const FLUSH_EVERY: Duration = Duration::from_secs(2);

/// The tags of what a run was set to and how it ended. Readers keep the first record of each, so that a fork must not
/// have those of the run that it comes from.
pub(crate) const OWN: [&str; 4] = [CONFIG, hparams::EXPERIMENT, hparams::SESSION_START, hparams::SESSION_END];
const CONFIG: &str = "config/text_summary";

/// Writes one `TensorBoard` event file.
pub struct TensorBoardSink {
    path: PathBuf,
    writer: RecordWriter<BufWriter<File>>,
    envs: Vec<String>,
    layout: Layout,
    layers: Vec<Layer>,
    phases: usize,
    /// Whether the end of the run is on record.
    ended: bool,
    flushed: Instant,
    /// Step and moment of the last rate that was written.
    rate_since: (u64, Instant),
}

/// A shared tensor of the network: where its importance is found.
struct Layer {
    tag: String,
    range: std::ops::Range<usize>,
}

impl TensorBoardSink {
    /// Creates the event file in the run directory `run`, for what happens after `step`.
    ///
    /// The resolved `config` becomes a text, and the settings of the HPARAMS page. A run that is gone on with gets a
    /// further file: it begins with the mark of a new session, at which readers drop what they have seen of later steps.
    pub fn new(run: &Path, config: &Config, layout: &Layout, start: Start, step: u64) -> Result<Self, SinkError> {
        let (path, file) = create(run)?;
        let layers = layout
            .entries()
            .iter()
            .filter(|entry| matches!(entry.owner, Owner::Shared))
            .map(|entry| Layer { tag: format!("method/importance/{}", entry.name), range: entry.range.clone() })
            .collect();
        let now = Instant::now();
        let mut sink = Self {
            path,
            writer: RecordWriter::new(BufWriter::new(file)),
            envs: config.curriculum.tasks.iter().map(|task| task.env.clone()).collect(),
            layout: layout.clone(),
            layers,
            phases: config.curriculum.phases.len(),
            ended: false,
            flushed: now,
            rate_since: (step, now),
        };
        let mut version = Record::new();
        version.set_file_version("brain.Event:2".into());
        sink.write(version)?;
        if start != Start::New {
            sink.session(step)?;
        }
        if !matches!(start, Start::Resumed { .. }) {
            for value in own(config).map_err(|cause| SinkError::new(&sink.path, cause))? {
                sink.summary(step, vec![value])?;
            }
        }
        sink.flush()?;
        Ok(sink)
    }

    /// Says on the HPARAMS page how the run ended, once.
    fn end(&mut self, step: u64, status: Status) -> Result<(), SinkError> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        let end = hparams::end(status).map_err(|cause| SinkError::new(&self.path, cause))?;
        self.summary(step, vec![end])
    }

    /// Marks the start of a session after `step`.
    fn session(&mut self, step: u64) -> Result<(), SinkError> {
        let mut session = SessionLog::new();
        session.set_status(SessionLog_SessionStatus::START);
        let mut record = Record::new();
        record.set_step(step as i64 + 1);
        record.set_session_log(session);
        self.write(record)
    }

    fn summary(&mut self, step: u64, values: Vec<Summary_Value>) -> Result<(), SinkError> {
        let mut summary = Summary::new();
        summary.set_value(RepeatedField::from_vec(values));
        let mut record = Record::new();
        record.set_step(step as i64);
        record.set_summary(summary);
        self.write(record)?;
        if self.flushed.elapsed() > FLUSH_EVERY { self.flush() } else { Ok(()) }
    }

    fn write(&mut self, mut record: Record) -> Result<(), SinkError> {
        record.set_wall_time(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64()));
        let bytes = record.write_to_bytes().map_err(|cause| SinkError::new(&self.path, io::Error::from(cause)))?;
        self.writer.write(&bytes).map_err(|cause| SinkError::new(&self.path, cause))
    }

    /// The part of a tag that names a task. `TensorBoard` groups on `/`, which an id may contain.
    fn task(&self, task: usize) -> String {
        format!("{task}_{}", env_id(&self.envs, task).replace('/', "-"))
    }

    fn episode(&mut self, episode: &Episode) -> Result<(), SinkError> {
        let task = self.task(episode.task);
        let values = vec![
            scalar("charts/episodic_return", episode.episode_return),
            scalar("charts/episodic_length", episode.length.into()),
            scalar(&format!("train/{task}/episodic_return"), episode.episode_return),
        ];
        self.summary(episode.step, values)
    }

    /// Environment steps a second since the last call.
    fn rate(&mut self, step: u64) -> f64 {
        let (since, moment) = self.rate_since;
        let rate = step.saturating_sub(since) as f64 / moment.elapsed().as_secs_f64().max(1e-9);
        self.rate_since = (step, Instant::now());
        rate
    }

    /// The picture in the middle: an episode's first one is alike at every step, and its last one may be after the end.
    fn recording(&mut self, step: u64, task: usize, frames: &[Frame]) -> Result<(), SinkError> {
        let Some(frame) = frames.get(frames.len() / 2) else { return Ok(()) };
        let png = Png::encode(frame.width as u32, frame.height as u32, &frame.rgb)
            .map_err(|cause| SinkError::new(&self.path, cause))?;
        let tag = format!("recordings/{}", self.task(task));
        self.summary(step, vec![image(&tag, png)])
    }

    fn importance(&mut self, step: u64, consolidation: &Consolidation) -> Result<(), SinkError> {
        let Some(importance) = &consolidation.importance else { return Ok(()) };
        let values = self
            .layers
            .iter()
            .filter_map(|layer| Some((layer, importance.get(layer.range.clone())?)))
            .map(|(layer, importance)| log_histogram(&layer.tag, importance))
            .collect();
        self.summary(step, values)
    }

    /// The overlap of a phase's importance with that of each earlier one, over all shared parameters.
    fn overlaps(&mut self, step: u64, phase: usize, consolidation: &Consolidation) -> Result<(), SinkError> {
        let Some(importance) = &consolidation.importance else { return Ok(()) };
        let new = shared(&self.layout, importance);
        let folder = self.path.with_file_name("consolidations");
        let mut old = vec![0.0; self.layout.len()];
        let mut values = Vec::new();
        for earlier in 0..phase {
            // The files are the memory, so that a run that is resumed has it, too. What is not there any more is left out.
            let Ok(snapshot) = Snapshot::open(&folder.join(format!("{earlier}.safetensors"))) else { continue };
            if snapshot.read(&self.layout, "importance/", &mut old).is_ok() {
                let overlap = overlap(&shared(&self.layout, &old), &new);
                values.extend(overlap.map(|overlap| scalar(&format!("method/overlap/{earlier}_{phase}"), overlap)));
            }
        }
        if values.is_empty() { Ok(()) } else { self.summary(step, values) }
    }

    fn row(&mut self, row: &Row, matrix: &PerformanceMatrix, metrics: &Metrics) -> Result<(), SinkError> {
        let png = figure::matrix::png(matrix, &self.envs)
            .map_err(|cause| SinkError::new(&self.path, io::Error::other(cause)))?;
        let mut values = vec![
            scalar("continual/average_performance", metrics.average_performance),
            image("continual/performance_matrix", png),
        ];
        for (name, metric) in [
            ("forgetting", metrics.forgetting),
            ("backward_transfer", metrics.backward_transfer),
            ("learning", metrics.learning),
            ("forward_transfer", metrics.forward_transfer),
        ] {
            values.extend(metric.map(|metric| scalar(&format!("continual/{name}"), metric)));
        }
        self.summary(row.step, values)?;
        // With the last row, and not when all is done: by then nothing more may change in the file.
        if row.trained.is_some_and(|trained| trained.phase + 1 == self.phases) {
            self.end(row.step, Status::STATUS_SUCCESS)?;
        }
        self.flush()
    }
}

impl Sink for TensorBoardSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::Episode(episode) => self.episode(episode),
            Event::Updated { step, update, epsilon, .. } => {
                let rate = self.rate(*step);
                let values = vec![
                    scalar("losses/td_loss", update.td_loss.into()),
                    scalar("losses/q_values", update.q_value.into()),
                    scalar("losses/penalty", update.penalty.into()),
                    scalar("losses/grad_norm", update.gradient_norm.into()),
                    scalar("losses/stiffness", update.stiffness.into()),
                    scalar("charts/learning_rate", update.learning_rate.into()),
                    scalar("charts/epsilon", (*epsilon).into()),
                    scalar("charts/SPS", rate),
                ];
                self.summary(*step, values)
            }
            Event::Evaluated { step, scores, .. } => {
                let mut values = Vec::with_capacity(2 * scores.len());
                for score in *scores {
                    let task = self.task(score.task);
                    values.push(scalar(&format!("eval/{task}/return"), score.mean));
                    values.push(scalar(&format!("eval/{task}/normalized"), score.normalized));
                }
                self.summary(*step, values)?;
                self.flush()
            }
            Event::Consolidated { step, phase, consolidation, .. } => {
                self.importance(*step, consolidation)?;
                self.overlaps(*step, *phase, consolidation)
            }
            Event::Recorded { step, task, frames } => self.recording(*step, *task, frames),
            Event::Row { row, matrix, metrics } => self.row(row, matrix, metrics),
            Event::Broken { step, failed } => {
                if *failed {
                    self.end(*step, Status::STATUS_FAILURE)?;
                }
                self.flush()
            }
            Event::Finished { .. } => self.flush(),
            Event::Stepped { .. }
            | Event::Resumed { .. }
            | Event::PhaseStarted { .. }
            | Event::Kept { .. }
            | Event::Warning { .. } => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.flushed = Instant::now();
        self.writer.flush().map_err(|cause| SinkError::new(&self.path, cause))
    }
}

/// What the run is set to, for the pages TEXT, CUSTOM SCALARS and HPARAMS.
fn own(config: &Config) -> io::Result<[Summary_Value; 4]> {
    let toml = config::to_toml(config).map_err(io::Error::other)?;
    Ok([
        text(CONFIG, format!("```toml\n{}\n```", toml.trim_end())),
        charts()?,
        hparams::experiment(config)?,
        hparams::start(config)?,
    ])
}

/// A new event file. Its name counts seconds; readers take files in the order of their names, so that it comes after all
/// that are there, whatever the clock says, and two processes that start in one second must not share it.
fn create(run: &Path) -> Result<(PathBuf, File), SinkError> {
    let seconds = |name: &str| name.strip_prefix("events.out.tfevents.")?.strip_suffix(".engram")?.parse::<u32>().ok();
    let names = std::fs::read_dir(run).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let latest = names.filter_map(|name| seconds(name.to_str()?)).max();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut seconds = latest.map_or(now, |latest| now.max(u64::from(latest) + 1));
    loop {
        let path = run.join(format!("events.out.tfevents.{seconds}.engram"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => seconds += 1,
            Err(cause) => return Err(SinkError::new(&path, cause)),
        }
    }
}

#[cfg(test)]
mod tests;
