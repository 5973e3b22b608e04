//! Why training or evaluation could not go on.

use engram_agents::AgentError;
use engram_envs::EnvError;

use crate::sink::SinkError;

/// Why training could not go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The agent failed; at a divergence the parameters are those before the update that would have spoilt them.
    #[error("step {step}: {source}")]
    Agent {
        /// Environment steps so far.
        step: u64,
        /// What happened.
        source: AgentError,
    },
    /// The agent cannot be built as configured, or does not fit what it is asked.
    #[error(transparent)]
    Setup(#[from] AgentError),
    /// An environment failed.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// An output could not be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A checkpoint is not of this run.
    #[error("the checkpoint does not fit this run: {0}")]
    Misfit(String),
    /// The moment came that training was to go on to, see [`crate::stop::Due`].
    #[error("paused")]
    Paused,
    /// A signal of this number asked for an end.
    #[error("stopped by signal {0}")]
    Stopped(usize),
}

impl TrainError {
    /// Says at which step an agent's error happened.
    pub(crate) fn at(step: u64) -> impl FnOnce(AgentError) -> Self {
        move |source| Self::Agent { step, source }
    }
}
