//! What can go wrong in an agent.

/// An agent's error.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// A tensor operation failed.
    #[error("tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The device asked for cannot be used.
    #[error("device `{device}`: {message}")]
    Device {
        /// The name in the config.
        device: &'static str,
        /// Why, and what would help.
        message: String,
    },
    /// The network cannot be built as configured.
    #[error("network: {0}")]
    Network(String),
    /// Learning left the range of useful numbers.
    #[error("training diverged: {quantity} is {value:.3e} after {updates} updates")]
    Diverged {
        /// What was watched.
        quantity: &'static str,
        /// Its value.
        value: f32,
        /// Updates made since the run began, this one included.
        updates: u64,
    },
    /// The agent was asked to act or learn before a phase began.
    #[error("no phase has begun: `Dqn::begin` comes before acting and learning")]
    NotBegun,
    /// A saved state does not fit the agent.
    #[error("the saved state does not fit this agent: {0}")]
    State(String),
    /// There is nothing to estimate an importance from.
    #[error("task {task} has no transitions in the replay buffer, so its importance cannot be estimated")]
    EmptyReplay {
        /// The task.
        task: usize,
    },
}

impl AgentError {
    /// Refuses a saved state that has another number of something than the agent has.
    pub(crate) fn unless_equal(what: &str, saved: usize, own: usize) -> Result<(), Self> {
        if saved == own { Ok(()) } else { Err(Self::State(format!("it has {saved} {what}, not {own}"))) }
    }
}
