//! `engram train`: an experiment from its config to its figures.

use std::process::ExitCode;

use engram_envs::Registry;

use super::{TrainArgs, training::Training, weights::Weights};
use crate::{config, run_directory::RunDirectory, sink::Start, trainer::Trainer};

/// Runs the command.
pub fn run(registry: &Registry, args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let mut config = args.config(registry)?;
    let weights = Weights::of(&config, registry)?;
    if let (Some(own), Some(weights)) = (&mut config.weights, &weights) {
        own.hash = Some(weights.hash());
    }
    let resolved = config::to_toml(&config)?;
    let mut trainer = Trainer::new(&config, registry)?;
    if let Some(weights) = &weights {
        weights.begin(&mut trainer)?;
    }
    let directory = RunDirectory::create(&args.place.place(), &config, &resolved)?;
    Training::new(trainer, &directory, (&config, &resolved), Start::New, args.ways)?.run()
}
