//! Four CSV files a run; `runs/README.md` explains their columns.
//!
//! They hold no clock, so that two runs of one configuration and seed write the same bytes. Floats are written in the
//! shortest form that reads back as the same number.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use engram_agents::dqn::Update;
use engram_envs::End;

use super::{Sink, SinkError, env_id};
use crate::event::{Episode, Event, Score};
use crate::metrics::{PerformanceMatrix, Row};

const EPISODES: [&str; 8] = ["step", "phase", "task", "env", "episode", "return", "length", "end"];
const UPDATES: [&str; 12] = [
    "step",
    "phase",
    "task",
    "env",
    "updates",
    "td_loss",
    "q_value",
    "penalty",
    "gradient_norm",
    "learning_rate",
    "stiffness",
    "epsilon",
];
const EVALUATIONS: [&str; 7] = ["step", "phase", "task", "env", "episodes", "mean_return", "normalized"];
const MATRIX: [&str; 8] = ["row", "step", "trained_phase", "trained_task", "task", "env", "mean_return", "normalized"];

/// Writes `episodes.csv`, `updates.csv`, `evaluations.csv` and `performance_matrix.csv`.
#[derive(Debug)]
pub struct CsvSink {
    envs: Vec<String>,
    episodes: Table,
    updates: Table,
    evaluations: Table,
    matrix: Table,
}

impl CsvSink {
    /// Creates the files in the run directory `run`, or goes on with those that are there; `envs` holds the environment id
    /// of each task.
    pub fn new(run: &Path, envs: &[String]) -> Result<Self, SinkError> {
        Ok(Self {
            envs: envs.to_vec(),
            episodes: Table::open(run.join("episodes.csv"), EPISODES)?,
            updates: Table::open(run.join("updates.csv"), UPDATES)?,
            evaluations: Table::open(run.join("evaluations.csv"), EVALUATIONS)?,
            matrix: Table::open(run.join("performance_matrix.csv"), MATRIX)?,
        })
    }

    fn episode(&mut self, episode: &Episode) -> Result<(), SinkError> {
        let end = match episode.end {
            End::Terminated => "terminated",
            End::Truncated => "truncated",
        };
        self.episodes.write([
            &episode.step.to_string(),
            &episode.phase.to_string(),
            &episode.task.to_string(),
            env_id(&self.envs, episode.task),
            &episode.episode.to_string(),
            &float(episode.episode_return),
            &episode.length.to_string(),
            end,
        ])
    }

    fn update(&mut self, at: (u64, usize, Option<usize>), update: &Update, epsilon: f32) -> Result<(), SinkError> {
        let (step, phase, task) = at;
        self.updates.write([
            &step.to_string(),
            &phase.to_string(),
            &named(task),
            task.map_or("", |task| env_id(&self.envs, task)),
            &update.updates.to_string(),
            &float(update.td_loss),
            &float(update.q_value),
            &float(update.penalty),
            &float(update.gradient_norm),
            &float(update.learning_rate),
            &float(update.stiffness),
            &float(epsilon),
        ])
    }

    fn evaluation(&mut self, step: u64, phase: usize, scores: &[Score]) -> Result<(), SinkError> {
        for score in scores {
            self.evaluations.write([
                &step.to_string(),
                &phase.to_string(),
                &score.task.to_string(),
                env_id(&self.envs, score.task),
                &score.returns.len().to_string(),
                &float(score.mean),
                &float(score.normalized),
            ])?;
        }
        Ok(())
    }

    fn row(&mut self, row: &Row, matrix: &PerformanceMatrix) -> Result<(), SinkError> {
        let index = matrix.rows.len().saturating_sub(1).to_string();
        let step = row.step.to_string();
        let (phase, trained) =
            row.trained.map_or_else(Default::default, |trained| (trained.phase.to_string(), named(trained.task)));
        for (task, (mean, normalized)) in row.returns.iter().zip(&row.normalized).enumerate() {
            self.matrix.write([
                &index,
                &step,
                &phase,
                &trained,
                &task.to_string(),
                env_id(&self.envs, task),
                &float(*mean),
                &float(*normalized),
            ])?;
        }
        Ok(())
    }
}

impl Sink for CsvSink {
    fn record(&mut self, event: &Event<'_>) -> Result<(), SinkError> {
        match event {
            Event::Episode(episode) => self.episode(episode),
            Event::Updated { step, phase, task, update, epsilon } => {
                self.update((*step, *phase, *task), update, *epsilon)
            }
            Event::Evaluated { step, phase, scores } => {
                self.evaluation(*step, *phase, scores)?;
                self.flush()
            }
            Event::Row { row, matrix, .. } => {
                self.row(row, matrix)?;
                self.flush()
            }
            Event::Broken { .. } | Event::Finished { .. } => self.flush(),
            Event::Stepped { .. }
            | Event::Resumed { .. }
            | Event::PhaseStarted { .. }
            | Event::Consolidated { .. }
            | Event::Kept { .. }
            | Event::Recorded { .. }
            | Event::Warning { .. } => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        for table in [&mut self.episodes, &mut self.updates, &mut self.evaluations, &mut self.matrix] {
            table.flush()?;
        }
        Ok(())
    }
}

/// One CSV file that remembers its name for error messages.
#[derive(Debug)]
struct Table {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl Table {
    fn open<const N: usize>(path: PathBuf, header: [&str; N]) -> Result<Self, SinkError> {
        let open = || {
            let file = File::options().create(true).append(true).open(&path)?;
            let begun = file.metadata()?.len() > 0;
            Ok((file, begun))
        };
        let (file, begun) = open().map_err(|cause: io::Error| SinkError::new(&path, cause))?;
        let mut table = Self { path, writer: csv::WriterBuilder::new().has_headers(false).from_writer(file) };
        if !begun {
            table.write(header)?;
            table.flush()?;
        }
        Ok(table)
    }

