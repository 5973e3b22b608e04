//! The DQN agent: acts, remembers, learns, and hands each finished task to its method.

mod boundary;
mod state;
mod update;

pub use crate::config::{BoundaryConfig, DqnConfig, TaskSet};
pub use state::DqnState;
pub use update::Update;

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    continual::{self, Method, MethodConfig},
    loss::greedy,
    network::{self, DeviceKind, QNetwork},
    optimizer::Optimizer,
    replay::{Buffers, Replay, Transition},
};
use update::{Scratch, Window};

/// A phase as the agent sees it begin.
pub struct Phase {
    /// The task that is played; in a joint phase the one that is played first.
    pub task: usize,
    /// Whether all tasks are played in turns; see [`Dqn::switch`].
    pub joint: bool,
    /// How many steps it will take.
    pub steps: u64,
    /// Randomness of exploration.
    pub explore: Pcg64,
    /// Randomness of replay.
    pub replay: Pcg64,
    /// Randomness of the method.
    pub method: Pcg64,
}

impl Phase {
    /// A phase of one task; `stream` gives the randomness of each of these names.
    pub fn new(task: usize, steps: u64, stream: impl Fn(&'static str) -> Pcg64) -> Self {
        let (explore, replay, method) = (stream("explore"), stream("replay"), stream("method"));
        Self { task, joint: false, steps, explore, replay, method }
    }
}

/// The agent.
pub struct Dqn {
    config: DqnConfig,
    boundary: BoundaryConfig,
    method_config: MethodConfig,
    tasks: TaskSet,
    online: Box<dyn QNetwork>,
    target: Box<dyn QNetwork>,
    optimizer: Optimizer,
    replay: Buffers,
    method: Box<dyn Method>,
    phase: Option<PhaseState>,
    /// Steps spent on each task over all its phases: the timer of its exploration rate.
    steps_on_task: Vec<u64>,
    /// Where each task's exploration rate reaches its floor, fixed at its first phase.
    epsilon_steps: Vec<Option<u64>>,
    updates: u64,
    target_copies: u64,
    /// Steps since the target network was copied.
    target_age: u64,
    window: Window,
    scratch: Scratch,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct PhaseState {
    task: usize,
    joint: bool,
    steps: u64,
    step: u64,
    /// Updates so far, and copies into the target network since the first of them.
    updates: u64,
    copies: u64,
    /// Updates that the method still makes before the consolidation; None while the phase is played.
    compressing: Option<u64>,
    explore: Pcg64,
    replay: Pcg64,
    method: Pcg64,
}

impl Dqn {
    /// A new agent with freshly drawn parameters.
    pub fn new(
        config: &DqnConfig,
        boundary: BoundaryConfig,
        method: &MethodConfig,
        tasks: TaskSet,
        device: DeviceKind,
        generator: &mut Pcg64,
    ) -> Result<Self, AgentError> {
        let actions = tasks.actions.iter().copied().max().unwrap_or(1);
        let count = tasks.actions.len();
        let online = network::build(&config.network, tasks.input, actions, count, &device.open()?, generator)?;
        Ok(Self {
            target: online.duplicate()?,
            optimizer: Optimizer::new(config.optimizer, online.layout()),
            replay: Buffers::new(config.replay, tasks.input.len(), tasks.packing, count),
            method: continual::build(method, &tasks, online.as_ref())?,
            phase: None,
            steps_on_task: vec![0; count],
            epsilon_steps: vec![None; count],
            updates: 0,
            target_copies: 0,
            target_age: 0,
            window: Window::default(),
            scratch: Scratch::default(),
            config: config.clone(),
            boundary,
            method_config: method.clone(),
            tasks,
            online,
        })
    }

    /// The network that acts.
    pub fn network(&self) -> &dyn QNetwork {
        self.online.as_ref()
    }

    /// The network that acts, to load parameters into it.
    pub fn network_mut(&mut self) -> &mut dyn QNetwork {
        self.online.as_mut()
    }

    /// Begins with these parameters in place of the drawn ones, the target network, too.
    pub fn begin_from(&mut self, params: &[f32]) -> Result<(), AgentError> {
        self.online.params_mut().copy_from_slice(params);
        self.target.params_mut().copy_from_slice(params);
        // Some methods keep the parameters that the network began with.
        self.method = continual::build(&self.method_config, &self.tasks, self.online.as_ref())?;
        Ok(())
    }

