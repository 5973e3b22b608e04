//! The DQN agent: acts, remembers, learns, and hands each finished task to its method.

mod config;
mod td_gradient;

pub use config::{BoundaryConfig, DqnConfig, TaskSet};

use rand::Rng;
use rand_pcg::Pcg64;

use crate::{
    AgentError,
    continual::{self, Consolidation, Coupling, FinishedTask, Method, MethodConfig},
    dead_units,
    loss::greedy,
    network::{self, DeviceKind, QNetwork},
    optimizer::{Optimizer, OptimizerConfig},
    replay::{Batch, Packing, Replay, Transition},
};
use td_gradient::TdGradient;

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

/// Means over the updates since the last report; penalty, rate and stiffness as they are now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Update {
    /// Mean temporal-difference loss.
    pub td_loss: f32,
    /// Mean `Q(s, a)` of the sampled transitions.
    pub q_value: f32,
    /// Mean norm of the task's gradient before clipping.
    pub gradient_norm: f32,
    /// The penalty.
    pub penalty: f32,
    /// The learning rate.
    pub learning_rate: f32,
    /// The greatest `eta lambda F` of the penalty.
    pub stiffness: f32,
    /// How many updates the means are over.
    pub updates: u64,
}

/// A TD loss above this is taken for divergence: no sensible reward scale comes near.
const DIVERGED: f32 = 1e6;

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
    window: Window,
    scratch: Scratch,
}

struct PhaseState {
    task: usize,
    steps: u64,
    step: u64,
    explore: Pcg64,
    replay: Pcg64,
}

/// Sums since the last report.
#[derive(Default)]
struct Window {
    td_loss: f64,
    q_value: f64,
    gradient_norm: f64,
    updates: u64,
}

