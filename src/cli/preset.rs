//! `engram preset`: the experiments that come with the program.

use std::process::ExitCode;

use super::args::PresetCommand;
use super::table::table;
use super::{Exit, print};
use crate::config::{self, Overrides, Source};
use crate::presets;

/// Runs the command.
pub(super) fn run(command: &PresetCommand) -> anyhow::Result<ExitCode> {
    match command {
        PresetCommand::List => print(&list()?)?,
        PresetCommand::Show { name } => print(&config::preset(name)?.toml)?,
    }
    Ok(Exit::Done.into())
}

fn list() -> anyhow::Result<String> {
    let mut rows = vec![["name", "tasks", "description"].map(str::to_owned)];
    for preset in presets::all() {
        let config = config::load(&Source::Preset(preset.name.to_string()), &Overrides::default())?;
        rows.push([config.name, config.curriculum.tasks.len().to_string(), config.description]);
    }
    let orders = "seven phases of three MinAtar games, in forty published orders";
    rows.push([presets::fame::PATTERN, "3", orders].map(str::to_owned));
    Ok(table(&rows))
}
