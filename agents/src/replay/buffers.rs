//! The agent's replay memory: one buffer for all tasks, or one for each that is kept while others are played.

use serde::{Deserialize, Serialize};

use super::{Packing, Replay, ReplayConfig, ReplayState};
use crate::AgentError;

/// One buffer that the tasks share, or one for each task, made when the task is first played.
pub struct Buffers {
    config: ReplayConfig,
    observation_len: usize,
    packing: Packing,
    replays: Vec<Option<Replay>>,
}

/// What [`Buffers::save`] gives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuffersState<'a>(#[serde(borrow)] Vec<Option<ReplayState<'a>>>);

impl Buffers {
    /// No transitions yet, of `tasks` tasks.
    pub fn new(config: ReplayConfig, observation_len: usize, packing: Packing, tasks: usize) -> Self {
        let count = if config.per_task { tasks } else { 1 };
        Self { config, observation_len, packing, replays: (0..count).map(|_| None).collect() }
    }

    fn index(&self, task: usize) -> usize {
        if self.config.per_task { task } else { 0 }
    }

    /// The buffer that holds a task's transitions; None while nothing of it was stored.
    pub fn of(&self, task: usize) -> Option<&Replay> {
        self.replays.get(self.index(task))?.as_ref()
    }

    /// The buffer that takes a task's transitions.
    pub fn of_mut(&mut self, task: usize) -> &mut Replay {
        let (index, config) = (self.index(task), self.config);
        let (observation_len, packing) = (self.observation_len, self.packing);
        self.replays[index].get_or_insert_with(|| Replay::new(config, observation_len, packing))
    }

    /// The buffers that an update on these tasks draws from: those that hold anything, each once.
    pub fn drawn_from(&self, tasks: impl Iterator<Item = usize>) -> impl Iterator<Item = &Replay> {
        let tasks = tasks.take(self.replays.len());
        tasks.filter_map(|task| self.of(task)).filter(|replay| !replay.is_empty())
    }

    /// Keeps the last observation of every buffer: what is pushed next does not follow on it.
    pub fn end_episodes(&mut self) {
        self.replays.iter_mut().flatten().for_each(Replay::end_episode);
    }

    /// Forgets everything, unless each task has a buffer of its own: those are kept.
    pub fn clear_shared(&mut self) {
        if !self.config.per_task {
            self.replays.iter_mut().flatten().for_each(Replay::clear);
        }
    }

    /// Bytes that the buffers made so far occupy.
    pub fn bytes(&self) -> usize {
        self.replays.iter().flatten().map(Replay::bytes).sum()
    }

    /// Everything that they hold.
    pub fn save(&self) -> BuffersState<'_> {
        BuffersState(self.replays.iter().map(|replay| replay.as_ref().map(Replay::save)).collect())
    }

    /// Goes back to what [`Buffers::save`] gave; `actions` says how many are valid in each task.
    pub fn load(&mut self, state: &BuffersState<'_>, actions: &[usize]) -> Result<(), AgentError> {
        AgentError::unless_equal("replay buffers", state.0.len(), self.replays.len())?;
        for (own, saved) in self.replays.iter_mut().zip(&state.0) {
            *own = None;
            if let Some(saved) = saved {
                let mut replay = Replay::new(self.config, self.observation_len, self.packing);
                replay.load(saved, actions)?;
                *own = Some(replay);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Transition;

    fn buffers(per_task: bool) -> Buffers {
        Buffers::new(ReplayConfig { capacity: 10, per_task }, 1, Packing::Floats, 3)
    }

    fn push(buffers: &mut Buffers, task: usize) {
        let seen = [task as f32];
        let transition = Transition {
            observation: &seen,
            action: 0,
            reward: 0.0,
            discount: 1.0,
            next_observation: &seen,
            ended: true,
        };
        buffers.of_mut(task).push(task, transition);
    }

    #[test]
    fn a_buffer_a_task_is_made_when_it_is_played_and_kept() {
        let mut own = buffers(true);
        assert_eq!(own.bytes(), 0);
        push(&mut own, 1);
        let one = own.bytes();
        push(&mut own, 2);
        assert_eq!(own.bytes(), 2 * one, "memory grows with the tasks played");
        own.clear_shared();
        assert!(own.of(0).is_none() && own.of(1).is_some_and(|replay| replay.len() == 1));
        assert_eq!(own.drawn_from(0..3).count(), 2);
        let mut again = buffers(true);
        again.load(&own.save(), &[1, 1, 1]).unwrap();
        assert_eq!((again.bytes(), again.drawn_from(0..3).count()), (2 * one, 2));
    }

    #[test]
    fn a_shared_buffer_is_one_and_is_emptied() {
        let mut shared = buffers(false);
        push(&mut shared, 1);
        push(&mut shared, 2);
        assert_eq!(shared.of(0).map(Replay::len), Some(2));
        assert_eq!(shared.drawn_from(0..3).count(), 1, "counted once");
        shared.clear_shared();
        assert_eq!(shared.drawn_from(0..3).count(), 0);
    }
}