/// Buffers that an update writes into, kept so that it allocates nothing of its own.
#[derive(Default)]
struct Scratch {
    slots: Vec<usize>,
    batch: Batch,
    next: Vec<f32>,
    selector: Vec<f32>,
    gradient: Vec<f32>,
    q: Vec<f32>,
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
        let packing = if tasks.binary { Packing::Bits } else { Packing::Floats };
        Ok(Self {
            target: online.duplicate()?,
            optimizer: Optimizer::new(config.optimizer, online.layout().len()),
            replay: Replay::new(config.replay, tasks.input.len(), packing),
            method: continual::build(method),
            phase: None,
            steps_on_task: vec![0; count],
            epsilon_steps: vec![None; count],
            updates: 0,
            target_copies: 0,
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
        let Some(phase) = &mut self.phase else { return Err(AgentError::NotBegun) };
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
    /// `transition.discount` is 0 where the episode terminated and 1 elsewhere; the agent's discount and reward scale
    /// are applied here.
    pub fn learn(&mut self, transition: Transition<'_>) -> Result<(), AgentError> {
        let Some(phase) = &mut self.phase else { return Err(AgentError::NotBegun) };
        let task = phase.task;
        phase.step += 1;
        let step = phase.step;
        self.steps_on_task[task] += 1;
        let reward = transition.reward * self.config.reward_scale;
        let discount = transition.discount * self.config.discount;
        self.replay.push(task, Transition { reward, discount, ..transition });
        if step >= self.config.warmup_steps && step.is_multiple_of(self.config.train_period) {
            self.update()?;
        }
        if step.is_multiple_of(self.config.target_period) {
            self.copy_target();
        }
        Ok(())
    }

    fn copy_target(&mut self) {
        self.target.params_mut().copy_from_slice(self.online.params());
        self.target_copies += 1;
    }

    /// One update, in this order: gradient of the TD loss, clipping, optimizer step, proximal step of the penalty.
    fn update(&mut self) -> Result<(), AgentError> {
        let Some(phase) = &mut self.phase else { return Err(AgentError::NotBegun) };
        let scratch = &mut self.scratch;
        self.replay.draw(self.config.batch_size, None, &mut phase.replay, &mut scratch.slots);
        scratch.gradient.clear();
        scratch.gradient.resize(self.online.layout().len(), 0.0);

        let mut trained = Vec::new();
        let (mut loss, mut q_value) = (0.0, 0.0);
        for slots in scratch.slots.chunk_by(|a, b| self.replay.task(*a) == self.replay.task(*b)) {
            let task = self.replay.task(slots[0]).unwrap_or(phase.task);
            self.replay.gather(slots, &mut scratch.batch);
            let td = TdGradient { config: &self.config, batch: &scratch.batch, actions: self.tasks.actions[task] };
            let (networks, buffers) =
                ((&mut self.online, &mut self.target), (&mut scratch.next, &mut scratch.selector));
            let sums = td.add_to(&mut scratch.gradient, task, networks, buffers)?;
            loss += sums.0 / self.config.batch_size as f32;
            q_value += sums.1 / self.config.batch_size as f32;
            trained.push(task);
        }
        self.updates += 1;
        let norm = scratch.gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt() as f32;
        let diverged = |quantity, value| Err(AgentError::Diverged { quantity, value, updates: self.updates });
        if !loss.is_finite() || loss > DIVERGED {
            return diverged("the TD loss", loss);
        }
        if !norm.is_finite() {
            return diverged("the gradient's norm", norm);
        }
        let limit = self.config.max_gradient_norm;
        if limit > 0.0 && norm > limit {
            scratch.gradient.iter_mut().for_each(|g| *g *= limit / norm);
        }

        let quadratic = self.method.quadratic();
        if let (Coupling::Loss, Some(quadratic)) = (self.coupling, quadratic) {
            quadratic.add_gradient(self.online.params(), &mut scratch.gradient);
        }
        let proximal = quadratic.filter(|_| self.coupling == Coupling::Proximal);
        let rate = learning_rate(&self.config.optimizer, phase);
        let ranges = self.online.layout().trained_by(&trained);
        self.optimizer.step(self.online.params_mut(), &scratch.gradient, rate, proximal, &ranges);
        self.window.td_loss += f64::from(loss);
        self.window.q_value += f64::from(q_value);
        self.window.gradient_norm += f64::from(norm);
        self.window.updates += 1;
        Ok(())
    }

    /// What the updates since the last call looked like; None if there were none.
    pub fn take_update(&mut self) -> Option<Update> {
        let phase = self.phase.as_ref()?;
        let window = std::mem::take(&mut self.window);
        if window.updates == 0 {
            return None;
        }
        let mean = |sum: f64| (sum / window.updates as f64) as f32;
        let learning_rate = learning_rate(&self.config.optimizer, phase);
        let quadratic = self.method.quadratic();
        Some(Update {
            td_loss: mean(window.td_loss),
            q_value: mean(window.q_value),
            gradient_norm: mean(window.gradient_norm),
            penalty: quadratic.map_or(0.0, |quadratic| quadratic.value(self.online.params())),
            learning_rate,
            stiffness: quadratic.map_or(0.0, |quadratic| {
                let eta = |index| self.optimizer.step_size(learning_rate, index);
                quadratic.stiffness(eta, &self.online.layout().shared())
            }),
            updates: window.updates,
        })
    }

    /// Hands the task of the phase that has just ended to the method, and looks for dead units.
    pub fn consolidate(&mut self, generator: &mut Pcg64) -> Result<Option<Consolidation>, AgentError> {
        let Some(phase) = &self.phase else { return Ok(None) };
        // The last update's loss was finite; what it left behind no loss has seen.
        if let Some(value) = self.online.params().iter().find(|param| !param.is_finite()) {
            let (quantity, value) = ("a parameter", *value);
            return Err(AgentError::Diverged { quantity, value, updates: self.updates });
        }
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

fn learning_rate(config: &OptimizerConfig, phase: &PhaseState) -> f32 {
    config.learning_rate_schedule.at(config.learning_rate, config.learning_rate_final, phase.step, phase.steps)
}
