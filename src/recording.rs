//! An episode as it is played, picture by picture.

use engram_agents::AgentError;
use engram_envs::{Chance, Frame};
use rand::Rng as _;

use crate::{curriculum::Player, error::TrainError, seeds};

/// Steps of a recorded episode at most, where nobody says otherwise.
pub const MOST_STEPS: u64 = 1000;

/// What chooses the actions.
pub type Policy<'a> = dyn FnMut(&Player) -> Result<usize, AgentError> + 'a;

/// Chooses every action with equal probability.
pub fn random(seed: u64) -> impl FnMut(&Player) -> Result<usize, AgentError> {
    let mut generator = seeds::stream(seed, "explore", 0, 0);
    move |player| Ok(generator.random_range(0..player.spec().actions.len()))
}

/// Plays an episode and shows a picture of its start and of each step, and whether it is the last one. Gives the
/// episode's return, up to `steps` of it.
pub fn episode<E: From<TrainError>>(
    player: &mut Player,
    chance: &mut dyn Chance,
    steps: u64,
    policy: &mut Policy<'_>,
    mut show: impl FnMut(Frame, bool) -> Result<(), E>,
) -> Result<f64, E> {
    player.reset(chance).map_err(TrainError::from)?;
    show(player.render().map_err(TrainError::from)?, false)?;
    let mut episode_return = 0.0;
    for step in 1..=steps {
        let action = policy(player).map_err(TrainError::from)?;
        let outcome = player.step(action, chance).map_err(TrainError::from)?;
        episode_return += f64::from(outcome.reward);
        show(player.render().map_err(TrainError::from)?, outcome.end.is_some() || step == steps)?;
        if outcome.end.is_some() {
            break;
        }
    }
    Ok(episode_return)
}
