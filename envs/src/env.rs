//! What an environment is: a specification, two functions and plain-data state.

use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::frame::Frame;

/// The dynamics of a game. All randomness comes from `chance`; all state can be saved and loaded.
///
/// In-process games never fail; the `Result`s are for environments that live elsewhere.
pub trait Env: Send {
    /// What the environment looks like from outside; constant over its life.
    fn spec(&self) -> &Spec;

    /// Starts an episode.
    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError>;

    /// Plays one action, an index into [`Spec::actions`].
    fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError>;

    /// Writes the present observation into `out`, whose length is [`ObservationSpace::len`]. Allocates nothing.
    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError>;

    /// The whole state, from which [`Env::load`] goes on exactly, also in the middle of an episode.
    fn save(&mut self) -> Result<Vec<u8>, EnvError>;

    /// Restores what [`Env::save`] gave.
    fn load(&mut self, state: &[u8]) -> Result<(), EnvError>;

    /// A picture of the present state, for people; it changes nothing. By default the [observation's](Frame::of_observation).
    fn render(&mut self) -> Result<Frame, EnvError> {
        let mut observation = vec![0.0; self.spec().observation.len()];
        self.observe(&mut observation)?;
        Ok(Frame::of_observation(&self.spec().observation, &observation))
    }

    /// Hidden counters worth reporting or testing, such as the difficulty of a ramping game.
    fn diagnostics(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }
}

impl<E: Env + ?Sized> Env for Box<E> {
    fn spec(&self) -> &Spec {
        (**self).spec()
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        (**self).reset(chance)
    }

    fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        (**self).step(action, chance)
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        (**self).observe(out)
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        (**self).save()
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        (**self).load(state)
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        (**self).render()
    }

    fn diagnostics(&self) -> Vec<(&'static str, f64)> {
        (**self).diagnostics()
    }
}

/// What one step gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The reward of this step.
    pub reward: f32,
    /// Whether, and how, the episode ended in this step.
    pub end: Option<End>,
}

/// How an episode ended: never both ways at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The task itself ended: there is no future reward, a learner must not bootstrap.
    Terminated,
    /// Only a time limit ended the episode: a learner bootstraps from the last observation.
    Truncated,
}

/// A description of an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The id under which the registry makes it, such as `CartPole-v1`.
    pub id: String,
    /// Shape, kind and component names of the observation.
    pub observation: ObservationSpace,
    /// The names of the actions, in order.
    pub actions: Vec<String>,
    /// Steps after which an episode is truncated.
    pub step_limit: Option<u32>,
    /// Set where a reset makes exactly one integer draw from `0..starts` and nothing else is ever random:
    /// playing each start once then evaluates a deterministic policy exactly.
    pub starts: Option<u32>,
}

impl Spec {
    /// Refuses a specification of a game that nobody could play: one without actions, without anything to see, with
    /// no start, or without a step.
    pub fn check(&self) -> Result<(), EnvError> {
        let refuse = |message: &str| Err(EnvError::Option { id: self.id.clone(), message: message.into() });
        if self.actions.is_empty() {
            refuse("its specification has no actions; there must be at least one")
        } else if self.observation.is_empty() {
            refuse("its specification has observations of length 0; there must be something to see")
        } else if self.starts == Some(0) {
            refuse("its specification has 0 starts; where they are not few, `starts` is `None`")
        } else if self.step_limit == Some(0) {
            refuse("its specification has a step limit of 0; where there is none, `step_limit` is `None`")
        } else {
            Ok(())
        }
    }

    /// Refuses an action that is not an index into [`Spec::actions`].
    #[inline]
    pub fn check_action(&self, action: usize) -> Result<(), EnvError> {
        let actions = self.actions.len();
        if action < actions { Ok(()) } else { Err(EnvError::Action { id: self.id.clone(), action, actions }) }
    }

    /// The error for a saved state that does not fit.
    #[cold]
    pub fn bad_state(&self, message: impl Into<String>) -> EnvError {
        EnvError::State { id: self.id.clone(), message: message.into() }
    }
}

/// The shape and kind of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObservationSpace {
    /// Image-like planes in the order channel, row, column.
    Planes {
        /// What each channel shows.
        channels: Vec<String>,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// The values a cell can take.
        kind: PlaneKind,
    },
    /// A vector of real numbers.
    Vector {
        /// What each component is.
        components: Vec<String>,
    },
}

/// The values a cell of a plane can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaneKind {
    /// 0 or 1.
    Binary,
    /// 0 to 255, handed out as 0.0 to 255.0.
    Byte,
    /// Bytes, of which the channels are the last frames, the oldest first: a step drops the first channel and appends
    /// the new frame, and after a reset every channel is the first frame. So are the stacks of Gymnasium's
    /// `FrameStackObservation` where it pads with the frame of the reset.
    Stack,
}

impl ObservationSpace {
    /// How many numbers an observation has.
    pub fn len(&self) -> usize {
        match self {
            Self::Planes { channels, height, width, .. } => channels.len() * height * width,
            Self::Vector { components } => components.len(),
        }
    }

    /// What the number at this index of an observation is, in words.
    pub fn place(&self, index: usize) -> String {
        match self {
            Self::Planes { channels, height, width, .. } => {
                let (channel, cell) = (index / (height * width), index % (height * width));
                let channel = channels.get(channel).map_or("no channel", String::as_str);
                format!("{channel} at row {}, column {}", cell / width, cell % width)
            }
            Self::Vector { components } => components.get(index).map_or("no component", String::as_str).into(),
        }
    }

    /// Whether an observation has no numbers at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|id| format!("did you mean `{id}`? ")).unwrap_or_default()
}

/// Why an environment could not be made or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// No environment has this id.
    #[error("unknown environment `{id}`: {}`engram env list` names all", did_you_mean(suggestion.as_deref()))]
    Unknown {
        /// The id asked for.
        id: String,
        /// The nearest known id.
        suggestion: Option<String>,
    },
    /// The environment exists but not with this option.
    #[error("environment `{id}`: {message}")]
    Option {
        /// The environment's id.
        id: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The environment lives in another program, which is not at hand or does not work.
    #[error("environment `{id}`: {message}")]
    Unavailable {
        /// The environment's id.
        id: String,
        /// What is missing and how to get it.
        message: String,
    },
    /// The environment lived in another program, which ended, hangs or talks nonsense.
    #[error("environment `{id}` was lost: {message}")]
    Lost {
        /// The environment's id.
        id: String,
        /// What happened.
        message: String,
    },
    /// A saved state does not fit.
    #[error("environment `{id}`: cannot load the saved state: {message}")]
    State {
        /// The environment's id.
        id: String,
        /// What does not fit.
        message: String,
    },
    /// The action is not one of the environment's.
    #[error("environment `{id}`: action {action} is not below {actions}")]
    Action {
        /// The environment's id.
        id: String,
        /// The action asked for.
        action: usize,
        /// How many actions there are.
        actions: usize,
    },
}
