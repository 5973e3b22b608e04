//! Transitions of finished tasks, within a budget: what methods that rehearse remember.

use rand::{Rng, seq::SliceRandom};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    config::TaskSet,
    network::QNetwork,
    replay::{Batch, Frames, Packing, Replay},
};

/// Remembered transitions. The budget is shared among the finished tasks alike: with each one more, the shares of the
/// others shrink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Whether Q-values are remembered, too.
    values: bool,
    shares: Vec<Share>,
}

/// What is remembered of one task: `n` transitions, drawn from its replay at its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Share {
    task: usize,
    /// Observation `i` in slot `2i`, the next one in slot `2i + 1`.
    frames: Frames,
    actions: Vec<u32>,
    rewards: Vec<f32>,
    discounts: Vec<f32>,
    /// The Q-values at the task's end, `[n, actions of the network]`; empty where the method has no use for them.
    q: Vec<f32>,
}

/// States whose Q-values are asked for at once.
const CHUNK: usize = 256;

/// Where a remembered transition lies.
pub(super) type Slot = (usize, usize);

impl Memory {
    pub(super) fn new(values: bool) -> Self {
        Self { values, shares: Vec::new() }
    }

    /// How many transitions are remembered.
    pub fn len(&self) -> usize {
        self.shares.iter().map(|share| share.actions.len()).sum()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that they occupy.
    pub fn bytes(&self) -> usize {
        self.shares.iter().map(Share::bytes).sum()
    }

    /// Remembers a finished task, in place of what was remembered of it before: `budget / tasks` transitions drawn
    /// without replacement from its replay, and as many of each earlier task; with the network's Q-values now, if these are
    /// remembered.
    pub(super) fn remember(
        &mut self,
        budget: usize,
        task: usize,
        replay: &Replay,
        tasks: &TaskSet,
        network: &mut dyn QNetwork,
        generator: &mut Pcg64,
    ) -> Result<(), AgentError> {
        self.shares.retain(|share| share.task != task);
        let each = budget / (self.shares.len() + 1);
        self.shares.iter_mut().for_each(|share| share.keep(each));
        let mut slots: Vec<usize> = replay.slots_of(task).collect();
        slots.shuffle(generator);
        slots.truncate(each);
        let mut batch = Batch::default();
        replay.gather(&slots, &mut batch);
        let network = self.values.then_some(network);
        self.shares.push(Share::new(task, &batch, tasks, network)?);
        Ok(())
    }

    /// Draws `n` transitions uniformly, with replacement, sorted so that those of a task lie together. Nothing is drawn
    /// from an empty memory.
    pub(super) fn draw(&self, n: usize, generator: &mut Pcg64, slots: &mut Vec<Slot>) {
        slots.clear();
        let len = self.len();
        if len == 0 {
            return;
        }
        for _ in 0..n {
            let mut row = generator.random_range(0..len);
            for (index, share) in self.shares.iter().enumerate() {
                if row < share.actions.len() {
                    slots.push((index, row));
                    break;
                }
                row -= share.actions.len();
            }
        }
        slots.sort_unstable();
    }

    /// Copies drawn transitions of one task, and their Q-values where these are kept, in place of what was there; says
    /// which task it is.
    pub(super) fn gather(&self, slots: &[Slot], batch: &mut Batch, q: &mut Vec<f32>) -> usize {
        batch.clear();
        q.clear();
        let share = &self.shares[slots[0].0];
        for (_, row) in slots {
            share.frames.read(2 * row, 0, &mut batch.observations);
            share.frames.read(2 * row + 1, 0, &mut batch.next_observations);
            batch.actions.push(share.actions[*row] as usize);
            batch.rewards.push(share.rewards[*row]);
            batch.discounts.push(share.discounts[*row]);
            let columns = share.q.len() / share.actions.len();
            q.extend_from_slice(&share.q[row * columns..(row + 1) * columns]);
        }
        share.task
    }

    /// Refuses what was not remembered of these tasks by `like`'s method.
    pub(super) fn check(&self, like: &Self, tasks: &TaskSet) -> Result<(), AgentError> {
        let columns = tasks.actions.iter().copied().max().unwrap_or(0);
        let fits = |share: &Share| {
            let n = share.actions.len();
            let actions = tasks.actions.get(share.task).copied().unwrap_or(0);
            let wanted = if self.values { n * columns } else { 0 };
            share.actions.iter().all(|action| (*action as usize) < actions)
                && (share.rewards.len(), share.discounts.len(), share.q.len()) == (n, n, wanted)
                && share.frames.is_of(2 * n, tasks.input.len(), whole(tasks.packing))
        };
        if self.values == like.values && self.shares.iter().all(fits) {
            Ok(())
        } else {
            Err(AgentError::State("what it remembers is not of these tasks".into()))
        }
    }
}

/// A stack is remembered frame by frame, since its neighbours are not.
fn whole(packing: Packing) -> Packing {
    if let Packing::Stack { .. } = packing { Packing::Bytes } else { packing }
}

impl Share {
    fn new(
        task: usize,
        batch: &Batch,
        tasks: &TaskSet,
        network: Option<&mut dyn QNetwork>,
    ) -> Result<Self, AgentError> {
        let n = batch.len();
        let width = tasks.input.len();
        let mut frames = Frames::new(2 * n, width, whole(tasks.packing));
        for row in 0..n {
            frames.write(2 * row, &batch.observations[row * width..(row + 1) * width]);
            frames.write(2 * row + 1, &batch.next_observations[row * width..(row + 1) * width]);
        }
        let mut q = Vec::new();
        if let Some(network) = network {
            let columns = network.architecture().actions();
            q.resize(n * columns, 0.0);
            // A chunk at a time, as large as the network's own buffers become; none where the budget leaves no transition.
            let rows = batch.observations.chunks(CHUNK * width.max(1));
            for (observations, q) in rows.zip(q.chunks_mut(CHUNK * columns)) {
                network.infer(observations, task, q)?;
            }
        }
        let actions = batch.actions.iter().map(|action| *action as u32).collect();
        Ok(Self { task, frames, actions, rewards: batch.rewards.clone(), discounts: batch.discounts.clone(), q })
    }

