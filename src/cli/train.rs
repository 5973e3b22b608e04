//! `engram train`: an experiment from its config to its figures.

use std::process::ExitCode;

use engram_envs::Registry;

use super::{TrainArgs, training::Training};
use crate::{
    config,
    run_directory::{Place, RunDirectory},
    trainer::Trainer,
};

/// Runs the command.
pub fn run(registry: &Registry, args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let config = args.config(registry)?;
    let resolved = config::to_toml(&config)?;
    let trainer = Trainer::new(&config, registry)?;
    let place = Place { runs: args.runs.clone(), name: args.name.clone(), path: args.run_dir.clone() };
    let directory = RunDirectory::create(&place, &config, &resolved)?;
    let ways = (args.checkpoint_period, args.quiet);
    Training::new(trainer, &directory, (&config, &resolved), None, ways)?.run()
}
