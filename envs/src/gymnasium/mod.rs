//! Any environment of [Gymnasium](https://gymnasium.farama.org) with discrete actions, each played by a Python process.
//!
//! Gymnasium's own wrappers do what is asked for between game and agent; for ids that begin with `ALE/` that is the
//! usual preprocessing of Atari (Machado et al. 2018, arXiv 1709.06009): an action is played for four frames, of which
//! the last two are merged by their maximum, in grey, 84x84, four of them stacked. Sticky actions are as the
//! environment has them. Observations of bytes or of truth values with two or three axes become planes; all others are
//! flattened to a vector, in which a discrete observation is one-hot.

mod messages;
mod worker;
mod workers;

use std::path::Path;
use std::sync::Arc;

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome, PlaneKind, Spec};
use crate::frame::Frame;
use crate::registry::{Entry, Registry};
use crate::request::Request;
use messages::{Description, Kind, picture, stepped};
use worker::Trouble;
use workers::{Ready, Workers};

/// The environment variable that names the Python interpreter.
pub const PYTHON: &str = "ENGRAM_PYTHON";

/// Seeds are drawn below this: every library takes them.
const SEEDS: i64 = 1 << 31;

/// Adds the lines of Gymnasium, whose workers run under `python`; without one, under what [`PYTHON`] names, or else
/// under `python3`.
pub fn add_to(registry: &mut Registry, python: Option<&Path>) {
    let workers = Arc::new(Workers::new(python.map(Into::into)));
    let entry = |pattern, example, summary: &str, skip: i64, stack: i64, size: i64, gray: bool| {
        let workers = Arc::clone(&workers);
        Entry::new(pattern, summary, move |request| Ok(Box::new(Gymnasium::make(&workers, request)?)))
            .example(example)
            .external()
            .option("frame_skip", skip, "how many frames an action is played for, 1 to 100")
            .option("frame_stack", stack, "how many observations the agent sees at once, 1 to 16")
            .option("size", size, "rows and columns to which pictures are brought, up to 1,000; 0 leaves them")
            .option("gray", gray, "whether colours are brought to grey")
            .option("kwargs", "{}", "further arguments of gymnasium.make, as JSON")
            .option("timeout", 60.0, "seconds after which an answer is no longer waited for")
    };
    registry.add(entry(
        "gymnasium:ALE/{game}",
        "gymnasium:ALE/Pong-v5",
        "an Atari game, with the usual preprocessing; needs Python with gymnasium, ale-py, opencv-python-headless",
        4,
        4,
        84,
        true,
    ));
    registry.add(entry(
        "gymnasium:{id}",
        "gymnasium:LunarLander-v3",
        "any environment of Gymnasium with discrete actions; needs Python with gymnasium",
        1,
        1,
        0,
        false,
    ));
}

/// An environment of Gymnasium. Its state is the seed of the last reset and the actions since.
pub struct Gymnasium {
    spec: Spec,
    workers: Arc<Workers>,
    /// `None` once it was lost.
    worker: Option<Ready>,
    kind: Kind,
    draws: bool,
    seed: u64,
    actions: Vec<u32>,
    observation: Vec<u8>,
    end: Option<End>,
    /// Of the present state, once it is drawn: some environments draw each picture otherwise, such as sparks that fade.
    picture: Option<Frame>,
}

impl Gymnasium {
    fn make(workers: &Arc<Workers>, request: &Request<'_>) -> Result<Self, EnvError> {
        let worker = workers.get(request)?;
        let description = worker.description.clone();
        let spec = Spec {
            id: request.id.into(),
            observation: space(&description, request.integer("frame_stack", 1..=16)? as usize),
            actions: description.actions,
            step_limit: description.step_limit,
            starts: None,
        };
        spec.check()?;
        let mut env = Self {
            spec,
            workers: Arc::clone(workers),
            worker: Some(worker),
            kind: description.kind,
            draws: description.draws,
            seed: 0,
            actions: Vec::new(),
            observation: Vec::new(),
            end: None,
            picture: None,
        };
        env.begin(0)?;
        Ok(env)
    }

    fn ask<T>(
        &mut self,
        request: messages::Request<'_>,
        read: impl FnOnce(&[u8]) -> std::io::Result<T>,
    ) -> Result<T, EnvError> {
        let id = &self.spec.id;
        let lost = |message: String| EnvError::Lost { id: id.clone(), message };
        let Some(Ready { worker, .. }) = &mut self.worker else {
            return Err(lost("its worker has ended before".into()));
        };
        let answer = worker.ask(request).and_then(|reply| read(&reply).map_err(|error| worker.misunderstood(&error)));
        answer.map_err(|trouble| match trouble {
            Trouble::Refused(message) => EnvError::Option { id: id.clone(), message },
            Trouble::Lost(message) => {
                self.worker = None;
                lost(message)
            }
        })
    }

