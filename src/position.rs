//! Where a run stands: everything in the training loop that decides its future, beside the agent and the environments.

use std::collections::BTreeSet;

use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{curriculum::Curriculum, error::TrainError, event::Episode, metrics::PerformanceMatrix};

/// The place in the curriculum.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Position {
    /// Environment steps so far.
    pub step: u64,
    /// The phase that is played; at the end, how many there are.
    pub phase: usize,
    /// What comes next.
    pub stage: Stage,
    /// The performance matrix so far.
    pub matrix: PerformanceMatrix,
    /// What the user was warned of in the phase that is played, so that each is told once.
    pub given: BTreeSet<Alarm>,
}

/// What a run can warn of while a phase is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Alarm {
    /// A task that is played again is explored as if it were new.
    ExploresAgain,
    /// The penalty of earlier tasks is zero.
    NoPenalty,
    /// The penalty is far above the task's own loss.
    Outweighed,
    /// Explicit steps of the penalty overshoot.
    Overshoots,
    /// The target network was copied at nearly every update.
    TargetFollows,
    /// The target network was not copied after any update.
    TargetStays,
}

/// What a run does next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Stage {
    /// Evaluate all tasks into a row of the performance matrix; then begin the phase, if there is one more.
    #[default]
    Boundary,
    /// Play the phase to its end.
    Play(Playing),
    /// Consolidate the phase's task.
    Consolidate,
    /// Nothing.
    Finished,
}

/// The place in a phase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Playing {
    /// Steps of the phase so far.
    pub played: u64,
    /// The step of the latest evaluation.
    pub evaluated: u64,
    /// The index of the episode that is played or comes next, and what it gave so far.
    pub episode: Episode,
    /// The randomness of the environment in the episode that is played; None between two episodes.
    pub chance: Option<Pcg64>,
    /// Steps of the phase so far by task.
    pub shares: Vec<u64>,
}

impl Playing {
    /// The task of the next episode of a joint phase: the first of those with the fewest steps.
    pub fn task_of_fewest_steps(&self) -> usize {
        (0..self.shares.len()).min_by_key(|task| self.shares[*task]).unwrap_or(0)
    }
}

impl Position {
    /// Refuses a position that cannot be one of this curriculum.
    pub fn check(&self, curriculum: &Curriculum) -> Result<(), TrainError> {
        let refuse = |message: String| Err(TrainError::Misfit(message));
        let phases = &curriculum.phases;
        let begun = phases.get(self.phase);
        let (played, rows) = match &self.stage {
            Stage::Boundary => (0, self.phase),
            Stage::Play(playing) => (playing.played, self.phase + 1),
            Stage::Consolidate => (begun.map_or(0, |phase| phase.steps), self.phase + 1),
            Stage::Finished => (0, self.phase + 1),
        };
        let in_phase = matches!(self.stage, Stage::Play(_) | Stage::Consolidate);
        if self.phase > phases.len() || in_phase && begun.is_none_or(|phase| played > phase.steps) {
            return refuse(format!("it is at step {played} of phase {}, which is not there", self.phase));
        }
        let earlier = phases[..self.phase].iter().map(|phase| phase.steps).sum::<u64>();
        if self.step != earlier + played {
            return refuse(format!("it is at step {}, and its phases end at other steps", self.step));
        }
        let tasks = curriculum.tasks.len();
        if let Stage::Play(Playing { episode, shares, .. }) = &self.stage {
            let of_phase = begun.is_some_and(|phase| phase.task.is_none_or(|task| task == episode.task));
            if shares.len() != tasks || episode.task >= tasks || !of_phase {
                return refuse(format!("it plays task {}, which is not the phase's", episode.task));
            }
        }
        let whole = |scores: &[f64]| scores.len() == tasks;
        if self.matrix.rows.len() != rows
            || !self.matrix.rows.iter().all(|row| whole(&row.returns) && whole(&row.normalized))
        {
            return refuse(format!("its performance matrix has not {rows} rows of {tasks} tasks"));
        }
        Ok(())
    }
}