    /// What it knows of its tasks.
    pub fn tasks(&self) -> &TaskSet {
        &self.tasks
    }

    /// The replay buffer of a task; None while nothing of it was stored.
    pub fn replay(&self, task: usize) -> Option<&Replay> {
        self.replay.of(task)
    }

    /// Bytes that the replay buffers made so far occupy.
    pub fn replay_bytes(&self) -> usize {
        self.replay.bytes()
    }

    /// The method.
    pub fn method(&self) -> &dyn Method {
        self.method.as_ref()
    }

    /// Copies made of the online network into the target network.
    pub fn target_copies(&self) -> u64 {
        self.target_copies
    }

    /// Updates of the phase so far, and copies into the target network since the first of them.
    pub fn updates_of_phase(&self) -> (u64, u64) {
        self.phase.as_ref().map_or((0, 0), |phase| (phase.updates, phase.copies))
    }

    /// In a joint phase, between two episodes: plays this task now.
    pub fn switch(&mut self, task: usize) {
        if let Some(phase) = &mut self.phase {
            phase.task = task;
        }
    }

    /// The exploration rate now: the task's own timer, which goes on when the task recurs.
    pub fn epsilon(&self) -> f32 {
        let Some(phase) = &self.phase else { return self.config.epsilon.initial };
        let decay_steps = self.epsilon_steps[phase.task].unwrap_or(0);
        self.config.epsilon.at(self.steps_on_task[phase.task], decay_steps)
    }

    /// Chooses an action epsilon-greedily among the task's valid ones.
    pub fn act(&mut self, observation: &[f32]) -> Result<usize, AgentError> {
        let epsilon = self.epsilon();
        let phase = self.phase.as_mut().ok_or(AgentError::NotBegun)?;
        let task = phase.task;
        if phase.explore.random::<f32>() < epsilon {
            return Ok(phase.explore.random_range(0..self.tasks.actions[task]));
        }
        self.greedy(observation, task)
    }

    /// The valid action of the greatest Q-value.
    pub fn greedy(&mut self, observation: &[f32], task: usize) -> Result<usize, AgentError> {
        self.scratch.q.resize(self.online.architecture().actions(), 0.0);
        self.online.infer(observation, task, &mut self.scratch.q)?;
        Ok(greedy(&self.scratch.q, self.tasks.actions[task]))
    }

    /// Remembers a step and, when it is due, learns and refreshes the target network.
    ///
    /// `transition.discount` is 0 where the episode terminated and 1 elsewhere; the agent's discount and what it makes of
    /// rewards are applied here. The target network is copied once it is `target_period` steps old, whether or not a
    /// phase ended meanwhile.
    pub fn learn(&mut self, transition: Transition<'_>) -> Result<(), AgentError> {
        let phase = self.phase.as_mut().ok_or(AgentError::NotBegun)?;
        let task = phase.task;
        phase.step += 1;
        let step = phase.step;
        self.steps_on_task[task] += 1;
        let reward = self.config.reward(transition.reward);
        let discount = transition.discount * self.config.discount;
        self.replay.of_mut(task).push(task, Transition { reward, discount, ..transition });
        if self.config.updates_at(step) {
            self.update()?;
        }
        self.target_age += 1;
        if self.target_age >= self.config.target_period {
            self.copy_target();
        }
        Ok(())
    }

    fn copy_target(&mut self) {
        self.target.params_mut().copy_from_slice(self.online.params());
        self.target_copies += 1;
        self.target_age = 0;
        if let Some(phase) = self.phase.as_mut().filter(|phase| phase.updates > 0) {
            phase.copies += 1;
        }
    }

    /// The parameters with which a task is played outside its own training, where they are not the network's.
    pub fn parameters_for(&self, task: usize) -> Option<Vec<f32>> {
        let current = self.phase.as_ref().map(|phase| phase.task);
        self.method.parameters_for(task, current, self.online.params())
    }

    /// Plays with the parameters that a task is played with, and goes back to the network's own.
    pub fn evaluated<T>(&mut self, task: usize, play: impl FnOnce(&mut Self) -> T) -> T {
        let Some(params) = self.parameters_for(task) else { return play(self) };
        let own = self.online.params().to_vec();
        self.online.params_mut().copy_from_slice(&params);
        let outcome = play(self);
        self.online.params_mut().copy_from_slice(&own);
        outcome
    }
}