    fn begin(&mut self, seed: u64) -> Result<(), EnvError> {
        let length = self.bytes();
        let observation = self.ask(messages::Request::Reset(seed), |reply| {
            if reply.len() == length {
                return Ok(reply.to_vec());
            }
            Err(messages::foreign(&format!("an observation of {} bytes in place of {length}", reply.len())))
        })?;
        (self.seed, self.observation, self.end, self.picture) = (seed, observation, None, None);
        self.actions.clear();
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.worker.as_ref().map_or(0, |worker| worker.description.bytes())
    }
}

fn space(description: &Description, stacked: usize) -> ObservationSpace {
    let kind = match description.kind {
        Kind::Bits => PlaneKind::Binary,
        // A stack of colours drops three planes at a step.
        Kind::Bytes if stacked > 1 && description.shape[0] == stacked => PlaneKind::Stack,
        Kind::Bytes => PlaneKind::Byte,
        Kind::Numbers => {
            let components = (0..description.shape[0]).map(|index| format!("observation {index}"));
            return ObservationSpace::Vector { components: components.collect() };
        }
    };
    let [channels, height, width] = [0, 1, 2].map(|axis| description.shape[axis]);
    ObservationSpace::Planes {
        channels: (0..channels).map(|index| format!("plane {index}")).collect(),
        height,
        width,
        kind,
    }
}

impl Env for Gymnasium {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.begin(chance.integer(0, SEEDS) as u64)
    }

    /// After the end nothing moves.
    fn step(&mut self, action: usize, _: &mut dyn Chance) -> Result<Outcome, EnvError> {
        self.spec.check_action(action)?;
        if self.end.is_some() {
            return Ok(Outcome { reward: 0.0, end: self.end });
        }
        let length = self.bytes();
        let mut observation = std::mem::take(&mut self.observation);
        let outcome = self.ask(messages::Request::Step(action as u32), |reply| {
            let (outcome, seen) = stepped(reply, length)?;
            observation.copy_from_slice(seen);
            Ok(outcome)
        });
        self.observation = observation;
        let outcome = outcome?;
        self.actions.push(action as u32);
        (self.end, self.picture) = (outcome.end, None);
        Ok(outcome)
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        if self.kind == Kind::Numbers {
            let (numbers, _) = self.observation.as_chunks();
            for (out, number) in out.iter_mut().zip(numbers) {
                *out = f32::from_le_bytes(*number);
            }
        } else {
            for (out, byte) in out.iter_mut().zip(&self.observation) {
                *out = f32::from(*byte);
            }
        }
        Ok(())
    }

    /// The seed (8 bytes), the number of actions (4), the actions (4 each), the observation they led to.
    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        let mut state = self.seed.to_le_bytes().to_vec();
        state.extend((self.actions.len() as u32).to_le_bytes());
        state.extend(self.actions.iter().flat_map(|action| action.to_le_bytes()));
        state.extend(&self.observation);
        Ok(state)
    }

    /// Plays the episode again from its seed. Where that leads elsewhere, because the environment is random beyond its
    /// seed, it is an error, and the environment stands at the start of that episode.
    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let (seed, actions, observation) = self.read(state)?;
        self.begin(seed)?;
        for action in &actions {
            self.step(*action as usize, &mut crate::Start(0))?;
        }
        if self.observation == observation && self.actions == actions {
            return Ok(());
        }
        self.begin(seed)?;
        Err(self.spec.bad_state("playing the episode again led elsewhere: its seed does not decide this environment"))
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        if let Some(picture) = &self.picture {
            return Ok(picture.clone());
        }
        let drawn = if self.draws {
            self.ask(messages::Request::Picture, picture)?
        } else {
            let mut observation = vec![0.0; self.spec.observation.len()];
            self.observe(&mut observation)?;
            Frame::of_observation(&self.spec.observation, &observation)
        };
        Ok(self.picture.insert(drawn).clone())
    }
}

impl Gymnasium {
    fn read<'a>(&self, state: &'a [u8]) -> Result<(u64, Vec<u32>, &'a [u8]), EnvError> {
        let short = || self.spec.bad_state(format!("{} bytes are too few", state.len()));
        let (seed, rest) = state.split_first_chunk().ok_or_else(short)?;
        let (count, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (actions, rest) = rest
            .as_chunks::<4>()
            .0
            .split_at_checked(u32::from_le_bytes(*count) as usize)
            .map(|(actions, _)| (actions, &rest[4 * actions.len()..]))
            .ok_or_else(short)?;
        if rest.len() != self.bytes() {
            return Err(self.spec.bad_state(format!("its observation has {} bytes, not {}", rest.len(), self.bytes())));
        }
        Ok((u64::from_le_bytes(*seed), actions.iter().map(|action| u32::from_le_bytes(*action)).collect(), rest))
    }
}

impl Drop for Gymnasium {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.take() {
            self.workers.give_back(worker);
        }
    }
}
