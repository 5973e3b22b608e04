//! `Addition/{k}`: answer a digit plus a fixed addend.

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, Spec};
use crate::request::Request;

const DIGITS: usize = 10;
const MOST_TASKS: usize = 20;

/// Every answer a task can have.
#[rustfmt::skip]
const ANSWERS: [&str; DIGITS + MOST_TASKS] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14",
    "15", "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29",
];

/// Sums as a game of one step: it shows a digit and an addend and gives 1 for the right answer.
///
/// After the sums of `McCloskey` and Cohen (1989), who found catastrophic forgetting with them.
///
/// Task k (from 0) adds k + 1. The observation is the digit one-hot, then the addend one-hot unless `cue` is off.
/// A step after the end gives 0 and is [`End::Terminated`] again. Before the first reset the digit is 0.
///
/// The saved state: the digit, then 1 once the episode has ended, one byte each.
#[derive(Debug, Clone)]
pub struct Addition {
    spec: Spec,
    task: usize,
    cue: bool,
    digit: u8,
    over: bool,
}

impl Addition {
    /// Reads the task from the id.
    pub(crate) fn make(request: &Request<'_>) -> Result<Self, EnvError> {
        let tasks = request.integer("tasks", 1..=MOST_TASKS as i64)? as usize;
        let task = request.index(request.parameters, tasks).map_err(|error| match error {
            EnvError::Option { message, .. } => request.refuse(format!("{message} (option `tasks` is {tasks})")),
            other => other,
        })?;
        let cue = request.boolean("cue")?;
        let digits = (0..DIGITS).map(|digit| format!("digit {digit}"));
        let addends = (1..=tasks).filter(|_| cue).map(|addend| format!("addend {addend}"));
        let spec = Spec {
            id: request.id.into(),
            observation: ObservationSpace::Vector { components: digits.chain(addends).collect() },
            actions: ANSWERS[..DIGITS + tasks].iter().map(|&answer| answer.into()).collect(),
            step_limit: None,
            starts: Some(DIGITS as u32),
        };
        Ok(Self { spec, task, cue, digit: 0, over: false })
    }
}

impl Env for Addition {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.digit = chance.integer(0, DIGITS as i64) as u8;
        self.over = false;
        Ok(())
    }

    fn step(&mut self, action: usize, _chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        let right = !self.over && action == usize::from(self.digit) + 1 + self.task;
        self.over = true;
        Ok(Outcome { reward: if right { 1.0 } else { 0.0 }, end: Some(End::Terminated) })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        out.fill(0.0);
        out[usize::from(self.digit)] = 1.0;
        if self.cue {
            out[DIGITS + self.task] = 1.0;
        }
        Ok(())
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        Ok(vec![self.digit, self.over.into()])
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        match *state {
            [digit, over @ (0 | 1)] if usize::from(digit) < DIGITS => {
                (self.digit, self.over) = (digit, over == 1);
                Ok(())
            }
            [..] => Err(self.spec.bad_state("it is not a digit and a flag")),
        }
    }
}
