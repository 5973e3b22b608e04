//! The agent that an earlier run has left behind, with the tasks it was trained on.

use std::path::Path;

use engram_agents::dqn::Dqn;
use engram_envs::Registry;

use crate::{
    config::{self, Config, Overrides, Source},
    curriculum::Curriculum,
    run_directory::RunDirectory,
    seeds,
};

/// A run's agent with its saved parameters, and what it was made from.
pub(super) struct SavedPolicy {
    pub directory: RunDirectory,
    pub config: Config,
    pub curriculum: Curriculum,
    pub agent: Dqn,
}

impl SavedPolicy {
    /// Reads the run directory at `run`.
    pub fn load(run: &Path, registry: &Registry) -> anyhow::Result<Self> {
        let directory = RunDirectory::open(run)?;
        let config = config::read(&Source::File(directory.config()), &Overrides::default(), registry)?;
        let curriculum = Curriculum::new(&config, registry)?;
        let mut init = seeds::stream(config.seed, "init", 0, 0);
        let set = curriculum.set.clone();
        let mut agent = Dqn::new(&config.agent, config.boundary, &config.method, set, config.device, &mut init)?;
        directory.load_params(None, &mut agent)?;
        Ok(Self { directory, config, curriculum, agent })
    }
}
