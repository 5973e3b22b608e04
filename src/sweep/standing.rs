//! Where the runs of a sweep stand.

use std::{fs, io, path::Path};

use super::{LOG, Sweep};
use crate::sink::status::{State, Status};

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// What it was doing when that was written down last; None if it has not begun.
    pub state: Option<State>,
    /// Environment steps so far.
    pub step: u64,
    /// Seconds that it has been trained.
    pub seconds: f64,
    /// Its average performance so far.
    pub average_performance: Option<f64>,
}

impl Standing {
    /// Reads where the run in the directory `run` stands.
    pub fn of(run: &Path) -> Self {
        let text = match fs::read(run.join("status.json")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // It may have broken before its first status.
                let broke = last_line(run).is_some_and(|line| line.starts_with("error: "));
                return Self { state: broke.then_some(State::Failed), ..Self::default() };
            }
            text => text.unwrap_or_default(),
        };
        match serde_json::from_slice::<Status>(&text) {
            Ok(status) => Self {
                state: Some(status.state),
                step: status.step,
                seconds: status.cost.wall_seconds,
                average_performance: status.average_performance,
            },
            // Resuming it says what is wrong.
            Err(_) => Self { state: Some(State::Failed), ..Self::default() },
        }
    }

    /// Whether there is nothing more to train.
    pub fn is_finished(&self) -> bool {
        self.state == Some(State::Finished)
    }
}

impl Sweep {
    /// Where each run stands, in the order of the runs.
    pub fn standings(&self) -> Vec<Standing> {
        (0..self.runs.len()).map(|index| Standing::of(&self.run(index))).collect()
    }
}

/// How many runs stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// All of them.
    pub runs: usize,
    /// Those at their end.
    pub finished: usize,
    /// Those that could not go on.
    pub failed: usize,
    /// Those that are trained, or were when their process was killed.
    pub running: usize,
    /// Those that were stopped in order.
    pub stopped: usize,
    /// Those that have not begun.
    pub new: usize,
    /// Environment steps so far, of all runs.
    pub step: u64,
    /// Environment steps of all runs.
    pub total_steps: u64,
}

impl Summary {
    /// Counts the runs of a sweep.
    pub fn new(sweep: &Sweep, standings: &[Standing]) -> Self {
        let mut summary = Self { runs: sweep.runs.len(), ..Self::default() };
        for (entry, standing) in sweep.runs.iter().zip(standings) {
            let count = match standing.state {
                None => &mut summary.new,
                Some(State::Running) => &mut summary.running,
                Some(State::Stopped) => &mut summary.stopped,
                Some(State::Failed) => &mut summary.failed,
                Some(State::Finished) => &mut summary.finished,
            };
            *count += 1;
            summary.step += standing.step;
            summary.total_steps += entry.steps;
        }
        summary
    }
}

/// The last line that a run has said, if it has said any.
pub fn last_line(run: &Path) -> Option<String> {
    last_line_after(run, 0)
}

/// The last line of what a run has said after so many bytes.
pub fn last_line_after(run: &Path, bytes: u64) -> Option<String> {
    let log = fs::read(run.join(LOG)).ok()?;
    let text = String::from_utf8_lossy(log.get(bytes as usize..)?).into_owned();
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_a_status_has_not_begun_and_a_damaged_one_has_failed() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(Standing::of(run.path()), Standing::default());
        fs::write(run.path().join("status.json"), "{ \"state\": ").unwrap();
        assert_eq!(Standing::of(run.path()).state, Some(State::Failed));
    }

    #[test]
    fn the_last_line_is_the_last_that_says_something() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(last_line(run.path()), None);
        fs::write(run.path().join(LOG), "first\nerror: it broke\n\n").unwrap();
        assert_eq!(last_line(run.path()).unwrap(), "error: it broke");
        assert_eq!(last_line_after(run.path(), 6).unwrap(), "error: it broke");
        assert_eq!((last_line_after(run.path(), 22), last_line_after(run.path(), 99)), (None, None));
        assert_eq!(Standing::of(run.path()).state, Some(State::Failed), "it broke before its first status");
    }
}
