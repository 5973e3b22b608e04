//! Playing without a policy.

use std::error::Error;
use std::hash::{DefaultHasher, Hasher};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::chance::Chance;
use crate::env::{Env, Outcome};

/// Plays random actions from where `env` stands, resetting after each end, and shows each step (and each reset: no
/// outcome) to `see`.
pub(super) fn play(
    env: &mut dyn Env,
    chance: &mut dyn Chance,
    steps: usize,
    mut see: impl FnMut(Option<Outcome>, &[f32]) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut player = Pcg64::seed_from_u64(0);
    let actions = env.spec().actions.len();
    let mut observation = vec![0.0; env.spec().observation.len()];
    for _ in 0..steps {
        let outcome = env.step(player.random_range(0..actions), chance)?;
        env.observe(&mut observation)?;
        see(Some(outcome), &observation)?;
        if outcome.end.is_some() {
            env.reset(chance)?;
            env.observe(&mut observation)?;
            see(None, &observation)?;
        }
    }
    Ok(())
}

/// Outcomes of random play, each with a hash of the observation: large pictures would fill the memory.
pub(super) type Trajectory = Vec<(Option<Outcome>, u64)>;

pub(super) fn trajectory(
    env: &mut dyn Env,
    chance: &mut dyn Chance,
    steps: usize,
) -> Result<Trajectory, Box<dyn Error>> {
    let mut trajectory = Vec::new();
    play(env, chance, steps, |outcome, observation| {
        let mut hasher = DefaultHasher::new();
        for number in observation {
            hasher.write_u32(number.to_bits());
        }
        trajectory.push((outcome, hasher.finish()));
        Ok(())
    })?;
    Ok(trajectory)
}
