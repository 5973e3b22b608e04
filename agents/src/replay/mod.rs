//! The replay buffer: transitions packed to bits, bytes or floats in one ring, no tensor and no allocation per transition.
//! A stack of frames is kept as its newest frame and rebuilt from the slots before it.

mod batch;
mod buffers;
mod frames;
mod state;

pub use batch::Batch;
pub use buffers::{Buffers, BuffersState};
pub use frames::Packing;
pub use state::ReplayState;

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

pub(crate) use frames::Frames;

/// The replay buffer as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayConfig {
    /// Observations kept. Each is stored once; an episode of `T` steps takes `T + 1`.
    pub capacity: usize,
    /// Whether each task has a buffer of its own, kept while others are played (Kirkpatrick et al. 2017, Atari agent);
    /// memory then grows with the number of tasks. Else one buffer is shared.
    pub per_task: bool,
}

impl Default for ReplayConfig {
    fn default() -> Self {
        Self { capacity: 12_000, per_task: false }
    }
}

/// A step to remember.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition<'a> {
    /// What was seen.
    pub observation: &'a [f32],
    /// What was done.
    pub action: usize,
    /// What it gave.
    pub reward: f32,
    /// The factor of the bootstrap: 0 if the episode terminated in this step, else the discount.
    pub discount: f32,
    /// What was seen then; at an episode's end its true last observation, before any reset.
    pub next_observation: &'a [f32],
    /// Whether the episode ended in this step, either way.
    pub ended: bool,
}

/// A ring of observations in the order in which they were seen. The next observation of a transition is the following
/// slot; the last observation of an episode fills a slot without being a transition. A transition whose observation is a
/// stack is forgotten as soon as one of its frames is overwritten.
pub struct Replay {
    capacity: usize,
    frames: Frames,
    steps: Vec<Option<Step>>,
    head: usize,
    /// Whether the slot at `head` holds the next observation of the transition before it.
    open: bool,
    /// Observations of the same episode before the one at `head`, as many as a stack reaches back to.
    past: usize,
    filled: usize,
    transitions: usize,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Step {
    task: u32,
    action: u32,
    reward: f32,
    discount: f32,
    /// Slots before it that hold older frames of its observation.
    past: u32,
}

impl Replay {
    /// An empty buffer for observations of `observation_len` numbers. It has room for at least one transition.
    pub fn new(config: ReplayConfig, observation_len: usize, packing: Packing) -> Self {
        let capacity = config.capacity.max(packing.stacked() + 1);
        Self {
            capacity,
            frames: Frames::new(capacity, observation_len, packing),
            steps: vec![None; capacity],
            head: 0,
            open: false,
            past: 0,
            filled: 0,
            transitions: 0,
        }
    }

    /// Transitions that can be sampled.
    pub fn len(&self) -> usize {
        self.transitions
    }

    /// Whether nothing can be sampled.
    pub fn is_empty(&self) -> bool {
        self.transitions == 0
    }

    /// Bytes that the buffer occupies.
    pub fn bytes(&self) -> usize {
        self.frames.bytes() + size_of_val(self.steps.as_slice())
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.steps.fill(None);
        (self.head, self.open, self.past, self.filled, self.transitions) = (0, false, 0, 0, 0);
    }

    /// Stores a transition of `task`, over the oldest ones if the buffer is full.
    pub fn push(&mut self, task: usize, transition: Transition<'_>) {
        let next = (self.head + 1) % self.capacity;
        self.frames.write(self.head, transition.observation);
        self.frames.write(next, transition.next_observation);
        let Transition { action, reward, discount, .. } = transition;
        let past = self.past as u32;
        self.set_step(self.head, Some(Step { task: task as u32, action: action as u32, reward, discount, past }));
        self.set_step(next, None);
        for ahead in 1..=self.frames.reach() {
            let slot = (next + ahead) % self.capacity;
            if self.steps[slot].is_some_and(|step| step.past as usize >= ahead) {
                self.set_step(slot, None);
            }
        }
        self.filled = self.filled.max(self.head + 1);
        (self.head, self.open, self.past) = (next, true, self.older(self.past));
        if transition.ended {
            self.end_episode();
        }
    }

    /// Keeps the last observation: what is pushed next does not follow on it.
    pub fn end_episode(&mut self) {
        if self.open {
            self.filled = self.filled.max(self.head + 1);
            (self.head, self.open, self.past) = ((self.head + 1) % self.capacity, false, 0);
        }
    }