    fn write<const N: usize>(&mut self, record: [&str; N]) -> Result<(), SinkError> {
        self.writer.write_record(record).map_err(|cause| SinkError::new(&self.path, cause))
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.writer.flush().map_err(|cause| SinkError::new(&self.path, cause))
    }
}

/// The shortest decimal that reads back as `value`. Debug, unlike Display, does not write 1e-30 in thirty digits.
/// A task's index, or nothing where all are trained at once.
fn named(task: Option<usize>) -> String {
    task.map_or_else(String::new, |task| task.to_string())
}

fn float(value: impl Debug) -> String {
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::metrics::{Metrics, Trained};

    fn envs() -> Vec<String> {
        vec!["Catch".into(), "Odd, \"id\"".into()]
    }

    #[test]
    fn every_event_lands_in_its_file() {
        let run = tempfile::tempdir().unwrap();
        let mut sink = CsvSink::new(run.path(), &envs()).unwrap();
        let episode =
            Episode { step: 9, phase: 0, task: 1, episode: 0, episode_return: -0.1, length: 9, end: End::Truncated };
        let update = Update { td_loss: 1e-9, q_value: f32::NAN, updates: 10, ..Update::default() };
        let score = Score { task: 0, returns: vec![1.0, -1.0], mean: 0.0, normalized: 0.375 };
        let row = Row {
            step: 10,
            trained: Some(Trained { phase: 0, task: Some(1) }),
            returns: vec![0.5, 1.0 / 3.0],
            normalized: vec![0.25, 1.0],
        };
        let untrained = Row { step: 0, trained: None, ..row.clone() };
        let metrics = Metrics::default();
        let first = PerformanceMatrix { rows: vec![untrained.clone()] };
        let second = PerformanceMatrix { rows: vec![untrained.clone(), row.clone()] };
        for event in [
            Event::Row { row: &untrained, matrix: &first, metrics: &metrics },
            Event::Episode(episode),
            Event::Updated { step: 10, phase: 0, task: Some(1), update: &update, epsilon: 0.1 },
            Event::Evaluated { step: 10, phase: 0, scores: &[score] },
            Event::Row { row: &row, matrix: &second, metrics: &metrics },
        ] {
            sink.record(&event).unwrap();
        }

        // The sink is still open: what an evaluation or a row ends must be on disk already.
        let read = |name| fs::read_to_string(run.path().join(name)).unwrap();
        assert_eq!(
            read("episodes.csv"),
            "step,phase,task,env,episode,return,length,end\n9,0,1,\"Odd, \"\"id\"\"\",0,-0.1,9,truncated\n"
        );
        assert_eq!(
            read("updates.csv"),
            "step,phase,task,env,updates,td_loss,q_value,penalty,gradient_norm,learning_rate,stiffness,epsilon\n\
             10,0,1,\"Odd, \"\"id\"\"\",10,1e-9,NaN,0.0,0.0,0.0,0.0,0.1\n"
        );
        assert_eq!(
            read("evaluations.csv"),
            "step,phase,task,env,episodes,mean_return,normalized\n10,0,0,Catch,2,0.0,0.375\n"
        );
        assert_eq!(
            read("performance_matrix.csv"),
            "row,step,trained_phase,trained_task,task,env,mean_return,normalized\n\
             0,0,,,0,Catch,0.5,0.25\n\
             0,0,,,1,\"Odd, \"\"id\"\"\",0.3333333333333333,1.0\n\
             1,10,0,1,0,Catch,0.5,0.25\n\
             1,10,0,1,1,\"Odd, \"\"id\"\"\",0.3333333333333333,1.0\n"
        );
    }

    #[test]
    fn floats_read_back_as_themselves() {
        for value in [0.1, 1.0 / 3.0, 5e-324, f64::MAX, -0.0, f64::INFINITY] {
            assert_eq!(float(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }
        for value in [0.1_f32, f32::MIN_POSITIVE, 16_777_216.0] {
            assert_eq!(float(value).parse::<f32>().unwrap().to_bits(), value.to_bits());
        }
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_the_file() {
        let run = tempfile::tempdir().unwrap();
        let error = CsvSink::new(&run.path().join("gone"), &envs()).unwrap_err();
        assert!(error.to_string().contains("episodes.csv"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_and_not_a_panic() {
        let full = PathBuf::from("/dev/full");
        let error = Table::open(full, EPISODES).unwrap_err();
        assert_eq!(error.cause.kind(), std::io::ErrorKind::StorageFull);
    }
}
