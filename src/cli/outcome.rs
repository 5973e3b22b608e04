//! What `train`, `resume` and `fork` end with.

use std::{fmt, path::Path};

use serde::Serialize;

use super::shell;
use crate::{
    config::Config,
    figure::{FigureError, Run, matrix},
    metrics::{Metrics, PerformanceMatrix, Row},
    sink::status::{Bytes, Cost, State, Status},
    trainer::Trainer,
};

/// How far a run has come and how well its agent plays.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    run_directory: String,
    state: State,
    step: u64,
    total_steps: u64,
    preset: String,
    method: String,
    seed: u64,
    /// The environment id of each task.
    tasks: Vec<String>,
    /// The rows of the performance matrix.
    matrix: Vec<Row>,
    /// None before the first row.
    metrics: Option<Metrics>,
    cost: Cost,
}

impl Outcome {
    /// Of a run that this process has trained.
    pub fn of(trainer: &Trainer<'_>, config: &Config, run: &Path, state: State, cost: Cost) -> Self {
        Self {
            run_directory: run.display().to_string(),
            state,
            step: trainer.step(),
            total_steps: trainer.curriculum().total_steps(),
            preset: config.name.clone(),
            method: config.method.name.as_str().into(),
            seed: config.seed,
            tasks: trainer.curriculum().env_ids(),
            metrics: metrics(trainer.matrix()),
            matrix: trainer.matrix().rows.clone(),
            cost,
        }
    }

    /// Of a run that has finished before, as its files tell.
    pub fn read(run: &Path, status: &Status) -> Result<Self, FigureError> {
        let Run { envs, matrix, .. } = Run::read(run)?;
        Ok(Self {
            run_directory: run.display().to_string(),
            state: status.state,
            step: status.step,
            total_steps: status.total_steps,
            preset: status.preset.clone(),
            method: status.method.clone(),
            seed: status.seed,
            tasks: envs,
            metrics: metrics(&matrix),
            matrix: matrix.rows,
            cost: status.cost,
        })
    }
}

fn metrics(matrix: &PerformanceMatrix) -> Option<Metrics> {
    (!matrix.rows.is_empty()).then(|| Metrics::of(matrix))
}

/// The matrix, the metrics, the folder and the commands that come next.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metrics = self.metrics.unwrap_or_default();
        // Rounded first, so that a small negative number does not show as -0.000.
        let show = |value: Option<f64>| {
            value.map_or("n/a".into(), |value| format!("{:.3}", (value * 1e3).round() / 1e3 + 0.0))
        };
        let run = Path::new(&self.run_directory);
        let parent = run.parent().filter(|parent| !parent.as_os_str().is_empty());
        let (runs, folder) = (shell::quoted(parent.unwrap_or(Path::new("."))), shell::quoted(run));
        writeln!(f, "\nscore of each task (0 random, 1 learnt alone)")?;
        writeln!(f, "{}", matrix::text(&PerformanceMatrix { rows: self.matrix.clone() }, &self.tasks))?;
        writeln!(f, "average performance  {:.3}", metrics.average_performance)?;
        writeln!(f, "forgetting           {}", show(metrics.forgetting))?;
        writeln!(f, "backward transfer    {}", show(metrics.backward_transfer))?;
        let Cost { wall_seconds, consolidation_seconds, method_bytes, replay_bytes } = self.cost;
        writeln!(f, "kept by the method   {}, beside replay buffers of {}", Bytes(method_bytes), Bytes(replay_bytes))?;
        writeln!(
            f,
            "time                 {wall_seconds:.1} s, of which consolidations took {consolidation_seconds:.1} s"
        )?;
        writeln!(f, "run directory        {}\n", self.run_directory)?;
        writeln!(f, "next:\n  engram evaluate {folder}\n  engram figure {folder} --out curves.svg")?;
        writeln!(f, "  tensorboard --logdir {runs}")
    }
}
