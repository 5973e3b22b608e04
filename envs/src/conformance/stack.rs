//! Whether a stack of frames is one: what a replay buffer relies on that keeps each frame once.

use std::error::Error;

use crate::env::{Env, EnvError, ObservationSpace, Outcome, PlaneKind};

/// The last observation of an environment that declares a stack; nothing for any other.
pub(super) struct Stack(Option<Shown>);

struct Shown {
    frame_len: usize,
    frames: Vec<f32>,
    /// Whether `frames` are those after a reset.
    fresh: bool,
}

impl Stack {
    /// Looks at an environment that has just been reset.
    pub fn after_reset(env: &mut dyn Env) -> Result<Self, EnvError> {
        let ObservationSpace::Planes { height, width, kind: PlaneKind::Stack, .. } = env.spec().observation else {
            return Ok(Self(None));
        };
        let mut frames = vec![0.0; env.spec().observation.len()];
        env.observe(&mut frames)?;
        Ok(Self(Some(Shown { frame_len: height * width, frames, fresh: true })))
    }

    /// Compares what followed, after a step or (without an outcome) after a reset, with what was seen before.
    pub fn follow(&mut self, outcome: Option<Outcome>, observation: &[f32]) -> Result<(), Box<dyn Error>> {
        let Some(Shown { frame_len, frames, fresh }) = &mut self.0 else { return Ok(()) };
        let equal = |frames: &[f32]| frames.chunks_exact(*frame_len).all(|frame| *frame == frames[..*frame_len]);
        if *fresh && !equal(frames) || outcome.is_none() && !equal(observation) {
            return Err("after a reset the frames of its stack differ".into());
        }
        if outcome.is_some() && observation[..observation.len() - *frame_len] != frames[*frame_len..] {
            return Err("a step does not shift its stack by one frame".into());
        }
        frames.copy_from_slice(observation);
        *fresh = false;
        Ok(())
    }
}