    /// The older frames of the observation that follows on one with `past` of them.
    fn older(&self, past: usize) -> usize {
        (past + 1).min(self.frames.reach())
    }

    fn set_step(&mut self, slot: usize, step: Option<Step>) {
        self.transitions -= usize::from(self.steps[slot].is_some());
        self.transitions += usize::from(step.is_some());
        self.steps[slot] = step;
    }

    /// Draws `n` slots of transitions uniformly, with replacement, into `slots`, sorted by task so that each task's lie
    /// together. With `task`, only its transitions are drawn. The buffer must hold one.
    pub fn draw(&self, n: usize, task: Option<usize>, generator: &mut Pcg64, slots: &mut Vec<usize>) {
        slots.clear();
        while slots.len() < n {
            let slot = generator.random_range(0..self.filled);
            if self.task(slot).is_some_and(|own| task.is_none_or(|wanted| wanted == own)) {
                slots.push(slot);
            }
        }
        slots.sort_by_key(|slot| self.task(*slot));
    }

    /// The task of the transition in a slot.
    pub fn task(&self, slot: usize) -> Option<usize> {
        self.steps[slot].map(|step| step.task as usize)
    }

    /// The slots of the transitions of `task`.
    pub fn slots_of(&self, task: usize) -> impl Iterator<Item = usize> {
        (0..self.filled).filter(move |slot| self.task(*slot) == Some(task))
    }

    /// Whether any transition of `task` is held.
    pub fn holds(&self, task: usize) -> bool {
        self.slots_of(task).next().is_some()
    }

