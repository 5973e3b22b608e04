//! A whole experiment as one value: what a config file says, with every default spelled out.

mod error;
mod extend;
mod keys;
mod load;
mod methods;
mod refusal;
mod resolve;
mod setting;
mod spaces;
mod text;
mod validate;

pub use error::{ConfigError, Fault, KeyError, Place};
pub(crate) use keys::{differing, keys};
pub use load::{Overrides, Source, load, preset, read};
pub use resolve::to_toml;
pub(crate) use setting::parse_value;
pub(crate) use text::Text;
pub(crate) use validate::check_name;
pub use validate::validate;

use engram_agents::{
    continual::MethodConfig,
    dqn::{BoundaryConfig, DqnConfig},
    network::DeviceKind,
};
use engram_envs::Options;
use serde::{Deserialize, Serialize};

/// An experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the preset, or one of your own: part of the run's folder.
    #[serde(default = "unnamed")]
    pub name: String,
    /// One line on what it shows.
    #[serde(default)]
    pub description: String,
    /// The seed from which every random stream is derived.
    #[serde(default)]
    pub seed: u64,
    /// Where tensors live.
    #[serde(default)]
    pub device: DeviceKind,
    /// The tasks and their sequence.
    pub curriculum: CurriculumConfig,
    /// The agent.
    #[serde(default)]
    pub agent: DqnConfig,
    /// The run whose network's body this one begins with, in place of a drawn one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsConfig>,
    /// What happens between two phases.
    #[serde(default)]
    pub boundary: BoundaryConfig,
    /// The method against forgetting.
    #[serde(default)]
    pub method: MethodConfig,
    /// How, and how often, the agent is evaluated.
    #[serde(default)]
    pub evaluation: EvaluationConfig,
    /// How often losses are written down.
    #[serde(default)]
    pub log: LogConfig,
}

fn unnamed() -> String {
    "unnamed".into()
}

/// Where the parameters come from that a run begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsConfig {
    /// The directory of a finished run.
    pub run: String,
    /// The hash of its parameters; where it is given, they must be those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// The tasks and the sequence in which they are played. Tasks may recur.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurriculumConfig {
    /// Environment steps of each phase that does not say its own.
    pub steps_per_task: u64,
    /// How often the sequence of phases is played.
    #[serde(default = "once")]
    pub cycles: u32,
    /// Whether each cycle plays the phases as given or shuffled by the seed.
    #[serde(default)]
    pub order: Order,
    /// The tasks.
    pub tasks: Vec<TaskConfig>,
    /// The phases of a cycle; none means each task once.
    #[serde(default)]
    pub phases: Vec<PhaseConfig>,
}

fn once() -> u32 {
    1
}

/// The order of phases within a cycle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As they are listed.
    #[default]
    Given,
    /// Shuffled by the seed, anew in each cycle.
    Random,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// The environment's id.
    pub env: String,
    /// The environment's options.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// The returns that normalised scores refer to, where the environment has none on record or they are to differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceConfig>,
}

/// The returns that normalised scores refer to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceConfig {
    /// The mean return of a uniformly random policy: score 0. Measured before a run where it is neither given nor on
    /// record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<f64>,
    /// The mean return of an agent trained on this task alone: score 1.
    pub single: f64,
}

/// One phase: a task, played for some steps; or, where it names no task, all of them in turns, episode by episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseConfig {
    /// The index of the task, from 0; a joint phase of all tasks has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<usize>,
    /// Environment steps; where it is not given `steps_per_task`, in a joint phase for each task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// The steps over which the phase's schedules stretch, exploration and learning rate; `steps` where it is not given.
    /// Resuming a run for longer sets it, so that what has been played stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_steps: Option<u64>,
}

impl PhaseConfig {
    /// A phase of a task, with its own number of steps or that of all phases.
    pub fn new(task: Option<usize>, steps: Option<u64>) -> Self {
        Self { task, steps, schedule_steps: None }
    }
}

impl CurriculumConfig {
    /// The steps of one of its phases.
    pub fn steps_of(&self, phase: &PhaseConfig) -> u64 {
        let tasks = if phase.task.is_some() { 1 } else { self.tasks.len() as u64 };
        phase.steps.unwrap_or_else(|| self.steps_per_task.saturating_mul(tasks))
    }

    /// One joint phase of as many steps as all phases have: multi-task training in place of a sequence.
    pub fn join(&mut self) {
        let once = match self.phases.as_slice() {
            [] => self.steps_per_task.saturating_mul(self.tasks.len() as u64),
            phases => phases.iter().map(|phase| self.steps_of(phase)).fold(0, u64::saturating_add),
        };
        let steps = once.saturating_mul(u64::from(self.cycles));
        (self.phases, self.cycles) = (vec![PhaseConfig::new(None, Some(steps))], 1);
    }
}

/// How the agent is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationConfig {
    /// Environment steps between evaluations of all tasks; boundaries are always evaluated.
    pub period: u64,
    /// Episodes a task; environments with few starts play each start once instead.
    pub episodes: usize,
    /// Steps after which an evaluation episode is cut: some games never end under some policies.
    pub step_limit: u64,
    /// Environment steps between recordings of every task's first evaluation episode; 0 records none. Only evaluations
    /// that fall on a multiple are recorded, and all boundaries.
    pub record_period: u64,
}

impl Default for EvaluationConfig {
    fn default() -> Self {
        Self { period: 2000, episodes: 20, step_limit: 10_000, record_period: 0 }
    }
}

/// How often losses are written down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Environment steps between rows of losses, each the mean over the updates since the last.
    pub period: u64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { period: 500 }
    }
}
