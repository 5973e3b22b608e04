//! What is set of an agent, and what it must know of its tasks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    loss::TdLoss,
    network::{Input, NetworkConfig},
    optimizer::OptimizerConfig,
    replay::ReplayConfig,
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
            observation_scale: BTreeMap::new(),
            network: NetworkConfig::default(),
            replay: ReplayConfig::default(),
            epsilon: EpsilonConfig::default(),
            optimizer: OptimizerConfig::default(),
        }
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
    /// Whether every observation of every task is made of zeros and ones.
    pub binary: bool,
    /// How many actions are valid in each task; the network has the most of them.
    pub actions: Vec<usize>,
}
