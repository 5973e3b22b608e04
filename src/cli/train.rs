//! `engram train`: an experiment from its config to its figures.

use std::process::ExitCode;

use engram_envs::Registry;

use super::{TrainArgs, training::Training};
use crate::{config, run_directory::RunDirectory, sink::Start, trainer::Trainer};

/// Runs the command.
pub fn run(registry: &Registry, args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let config = args.config(registry)?;
    let resolved = config::to_toml(&config)?;
    let trainer = Trainer::new(&config, registry)?;
    let directory = RunDirectory::create(&args.place.place(), &config, &resolved)?;
    Training::new(trainer, &directory, (&config, &resolved), Start::New, args.ways)?.run()
}
