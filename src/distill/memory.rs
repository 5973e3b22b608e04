//! What a teacher shows of its game: states, and what it makes of them.

use engram_agents::loss::greedy;
use rand::Rng;

use super::{Recipe, Shape, Teacher};
use crate::{config::Config, curriculum::Task, error::TrainError, seeds, stop::Stop};

/// How often a teacher plays at random, so that the states hold the neighbourhood of its way, too.
pub(super) const EPSILON: f32 = 0.05;

/// States of one task and the rows of its teacher: Q-values, then features.
pub(super) struct Memory {
    width: usize,
    columns: usize,
    observations: Vec<f32>,
    targets: Vec<f32>,
    pub shape: Shape,
}

impl Memory {
    /// Lets a teacher play epsilon-greedily until there are enough states.
    pub fn fill(
        teacher: &mut Teacher,
        (index, task): (usize, &Task),
        shape: Shape,
        config: &Config,
        recipe: &Recipe,
        stop: &Stop,
    ) -> Result<Self, TrainError> {
        let mut player = task.make()?;
        let (width, columns) = (player.observation().len(), shape.columns + shape.features);
        let (observations, targets) = (Vec::new(), Vec::new());
        let mut memory = Self { width, columns, observations, targets, shape };
        let mut explore = seeds::stream(config.seed, "distill-explore", index as u64, 0);
        for episode in 0.. {
            let mut chance = seeds::stream(config.seed, "distill-env", index as u64, episode);
            player.reset(&mut chance)?;
            // Some games never end under some policies.
            for _ in 0..config.evaluation.step_limit {
                stop.heed()?;
                let q = teacher.values(player.observation())?;
                let best = greedy(q, shape.actions);
                memory.push(player.observation(), q, shape.actions);
                if shape.features > 0 {
                    let from = memory.targets.len() - shape.features;
                    teacher.hidden(player.observation(), &mut memory.targets[from..])?;
                }
                if memory.len() == recipe.states {
                    return Ok(memory);
                }
                let explores = explore.random::<f32>() < EPSILON;
                let action = if explores { explore.random_range(0..shape.actions) } else { best };
                if player.step(action, &mut chance)?.end.is_some() {
                    break;
                }
            }
        }
        Ok(memory)
    }

    fn push(&mut self, observation: &[f32], q: &[f32], actions: usize) {
        self.observations.extend_from_slice(observation);
        self.targets.extend_from_slice(&q[..actions]);
        // Actions that are not valid, and what the features go into.
        self.targets.resize(self.targets.len() - actions + self.columns, 0.0);
    }

    pub fn len(&self) -> usize {
        self.targets.len() / self.columns
    }

    pub fn observation(&self, state: usize) -> &[f32] {
        &self.observations[state * self.width..(state + 1) * self.width]
    }

    pub fn target(&self, state: usize) -> &[f32] {
        &self.targets[state * self.columns..(state + 1) * self.columns]
    }
}