    /// Keeps the first `n`: they were drawn in random order.
    fn keep(&mut self, n: usize) {
        let had = self.actions.len();
        if had > n {
            self.q.truncate(self.q.len() / had * n);
            self.actions.truncate(n);
            self.rewards.truncate(n);
            self.discounts.truncate(n);
            self.frames.truncate(2 * n);
        }
    }

    fn bytes(&self) -> usize {
        let floats = size_of_val(self.rewards.as_slice()) + size_of_val(self.discounts.as_slice());
        self.frames.bytes() + size_of_val(self.actions.as_slice()) + floats + size_of_val(self.q.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;

    use super::*;
    use crate::{
        network::{self, Conditioning, Input, NetworkConfig},
        replay::{ReplayConfig, Transition},
    };

    /// A network of three actions without hidden layers.
    fn network(width: usize) -> Box<dyn QNetwork> {
        let config = NetworkConfig { hidden: vec![], conditioning: Conditioning::None, ..NetworkConfig::default() };
        let (input, device) = (Input::Vector(width), candle_core::Device::Cpu);
        network::build(&config, input, 3, 2, &device, &mut Pcg64::seed_from_u64(8)).unwrap()
    }

    fn replay(task: usize, steps: usize) -> Replay {
        let mut replay = Replay::new(ReplayConfig { capacity: 2000, per_task: false }, 2, Packing::Floats);
        for step in 0..steps {
            let (seen, next) = ([step as f32, task as f32], [step as f32 + 0.5, task as f32]);
            let transition = Transition {
                observation: &seen,
                action: step % 2,
                reward: step as f32 * 10.0,
                discount: 0.9,
                next_observation: &next,
                ended: true,
            };
            replay.push(task, transition);
        }
        replay
    }

    fn remember(memory: &mut Memory, budget: usize, task: usize) {
        let mut generator = Pcg64::seed_from_u64(task as u64);
        let tasks = TaskSet { input: Input::Vector(2), packing: Packing::Floats, actions: vec![2; 3] };
        memory.remember(budget, task, &replay(task, 50), &tasks, network(2).as_mut(), &mut generator).unwrap();
    }

    #[test]
    fn the_budget_is_shared_among_tasks_and_kept() {
        let mut memory = Memory::new(false);
        for (task, lens) in [(0, vec![30]), (1, vec![15, 15]), (2, vec![10, 10, 10]), (1, vec![10, 10, 10])] {
            remember(&mut memory, 30, task);
            assert_eq!(memory.shares.iter().map(|share| share.actions.len()).collect::<Vec<_>>(), lens);
        }
        assert_eq!(
            memory.bytes(),
            30 * (2 * 2 * 4 + 4 + 4 + 4),
            "two observations of two numbers, action, reward, discount"
        );
    }

    #[test]
    fn what_is_drawn_went_in_whole_and_each_once() {
        let mut memory = Memory::new(false);
        remember(&mut memory, 40, 0);
        remember(&mut memory, 40, 1);
        let (mut slots, mut batch, mut q) = (Vec::new(), Batch::default(), Vec::new());
        memory.draw(4000, &mut Pcg64::seed_from_u64(9), &mut slots);
        let mut seen = BTreeSet::new();
        for slots in slots.chunk_by(|a, b| a.0 == b.0) {
            let task = memory.gather(slots, &mut batch, &mut q);
            assert!((1700..2300).contains(&batch.len()), "both tasks alike");
            for row in 0..batch.len() {
                let step = batch.observations[2 * row];
                seen.insert((task, step as usize));
                assert_eq!(batch.observations[2 * row + 1], task as f32);
                assert_eq!((batch.next_observations[2 * row], batch.rewards[row]), (step + 0.5, step * 10.0));
                assert_eq!(batch.actions[row], step as usize % 2);
            }
        }
        assert_eq!(seen.len(), 40, "without replacement, and every one is drawn in the end");
        memory.draw(3, &mut Pcg64::seed_from_u64(9), &mut slots);
        assert_eq!(slots.len(), 3);
        Memory::new(false).draw(3, &mut Pcg64::seed_from_u64(9), &mut slots);
        assert!(slots.is_empty());
    }

    /// Fails if the Q-values of one chunk of states are written over those of another.
    #[test]
    fn q_values_are_those_of_their_states_however_many() {
        let tasks = TaskSet { input: Input::Vector(2), packing: Packing::Floats, actions: vec![2; 3] };
        let (mut memory, mut network) = (Memory::new(true), network(2));
        let mut generator = Pcg64::seed_from_u64(3);
        memory.remember(2 * CHUNK + 9, 1, &replay(1, 800), &tasks, network.as_mut(), &mut generator).unwrap();
        let slots: Vec<Slot> = (0..memory.len()).map(|row| (0, row)).collect();
        let (mut batch, mut q) = (Batch::default(), Vec::new());
        memory.gather(&slots, &mut batch, &mut q);
        assert_eq!((batch.len(), q.len()), (2 * CHUNK + 9, 3 * (2 * CHUNK + 9)));
        for (observation, q) in batch.observations.chunks(2).zip(q.chunks(3)) {
            let mut own = [0.0; 3];
            network.infer(observation, 1, &mut own).unwrap();
            assert!(own.iter().zip(q).all(|(own, q)| (own - q).abs() < 1e-3), "{own:?} {q:?}");
        }
    }

    #[test]
    fn what_is_not_of_these_tasks_is_refused() {
        let mut memory = Memory::new(false);
        remember(&mut memory, 20, 1);
        let tasks = |actions, width| TaskSet { input: Input::Vector(width), packing: Packing::Floats, actions };
        let none = Memory::new(false);
        assert!(memory.check(&none, &tasks(vec![2, 2], 2)).is_ok());
        assert!(memory.check(&Memory::new(true), &tasks(vec![2, 2], 2)).is_err(), "a method that needs Q-values");
        assert!(memory.check(&none, &tasks(vec![2], 2)).is_err(), "no second task");
        assert!(memory.check(&none, &tasks(vec![2, 1], 2)).is_err(), "an action that is not there");
        assert!(memory.check(&none, &tasks(vec![2, 2], 3)).is_err(), "other observations");
        memory.shares[0].rewards.pop();
        assert!(memory.check(&none, &tasks(vec![2, 2], 2)).is_err(), "a reward is missing");
    }

    /// Episodes of nine steps, numbered by their rewards, and what was pushed; as the packing wants it.
    fn pushed(packing: Packing) -> (Replay, Vec<[Vec<f32>; 2]>) {
        let cell = |number: usize| match packing {
            Packing::Bits => f32::from(u8::from(number.is_multiple_of(3))),
            Packing::Bytes | Packing::Stack { .. } => f32::from((number * 37 % 256) as u8) / 255.0,
            Packing::Floats => (number as f32).sin(),
        };
        let mut replay = Replay::new(ReplayConfig { capacity: 100, per_task: false }, 4, packing);
        let mut pushed = Vec::new();
        for episode in 0..6 {
            let mut frames: Vec<f32> = (0..22).map(|number| cell(episode * 100 + number)).collect();
            // Before the first frame of an episode it stands itself.
            frames.copy_within(2..4, 0);
            for step in 0..9 {
                let [seen, next] = [2 * step, 2 * step + 2].map(|start| frames[start..start + 4].to_vec());
                let transition = Transition {
                    observation: &seen,
                    action: step % 3,
                    reward: pushed.len() as f32,
                    discount: 0.9,
                    next_observation: &next,
                    ended: step == 8,
                };
                replay.push(0, transition);
                pushed.push([seen, next]);
            }
        }
        (replay, pushed)
    }

    /// Fails if a stack is remembered by its newest frame alone, if observations and their followers are mixed up, or if
    /// Q-values part from their observations where a share shrinks.
    #[test]
    fn what_is_remembered_is_what_was_pushed_in_every_packing() {
        let packings =
            [(Packing::Bits, 8), (Packing::Bytes, 4), (Packing::Stack { frames: 2 }, 4), (Packing::Floats, 16)];
        for (packing, bytes) in packings {
            let (replay, pushed) = pushed(packing);
            let mut network = network(4);
            let mut memory = Memory::new(true);
            let tasks = TaskSet { input: Input::Vector(4), packing, actions: vec![3, 3] };
            for (each, task) in [(30, 0), (15, 1)] {
                // The second time the memory shrinks; nothing of the second task is there to be remembered.
                let mut generator = Pcg64::seed_from_u64(5);
                memory.remember(30, task, &replay, &tasks, network.as_mut(), &mut generator).unwrap();
                assert_eq!((memory.len(), memory.bytes()), (each, each * (2 * bytes + 3 * 4 + 3 * 4)), "{packing:?}");
                let (mut slots, mut batch, mut q) = (Vec::new(), Batch::default(), Vec::new());
                memory.draw(500, &mut generator, &mut slots);
                assert_eq!(memory.gather(&slots, &mut batch, &mut q), 0);
                let mut seen = BTreeSet::new();
                for row in 0..500 {
                    let number = batch.rewards[row] as usize;
                    let cells = 4 * row..4 * row + 4;
                    assert_eq!(batch.observations[cells.clone()], pushed[number][0], "{packing:?}");
                    assert_eq!(batch.next_observations[cells], pushed[number][1], "{packing:?}");
                    assert_eq!((batch.actions[row], batch.discounts[row]), (number % 9 % 3, 0.9));
                    let mut own = [0.0; 3];
                    network.infer(&pushed[number][0], 0, &mut own).unwrap();
                    let same = own.iter().zip(&q[3 * row..]).all(|(own, q)| (own - q).abs() < 1e-5);
                    assert!(same, "{packing:?}: {own:?} {:?}", &q[3 * row..3 * row + 3]);
                    seen.insert(number);
                }
                assert_eq!(seen.len(), each);
                memory.check(&memory, &tasks).unwrap();
            }
        }
    }
}
