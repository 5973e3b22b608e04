//! Engram: continual reinforcement learning. One DQN agent plays a sequence of games; after each game it estimates which
//! parameters mattered and learns the next one under a penalty that holds those in place.
//!
//! - [`config`] and [`presets`]: an experiment as one value; [`curriculum`]: its tasks, bound to environments.
//! - [`trainer`]: the training loop, which [`stop`] ends early; [`evaluate`]: greedy evaluation of every task; [`metrics`]: the performance matrix.
//! - [`distill`]: one student of many finished runs.
//! - [`event`]: what happens, as values; [`sink`]: who writes it down; [`run_directory`]: where.
//! - [`recording`] and [`animation`]: an episode as pictures, and as a GIF.
//! - [`fisher_analysis`]: what the importances of several tasks say of each other.
//! - [`statistics`], [`figure`] and [`report`]: many runs at once. [`mod@bench`]: how fast a machine is. [`cli`]: the command line.
//!
//! Environments live in `engram-envs`, agents in `engram-agents`; only this crate knows both.

pub mod animation;
pub mod bench;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod curriculum;
pub mod distill;
pub mod error;
pub mod evaluate;
pub mod event;
pub mod event_file;
pub mod figure;
pub mod fisher_analysis;
#[cfg(test)]
mod fuzz;
pub mod metrics;
mod parallel;
pub mod position;
pub mod presets;
pub mod recording;
pub mod reference;
pub mod report;
pub mod run_directory;
pub mod seeds;
pub mod sink;
pub mod snapshot;
pub mod statistics;
pub mod stop;
pub mod sweep;
pub mod trainer;

pub use engram_agents as agents;
pub use engram_envs as envs;
