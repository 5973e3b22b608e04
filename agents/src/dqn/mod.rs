//! The DQN agent: acts, remembers, learns, and hands each finished task to its method.

mod config;
mod state;
mod td_gradient;
mod update;

pub use config::{BoundaryConfig, DqnConfig, TaskSet};
pub use state::DqnState;
pub use update::Update;

use rand::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{
    AgentError,
    continual::{self, Consolidation, Coupling, FinishedTask, Method, MethodConfig},
    dead_units,
    loss::greedy,
    network::{self, DeviceKind, QNetwork},
    optimizer::Optimizer,
    replay::{Replay, Transition},
};
use update::{Scratch, Window};

/// A phase as the agent sees it begin.
pub struct Phase {
    /// The task that is played.
    pub task: usize,
    /// How many steps it will take.
    pub steps: u64,
    /// Randomness of exploration.
    pub explore: Pcg64,
    /// Randomness of replay.
    pub replay: Pcg64,
}

/// Replayed states on which a unit must be silent to be called dead.
const DEAD_UNIT_STATES: usize = 1024;

/// The agent.
pub struct Dqn {
    config: DqnConfig,
    boundary: BoundaryConfig,
    coupling: Coupling,
    tasks: TaskSet,
    online: Box<dyn QNetwork>,
    target: Box<dyn QNetwork>,
    optimizer: Optimizer,
    replay: Replay,
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
    steps: u64,
    step: u64,
    explore: Pcg64,
    replay: Pcg64,
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
            replay: Replay::new(config.replay, tasks.input.len(), tasks.packing),
            method: continual::build(method),
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
            coupling: method.coupling,
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
    pub fn begin_from(&mut self, params: &[f32]) {
        self.online.params_mut().copy_from_slice(params);
        self.target.params_mut().copy_from_slice(params);
    }

    /// The replay buffer.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The method.
    pub fn method(&self) -> &dyn Method {
        self.method.as_ref()
    }

    /// Copies made of the online network into the target network.
    pub fn target_copies(&self) -> u64 {
        self.target_copies
    }

    /// Begins a phase. Between two phases the boundary's resets take place here, after the consolidation.
    pub fn begin(&mut self, phase: Phase) {
        if self.phase.is_some() {
            // The new phase starts an episode of its own, wherever the old one was.
            self.replay.end_episode();
            if self.boundary.reset_replay {
                self.replay.clear();
            }
            if self.boundary.reset_optimizer {
                self.optimizer.reset();
            }
            if self.boundary.sync_target {
                self.copy_target();
            }
        }
        let Phase { task, steps, explore, replay } = phase;
        self.epsilon_steps[task].get_or_insert(self.config.epsilon.decay_steps(steps));
        self.phase = Some(PhaseState { task, steps, step: 0, explore, replay });
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
        self.replay.push(task, Transition { reward, discount, ..transition });
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
    }

    /// Refuses parameters that are not finite. The loss of each update shows those of the update before it, so only the
    /// last one of a phase is left to look at.
    fn check_finite(&self) -> Result<(), AgentError> {
        match self.online.params().iter().find(|param| !param.is_finite()) {
            None => Ok(()),
            Some(value) => Err(AgentError::Diverged { quantity: "a parameter", value: *value, updates: self.updates }),
        }
    }

    /// Hands the task of the phase that has just ended to the method, and looks for dead units.
    pub fn consolidate(&mut self, generator: &mut Pcg64) -> Result<Option<Consolidation>, AgentError> {
        self.check_finite()?;
        let Some(phase) = &self.phase else { return Ok(None) };
        let fired = dead_units::fired(self.online.as_mut(), &self.replay, phase.task, DEAD_UNIT_STATES, generator)?;
        let finished = FinishedTask {
            task: phase.task,
            actions: self.tasks.actions[phase.task],
            network: self.online.as_mut(),
            replay: &self.replay,
            generator,
        };
        let consolidation = self.method.consolidate(finished)?;
        let dead = dead_units::count(self.online.architecture().hidden(), &fired);
        Ok(Some(Consolidation { fired, dead, ..consolidation }))
    }
}