    /// Copies the transitions in `slots` into `batch`, in place of what it held.
    pub fn gather(&self, slots: &[usize], batch: &mut Batch) {
        batch.clear();
        for slot in slots {
            let Some(step) = self.steps[*slot] else { continue };
            let past = step.past as usize;
            self.frames.read(*slot, past, &mut batch.observations);
            self.frames.read((slot + 1) % self.capacity, self.older(past), &mut batch.next_observations);
            batch.actions.push(step.action as usize);
            batch.rewards.push(step.reward);
            batch.discounts.push(step.discount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn config(capacity: usize) -> ReplayConfig {
        ReplayConfig { capacity, per_task: false }
    }

    /// An environment that counts: the observation is the number of steps so far, episodes have `length` steps.
    fn count(replay: &mut Replay, steps: usize, length: usize) {
        for step in 0..steps {
            let seen = (step % length) as f32;
            let ended = (step + 1) % length == 0;
            replay.push(
                step / length % 2,
                Transition {
                    observation: &[seen, -seen],
                    action: step % 3,
                    reward: seen * 10.0,
                    discount: if ended { 0.0 } else { 0.9 },
                    next_observation: &[seen + 1.0, -seen - 1.0],
                    ended,
                },
            );
        }
    }

    fn everything(replay: &Replay) -> Batch {
        let slots: Vec<usize> = (0..replay.capacity).filter(|slot| replay.task(*slot).is_some()).collect();
        let mut batch = Batch::default();
        replay.gather(&slots, &mut batch);
        batch
    }

    /// P15. Fails if `next_observation` is taken after the reset, or if a slot is overwritten while still needed.
    #[test]
    fn p15_the_next_observation_is_the_one_before_the_reset() {
        for (capacity, steps, length) in [(100, 50, 7), (20, 500, 7), (13, 300, 1), (16, 999, 15), (8, 100, 50)] {
            let mut replay = Replay::new(config(capacity), 2, Packing::Floats);
            count(&mut replay, steps, length);
            let batch = everything(&replay);
            assert_eq!(batch.len(), replay.len());
            assert!(replay.len() + 2 + steps.min(capacity) / length >= steps.min(capacity - 1));
            for row in 0..batch.len() {
                assert_eq!(batch.next_observations[2 * row], batch.observations[2 * row] + 1.0);
                assert_eq!(batch.rewards[row], batch.observations[2 * row] * 10.0);
                let last = batch.next_observations[2 * row] == length as f32;
                assert_eq!(batch.discounts[row] == 0.0, last);
            }
        }
    }

    /// P15. Fails if an episode that a phase's end cut off is taken to go on in the next phase.
    #[test]
    fn p15_an_episode_that_was_cut_off_keeps_its_last_observation() {
        let mut replay = Replay::new(config(30), 2, Packing::Floats);
        count(&mut replay, 5, 7);
        replay.end_episode();
        count(&mut replay, 5, 7);
        let batch = everything(&replay);
        assert_eq!(batch.len(), 10);
        assert!((0..10).all(|row| batch.next_observations[2 * row] == batch.observations[2 * row] + 1.0));
    }

    #[test]
    fn a_hundred_thousand_minatar_frames_take_fewer_than_18_megabytes() {
        assert!(Replay::new(config(100_000), 1000, Packing::Bits).bytes() < 18_000_000);
    }

    #[test]
    fn draws_are_uniform_over_transitions_and_reproducible() {
        let mut replay = Replay::new(config(40), 2, Packing::Floats);
        count(&mut replay, 30, 3);
        let mut slots = Vec::new();
        replay.draw(30_000, None, &mut Pcg64::seed_from_u64(1), &mut slots);
        let mut counts = std::collections::BTreeMap::new();
        for slot in &slots {
            *counts.entry(*slot).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 30);
        assert!(counts.values().all(|n| (850..1150).contains(n)), "{counts:?}");
        let mut again = Vec::new();
        replay.draw(30_000, None, &mut Pcg64::seed_from_u64(1), &mut again);
        assert_eq!(slots, again);
    }

    /// P16. Fails if `draw` ignores its task.
    #[test]
    fn p16_a_draw_for_one_task_holds_no_other() {
        let mut replay = Replay::new(config(40), 2, Packing::Floats);
        count(&mut replay, 30, 3);
        let mut slots = Vec::new();
        replay.draw(100, Some(1), &mut Pcg64::seed_from_u64(1), &mut slots);
        assert!(slots.iter().all(|slot| replay.task(*slot) == Some(1)));
        replay.draw(100, None, &mut Pcg64::seed_from_u64(1), &mut slots);
        assert!(slots.is_sorted_by_key(|slot| replay.task(*slot)));
        assert!(replay.holds(1) && !replay.holds(2));
        replay.clear();
        assert!(replay.is_empty() && !replay.holds(1));
    }

    /// Episodes of random lengths as stacks of three frames, against a list that forgets nothing: what the buffer holds
    /// is what went in, bit for bit, and all of it that the ring still has room for.
    #[test]
    fn stacks_are_rebuilt_from_their_frames() {
        const FRAMES: usize = 3;
        let mut generator = Pcg64::seed_from_u64(5);
        for capacity in [4, 5, 7, 11, 64] {
            let mut replay = Replay::new(config(capacity), 2 * FRAMES, Packing::Stack { frames: FRAMES });
            let mut pushed: Vec<(Vec<f32>, Vec<f32>)> = Vec::new();
            let mut slots_taken = Vec::new();
            let mut slot = 0;
            for _ in 0..60 {
                let mut frame = || [0, 1].map(|_| f32::from(generator.random::<u8>()) / 255.0);
                let mut stack = frame().repeat(FRAMES);
                let length = 1 + stack[0].to_bits() as usize % 6;
                for step in 0..length {
                    let next: Vec<f32> = stack[2..].iter().copied().chain(frame()).collect();
                    let ended = step + 1 == length && length.is_multiple_of(2);
                    replay.push(
                        0,
                        Transition {
                            observation: &stack,
                            action: pushed.len(),
                            reward: 0.0,
                            discount: 1.0,
                            next_observation: &next,
                            ended,
                        },
                    );
                    pushed.push((stack, next.clone()));
                    // The first slot that it needs, counted without wrapping.
                    slots_taken.push(slot - step.min(FRAMES - 1));
                    slot += 1;
                    stack = next;
                    let batch = everything(&replay);
                    let whole = slots_taken.iter().filter(|first| slot - **first < capacity).count();
                    assert_eq!((replay.len(), batch.len()), (whole, whole), "capacity {capacity}");
                    for (row, action) in batch.actions.iter().enumerate() {
                        let range = row * 2 * FRAMES..(row + 1) * 2 * FRAMES;
                        assert_eq!(batch.observations[range.clone()], pushed[*action].0);
                        assert_eq!(batch.next_observations[range], pushed[*action].1);
                    }
                }
                replay.end_episode();
                slot += 1;
            }
        }
    }
}
