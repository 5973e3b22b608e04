//! What a replay buffer holds, as it is written down.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Replay, Step};
use crate::AgentError;

/// What [`Replay::save`] gives and [`Replay::load`] takes: the slots that were ever written, and where the ring stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReplayState<'a> {
    head: usize,
    open: bool,
    past: usize,
    filled: usize,
    steps: Cow<'a, [Option<Step>]>,
    #[serde(borrow, with = "serde_bytes")]
    frames: Cow<'a, [u8]>,
}

impl Replay {
    /// Everything that it holds.
    pub fn save(&self) -> ReplayState<'_> {
        let slots = self.slots_written(self.filled);
        ReplayState {
            head: self.head,
            open: self.open,
            past: self.past,
            filled: self.filled,
            steps: self.steps[..slots].into(),
            frames: self.frames.bytes_of(slots).into(),
        }
    }

    /// Goes back to what [`Replay::save`] gave for a buffer of the same capacity and observations; `actions` says how many
    /// are valid in each task.
    pub fn load(&mut self, state: &ReplayState<'_>, actions: &[usize]) -> Result<(), AgentError> {
        let refuse = |what: &str| Err(AgentError::State(format!("its replay buffer {what}")));
        if state.filled > self.capacity || state.head >= self.capacity {
            return refuse("is larger than this one's capacity");
        }
        let slots = self.slots_written(state.filled);
        AgentError::unless_equal("slots in its replay buffer", state.steps.len(), slots)?;
        AgentError::unless_equal("bytes of observations", state.frames.len(), self.frames.bytes_of(slots).len())?;
        if state.head > state.filled || state.past > self.frames.reach() {
            return refuse("has its end where it cannot be");
        }
        let fits = |step: &Step| {
            actions.get(step.task as usize).is_some_and(|actions| (step.action as usize) < *actions)
                && step.past as usize <= self.frames.reach()
        };
        if !state.steps.iter().flatten().all(fits) {
            return refuse("has transitions of other tasks");
        }
        self.clear();
        self.steps[..slots].copy_from_slice(&state.steps);
        self.frames.set_bytes(&state.frames);
        self.transitions = self.steps.iter().flatten().count();
        (self.head, self.open, self.past, self.filled) = (state.head, state.open, state.past, state.filled);
        Ok(())
    }

    /// The slots ever written: those that were filled, and the next observation of the newest transition.
    fn slots_written(&self, filled: usize) -> usize {
        (filled + 1).min(self.capacity)
    }
}
