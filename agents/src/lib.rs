//! A DQN agent over one flat parameter vector, and the methods by which it keeps what it has learnt.
//!
//! - [`network`]: Q-networks behind one interface, [`network::QNetwork`]; [`params`]: how their parameters lie.
//! - [`dqn`]: acting and learning; [`learning`]: an update in progress; [`replay`], [`loss`], [`optimizer`], [`schedule`]: its parts.
//! - [`fisher`]: the diagonal Fisher information of a Q-network; [`dead_units`]: what it cannot see.
//! - [`distillation`]: losses by which a student comes to play like a teacher.
//! - [`continual`]: the methods, one file each, over one [quadratic penalty](continual::quadratic).
//!
//! Nothing here knows an environment, a file or a log: values go in, values come out.

mod config;
pub mod continual;
pub mod dead_units;
pub mod distillation;
pub mod dqn;
mod error;
pub mod fisher;
mod kernels;
pub mod learning;
pub mod loss;
pub mod network;
pub mod optimizer;
pub mod params;
pub mod replay;
pub mod schedule;
pub mod workload;

pub use error::AgentError;
