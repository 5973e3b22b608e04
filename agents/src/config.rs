//! What is set of an agent, and what it must know of its tasks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    loss::TdLoss,
    network::{Input, NetworkConfig},
    optimizer::OptimizerConfig,
    replay::{Packing, ReplayConfig},
    schedule::EpsilonConfig,
};

/// The agent as configured. Periods and lengths are in environment steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DqnConfig {
    /// What a reward one step later is worth.
    pub discount: f32,
    /// Whether the target's action is chosen by the online network (Double DQN).
    pub double: bool,
    /// The loss on a temporal-difference error.
    pub loss: TdLoss,
    /// Transitions in an update.
    pub batch_size: usize,
    /// Steps between updates.
    pub train_period: u64,
    /// Steps of a phase before its first update.
    pub warmup_steps: u64,
    /// Steps between copies of the online network into the target network.
    pub target_period: u64,
    /// The greatest norm of the task's gradient, above which it is scaled down; 0 never scales. Penalties are not clipped.
    pub max_gradient_norm: f32,
    /// A factor on every reward the agent learns from; reported returns are raw.
    pub reward_scale: f32,
    /// Rewards that the agent learns from are clipped to `[-c, c]` after scaling (Mnih et al. 2015: 1); 0 never clips.
    /// Reported returns are raw.
    pub reward_clip: f32,
    /// A factor on each component of the observations, by environment id; 1 where none is given.
    pub observation_scale: BTreeMap<String, Vec<f32>>,
    /// The Q-network.
    pub network: NetworkConfig,
    /// The replay buffer.
    pub replay: ReplayConfig,
    /// The exploration rate.
    pub epsilon: EpsilonConfig,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
}

impl Default for DqnConfig {
    fn default() -> Self {
        Self {
            discount: 0.99,
            double: true,
            loss: TdLoss::Huber,
            batch_size: 32,
            train_period: 4,
            warmup_steps: 1000,
            target_period: 500,
            max_gradient_norm: 0.0,
            reward_scale: 1.0,
            reward_clip: 0.0,
            observation_scale: BTreeMap::new(),
            network: NetworkConfig::default(),
            replay: ReplayConfig::default(),
            epsilon: EpsilonConfig::default(),
            optimizer: OptimizerConfig::default(),
        }
    }
}

impl DqnConfig {
    /// What the agent learns from in place of the raw `reward`: scaled, then clipped.
    pub fn reward(&self, reward: f32) -> f32 {
        let scaled = reward * self.reward_scale;
        if self.reward_clip > 0.0 { scaled.clamp(-self.reward_clip, self.reward_clip) } else { scaled }
    }

    /// Whether the agent learns in this step of a phase, counted from 1.
    pub fn updates_at(&self, step: u64) -> bool {
        step >= self.warmup_steps && step.is_multiple_of(self.train_period)
    }

    /// The first step of a phase in which the agent learns, `train_period ceil(max(warmup_steps, 1) / train_period)`. A
    /// phase of fewer steps learns nothing.
    pub fn first_update_step(&self) -> u64 {
        let period = self.train_period.max(1);
        self.warmup_steps.max(1).div_ceil(period).saturating_mul(period)
    }
}

/// What happens to the agent where one phase ends and the next begins. Weights are always kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoundaryConfig {
    /// Whether the replay buffer is emptied, after the consolidation.
    pub reset_replay: bool,
    /// Whether the optimizer's moments and step count are zeroed.
    pub reset_optimizer: bool,
    /// Whether the online network is copied into the target network.
    pub sync_target: bool,
}

impl Default for BoundaryConfig {
    fn default() -> Self {
        Self { reset_replay: true, reset_optimizer: true, sync_target: true }
    }
}

/// What the agent must know of its tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSet {
    /// The observation, wide enough for every task.
    pub input: Input,
    /// How replayed observations are stored without loss in every task.
    pub packing: Packing,
    /// How many actions are valid in each task; the network has the most of them.
    pub actions: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_are_scaled_then_clipped() {
        let config = DqnConfig { reward_scale: 0.5, reward_clip: 1.0, ..DqnConfig::default() };
        assert_eq!([0.0, 1.0, 2.0, 200.0, -7.0].map(|reward| config.reward(reward)), [0.0, 0.5, 1.0, 1.0, -1.0]);
        let free = DqnConfig { reward_clip: 0.0, ..config };
        assert_eq!(free.reward(-200.0), -100.0);
    }

    #[test]
    fn the_first_update_is_the_first_step_that_updates() {
        for warmup_steps in 0..12 {
            for train_period in 1..8 {
                let config = DqnConfig { train_period, warmup_steps, ..DqnConfig::default() };
                let first = (1..100).find(|step| config.updates_at(*step)).unwrap();
                assert_eq!(config.first_update_step(), first, "{warmup_steps} {train_period}");
            }
        }
        let never = DqnConfig { warmup_steps: u64::MAX, train_period: u64::MAX - 1, ..DqnConfig::default() };
        assert_eq!(never.first_update_step(), u64::MAX);
    }
}
