//! A curriculum bound to environments: every task behind one observation shape, and the phases that play them.

use engram_agents::{dqn::TaskSet, network::Input};
use engram_envs::{Chance, Env, EnvError, Frame, ObservationSpace, Outcome, PlaneKind, Registry, Spec};

use crate::{
    config::{Config, PhaseConfig, TaskConfig},
    reference::{self, Reference},
};

/// The tasks and phases of an experiment.
pub struct Curriculum {
    /// The tasks, in the config's order.
    pub tasks: Vec<Task>,
    /// The phases, in the order in which they are played.
    pub phases: Vec<Phase>,
    /// What the agent must know of the tasks.
    pub set: TaskSet,
}

/// One phase: a task and how many steps it is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The index of the task.
    pub task: usize,
    /// Environment steps.
    pub steps: u64,
}

/// One task: an environment as the agent sees it.
pub struct Task {
    /// The environment's id.
    pub env: String,
    /// The returns that normalised scores refer to.
    pub reference: Reference,
    registry: Registry,
    config: TaskConfig,
    scale: Vec<f32>,
    width: usize,
}

impl Curriculum {
    /// Binds the tasks of a validated and resolved config.
    pub fn new(config: &Config, registry: &Registry) -> Result<Self, EnvError> {
        let mut spaces = Vec::new();
        let mut actions = Vec::new();
        for task in &config.curriculum.tasks {
            let env = registry.make(&task.env, &task.options)?;
            spaces.push(env.spec().observation.clone());
            actions.push(env.spec().actions.len());
        }
        let input = widest(spaces.iter());
        let binary = all_binary(spaces.iter(), config);
        let tasks = config.curriculum.tasks.iter().zip(&spaces).map(|(task, space)| Task {
            env: task.env.clone(),
            // Reading a config fills in what is not on record, or refuses it.
            reference: reference::of(task).unwrap_or(Reference { random: 0.0, single: 1.0 }),
            registry: registry.clone(),
            config: task.clone(),
            scale: config.agent.observation_scale.get(&task.env).cloned().unwrap_or_else(|| vec![1.0; space.len()]),
            width: input.len(),
        });
        let steps = config.curriculum.steps_per_task;
        let phase = |phase: &PhaseConfig| Phase { task: phase.task, steps: phase.steps.unwrap_or(steps) };
        Ok(Self {
            tasks: tasks.collect(),
            phases: config.curriculum.phases.iter().map(phase).collect(),
            set: TaskSet { input, binary, actions },
        })
    }

    /// Environment steps of all phases together.
    pub fn total_steps(&self) -> u64 {
        self.phases.iter().map(|phase| phase.steps).sum()
    }

    /// The ids of the tasks' environments.
    pub fn env_ids(&self) -> Vec<String> {
        self.tasks.iter().map(|task| task.env.clone()).collect()
    }
}

/// The observation that holds every space: the longest vector, or the most channels.
pub(crate) fn widest<'a>(spaces: impl Iterator<Item = &'a ObservationSpace>) -> Input {
    match spaces.max_by_key(|space| space.len()) {
        Some(ObservationSpace::Planes { channels, height, width, .. }) => {
            Input::Planes { channels: channels.len(), height: *height, width: *width }
        }
        Some(space) => Input::Vector(space.len()),
        None => Input::Vector(0),
    }
}

/// Whether every observation holds nothing but 0 and 1, so that a bit a number is enough to remember it.
pub(crate) fn all_binary<'a>(mut spaces: impl Iterator<Item = &'a ObservationSpace>, config: &Config) -> bool {
    spaces.all(|space| matches!(space, ObservationSpace::Planes { kind: PlaneKind::Binary, .. }))
        && config.agent.observation_scale.is_empty()
}

impl Task {
    /// A new instance of the environment.
    pub fn make(&self) -> Result<Player, EnvError> {
        let env = self.registry.make(&self.config.env, &self.config.options)?;
        let seen = env.spec().observation.len();
        Ok(Player { env, seen, scale: self.scale.clone(), observation: vec![0.0; self.width] })
    }
}

/// An environment in play, with its present observation as the agent sees it: scaled, and padded with zeros at the end
/// (for planes these are whole channels, since the channel comes first).
pub struct Player {
    env: Box<dyn Env>,
    /// How many numbers the environment itself shows.
    seen: usize,
    scale: Vec<f32>,
    observation: Vec<f32>,
}

impl Player {
    /// An environment that is seen as it is.
    pub fn new(env: Box<dyn Env>) -> Self {
        let len = env.spec().observation.len();
        Self { env, seen: len, scale: vec![1.0; len], observation: vec![0.0; len] }
    }

    /// What the environment looks like from outside.
    pub fn spec(&self) -> &Spec {
        self.env.spec()
    }

    /// What the agent sees now.
    pub fn observation(&self) -> &[f32] {
        &self.observation
    }

    /// In how many ways an episode can start, where playing each start once evaluates a policy exactly.
    pub fn starts(&self) -> Option<u32> {
        self.env.spec().starts
    }

    /// Starts an episode.
    pub fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.env.reset(chance)?;
        self.observe()
    }

    /// Plays one action.
    pub fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        let outcome = self.env.step(action, chance)?;
        self.observe()?;
        Ok(outcome)
    }

    /// A picture of the game as it stands; it changes nothing.
    pub fn render(&mut self) -> Result<Frame, EnvError> {
        self.env.render()
    }

    fn observe(&mut self) -> Result<(), EnvError> {
        let seen = &mut self.observation[..self.seen];
        self.env.observe(seen)?;
        for (value, scale) in seen.iter_mut().zip(&self.scale) {
            *value *= scale;
        }
        Ok(())
    }
}
