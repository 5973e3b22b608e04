//! What `engram evaluate` finds out, as text, as JSON, and as a figure.

use std::{fmt, path::Path};

use serde::Serialize;

use super::{BadInput, table::table};
use crate::figure::{self, FigureError, Intervention, Interventions};

/// How runs play.
#[derive(Debug, Default, Serialize)]
pub(super) struct Evaluation {
    pub runs: Vec<Played>,
    /// The figure's file, where one was asked for.
    pub figure: Option<String>,
}

/// How a run's agent plays.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    pub run: String,
    pub tasks: Vec<Task>,
    /// Whether dead units were to be silenced, too.
    #[serde(skip)]
    pub silence_dead: bool,
}

/// How a task is played.
#[derive(Debug, Serialize)]
pub(super) struct Task {
    pub env: String,
    pub episodes: usize,
    pub mean_return: f64,
    /// The lower end of the 95 % interval of the mean over episodes.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    pub score: f64,
    /// The same with dead units silenced; None where the task has not ended or that was not asked for.
    pub silenced: Option<Silenced>,
}

/// How a task is played with dead units silenced.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Silenced {
    pub mean_return: f64,
    pub score: f64,
}

impl Evaluation {
    /// Refuses runs that one figure cannot show.
    pub fn check_tasks(&self) -> Result<(), BadInput> {
        let envs = |played: &Played| played.tasks.iter().map(|task| task.env.clone()).collect::<Vec<_>>();
        let Some((first, others)) = self.runs.split_first() else { return Ok(()) };
        match others.iter().find(|other| envs(other) != envs(first)) {
            Some(other) => {
                Err(BadInput(format!("{} has other tasks than {}; one figure shows one", other.run, first.run)))
            }
            None => Ok(()),
        }
    }

    /// Draws the scores without and with the silenced units.
    pub fn draw(&self, out: &Path) -> Result<(), FigureError> {
        let mut tasks: Vec<Intervention> = Vec::new();
        for played in &self.runs {
            for (index, task) in played.tasks.iter().enumerate() {
                if index == tasks.len() {
                    tasks.push(Intervention { env: task.env.clone(), scores: Vec::new() });
                }
                tasks[index].scores.extend(task.silenced.map(|silenced| (task.score, silenced.score)));
            }
        }
        let title = "Scores at the end, and with those units silenced that were dead on the task";
        let conditions = ["as left", "dead silenced"];
        figure::write_interventions(&Interventions { title, conditions, tasks: &tasks }, out)
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = if self.silence_dead { "score, dead units silenced" } else { "" };
        let mut rows = vec![["task", "episodes", "mean return [95 % interval]", "score", heading].map(str::to_owned)];
        for task in &self.tasks {
            let silenced = match task.silenced {
                Some(Silenced { mean_return, score }) => format!("{score:.2} (return {mean_return:.2})"),
                None if self.silence_dead => "n/a".into(),
                None => String::new(),
            };
            rows.push([
                task.env.clone(),
                task.episodes.to_string(),
                format!("{:.2} [{:.2}, {:.2}]", task.mean_return, task.low, task.high),
                format!("{:.2}", task.score),
                silenced,
            ]);
        }
        f.write_str(&table(&rows))
    }
}
