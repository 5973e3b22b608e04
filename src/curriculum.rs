//! A curriculum bound to environments: every task behind one observation shape, and the phases that play them.

use engram_agents::{dqn::TaskSet, network::Input, replay::Packing};
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

/// One phase: a task and how many steps it is played, or all tasks in turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// The index of the task; None in a joint phase of all tasks.
    pub task: Option<usize>,
    /// Environment steps.
    pub steps: u64,
    /// The steps over which the phase's schedules stretch: fewer than `steps` where it was extended.
    pub schedule_steps: u64,
}

/// One task: an environment as the agent sees it.
pub struct Task {
    /// The environment's id.
    pub env: String,
    /// The returns that normalised scores refer to.
    pub reference: Reference,
    registry: Registry,
    config: TaskConfig,
    scale: Scale,
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
        let packing = packing(&spaces.iter(), config);
        let tasks = config.curriculum.tasks.iter().zip(&spaces).map(|(task, space)| Task {
            env: task.env.clone(),
            // Reading a config fills in what is not on record, or refuses it.
            reference: reference::of(task).unwrap_or(Reference { random: 0.0, single: 1.0 }),
            registry: registry.clone(),
            config: task.clone(),
            scale: Scale::new(space, config.agent.observation_scale.get(&task.env)),
            width: input.len(),
        });
        let phase = |phase: &PhaseConfig| {
            let steps = config.curriculum.steps_of(phase);
            Phase { task: phase.task, steps, schedule_steps: phase.schedule_steps.unwrap_or(steps) }
        };
        Ok(Self {
            tasks: tasks.collect(),
            phases: config.curriculum.phases.iter().map(phase).collect(),
            set: TaskSet { input, packing, actions },
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

/// The smallest packing that loses nothing of any task.
pub(crate) fn packing<'a>(spaces: &(impl Iterator<Item = &'a ObservationSpace> + Clone), config: &Config) -> Packing {
    let all = |wanted: &[PlaneKind]| {
        config.agent.observation_scale.is_empty()
            && spaces
                .clone()
                .all(|space| matches!(space, ObservationSpace::Planes { kind, .. } if wanted.contains(kind)))
    };
    let channels = |space: &ObservationSpace| match space {
        ObservationSpace::Planes { channels, .. } => channels.len(),
        ObservationSpace::Vector { .. } => 0,
    };
    let frames = spaces.clone().next().map_or(0, channels);
    if all(&[PlaneKind::Binary]) {
        Packing::Bits
    } else if all(&[PlaneKind::Stack]) && spaces.clone().all(|space| channels(space) == frames) {
        Packing::Stack { frames }
    } else if all(&[PlaneKind::Binary, PlaneKind::Byte, PlaneKind::Stack]) {
        Packing::Bytes
    } else {
        Packing::Floats
    }
}

/// What is done to the numbers of an observation before the agent sees them.
#[derive(Clone)]
enum Scale {
    /// Each is multiplied by its factor.
    Factors(Vec<f32>),
    /// Bytes are brought to `[0, 1]`, as the replay buffer unpacks them: divided by 255.
    Bytes,
}

impl Scale {
    fn new(space: &ObservationSpace, given: Option<&Vec<f32>>) -> Self {
        match (given, space) {
            (Some(factors), _) => Self::Factors(factors.clone()),
            (None, ObservationSpace::Planes { kind: PlaneKind::Byte | PlaneKind::Stack, .. }) => Self::Bytes,
            (None, _) => Self::Factors(vec![1.0; space.len()]),
        }
    }

    fn apply(&self, observation: &mut [f32]) {
        match self {
            Self::Factors(factors) => observation.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor),
            Self::Bytes => observation.iter_mut().for_each(|value| *value /= 255.0),
        }
    }
}

impl Task {
    /// A new instance of the environment.
    pub fn make(&self) -> Result<Player, EnvError> {
        let env = self.registry.make(&self.config.env, &self.config.options)?;
        let seen = env.spec().observation.len();
        let observation = vec![0.0; self.width];
        Ok(Player { env, seen, scale: self.scale.clone(), observation, started: false })
    }
}

