//! A limit on the steps of an episode.

use crate::chance::Chance;
use crate::env::{End, Env, EnvError, Outcome, Spec};
use crate::frame::Frame;

/// Truncates the episodes of `E` at a number of steps.
///
/// The step that reaches the limit, and any later one, is [`End::Truncated`] unless the game itself ends there. The
/// saved state is the game's own, followed by the steps so far (u32, little-endian).
#[derive(Debug, Clone)]
pub struct TimeLimit<E> {
    env: E,
    spec: Spec,
    limit: u32,
    elapsed: u32,
}

impl<E: Env> TimeLimit<E> {
    /// Limits episodes to `limit` steps.
    pub fn new(env: E, limit: u32) -> Self {
        let spec = Spec { step_limit: Some(limit), ..env.spec().clone() };
        Self { env, spec, limit, elapsed: 0 }
    }
}

impl<E: Env> Env for TimeLimit<E> {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, chance: &mut dyn Chance) -> Result<(), EnvError> {
        self.env.reset(chance)?;
        self.elapsed = 0;
        Ok(())
    }

    fn step(&mut self, action: usize, chance: &mut dyn Chance) -> Result<Outcome, EnvError> {
        let Outcome { reward, end } = self.env.step(action, chance)?;
        self.elapsed = self.elapsed.saturating_add(1);
        let end = if self.elapsed >= self.limit { end.or(Some(End::Truncated)) } else { end };
        Ok(Outcome { reward, end })
    }

    fn observe(&mut self, out: &mut [f32]) -> Result<(), EnvError> {
        self.env.observe(out)
    }

    fn save(&mut self) -> Result<Vec<u8>, EnvError> {
        let mut state = self.env.save()?;
        state.extend(self.elapsed.to_le_bytes());
        Ok(state)
    }

    fn load(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let Some((game, elapsed)) = state.split_last_chunk() else {
            return Err(self.spec.bad_state("it is too short to hold the steps so far"));
        };
        self.env.load(game)?;
        self.elapsed = u32::from_le_bytes(*elapsed);
        Ok(())
    }

    fn render(&mut self) -> Result<Frame, EnvError> {
        self.env.render()
    }

    fn diagnostics(&self) -> Vec<(&'static str, f64)> {
        self.env.diagnostics()
    }
}