/// An environment in play, with its present observation as the agent sees it: scaled, and padded with zeros at the end
/// (for planes these are whole channels, since the channel comes first).
pub struct Player {
    env: Box<dyn Env>,
    /// How many numbers the environment itself shows.
    seen: usize,
    scale: Scale,
    observation: Vec<f32>,
    /// Whether it was ever reset.
    started: bool,
}

impl Player {
    /// An environment that is seen as it is.
    pub fn new(env: Box<dyn Env>) -> Self {
        let len = env.spec().observation.len();
        let scale = Scale::Factors(vec![1.0; len]);
        Self { env, seen: len, scale, observation: vec![0.0; len], started: false }
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
        self.started = true;
        self.observe()
    }

    /// Plays one action.
    pub fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        let outcome = self.env.step(action, chance)?;
        self.observe()?;
        Ok(outcome)
    }

    /// The environment's whole state; None before the first episode.
    pub fn save(&mut self) -> Result<Option<Vec<u8>>, EnvError> {
        if self.started { self.env.save().map(Some) } else { Ok(None) }
    }

    /// Goes back to what [`Player::save`] gave for the same task.
    pub fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.env.load(state)?;
        self.started = true;
        self.observe()
    }

    /// A picture of the game as it stands; it changes nothing.
    pub fn render(&mut self) -> Result<Frame, EnvError> {
        self.env.render()
    }

    fn observe(&mut self) -> Result<(), EnvError> {
        let seen = &mut self.observation[..self.seen];
        self.env.observe(seen)?;
        self.scale.apply(seen);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, Source};

    fn planes(kind: PlaneKind) -> ObservationSpace {
        ObservationSpace::Planes { channels: vec!["a".into()], height: 16, width: 16, kind }
    }

    #[test]
    fn observations_are_packed_as_small_as_all_tasks_allow() {
        let (binary, byte) = (planes(PlaneKind::Binary), planes(PlaneKind::Byte));
        let vector = ObservationSpace::Vector { components: vec!["x".into()] };
        let config = |set: &[&str]| {
            let set = set.iter().map(|&text| text.to_owned()).collect();
            crate::config::load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap()
        };
        let packed = |spaces: &[ObservationSpace], set: &[&str]| packing(&spaces.iter(), &config(set));
        assert_eq!(packed(&[binary.clone(), binary.clone()], &[]), Packing::Bits);
        assert_eq!(packed(&[binary.clone(), byte.clone()], &[]), Packing::Bytes);
        assert_eq!(packed(&[byte.clone(), vector], &[]), Packing::Floats);
        let stack = |frames| ObservationSpace::Planes {
            channels: vec!["frame".into(); frames],
            height: 16,
            width: 16,
            kind: PlaneKind::Stack,
        };
        assert_eq!(packed(&[stack(4), stack(4)], &[]), Packing::Stack { frames: 4 });
        assert_eq!(packed(&[stack(4), stack(3)], &[]), Packing::Bytes, "a padded stack is none");
        assert_eq!(packed(&[byte.clone(), stack(4)], &[]), Packing::Bytes);
        assert_eq!(packed(&[stack(4), binary.clone()], &[]), Packing::Bytes);
        assert_eq!(packed(&[stack(4)], &["agent.observation_scale.Catch=[1]"]), Packing::Floats);
        assert_eq!(packed(&[binary, byte], &["agent.observation_scale.Catch=[1]"]), Packing::Floats);
    }

    #[test]
    fn bytes_are_brought_to_one_unless_a_scale_is_given() {
        let mut seen: Vec<f32> = (0..=255_u8).map(f32::from).collect();
        let bytes = seen.clone();
        for kind in [PlaneKind::Byte, PlaneKind::Stack] {
            seen.copy_from_slice(&bytes);
            Scale::new(&planes(kind), None).apply(&mut seen);
            assert!(seen.iter().zip(&bytes).all(|(value, byte)| *value == byte / 255.0));
        }
        let mut one = [51.0];
        Scale::new(&planes(PlaneKind::Byte), Some(&vec![0.5])).apply(&mut one);
        assert_eq!(one, [25.5]);
        Scale::new(&planes(PlaneKind::Binary), None).apply(&mut one);
        assert_eq!(one, [25.5]);
    }
}
