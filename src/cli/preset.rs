//! `engram preset`: the experiments that come with the program.

use std::{fmt, process::ExitCode};

use serde::Serialize;

use super::args::PresetCommand;
use super::table::table;
use super::{Exit, print};
use crate::config::{self, Overrides, Source};
use crate::presets;

/// Runs the command.
pub(super) fn run(command: &PresetCommand) -> anyhow::Result<ExitCode> {
    match command {
        PresetCommand::List(output) => output.show(&Listing::all()?)?,
        PresetCommand::Show { name } => print(&config::preset(name)?.toml)?,
    }
    Ok(Exit::Done.into())
}

/// The presets that come with the program.
#[derive(Debug, Serialize)]
struct Listing {
    presets: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    /// How many tasks it has.
    tasks: usize,
    description: String,
}

impl Listing {
    fn all() -> anyhow::Result<Self> {
        let mut lines = Vec::new();
        for preset in presets::all() {
            let config = config::load(&Source::Preset(preset.name.to_string()), &Overrides::default())?;
            let tasks = config.curriculum.tasks.len();
            lines.push(Line { name: config.name, tasks, description: config.description });
        }
        let orders = "seven phases of three MinAtar games, in forty published orders";
        lines.push(Line { name: presets::fame::PATTERN.into(), tasks: 3, description: orders.into() });
        Ok(Self { presets: lines })
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["name", "tasks", "description"].map(str::to_owned)];
        let lines = self.presets.iter();
        rows.extend(lines.map(|line| [line.name.clone(), line.tasks.to_string(), line.description.clone()]));
        f.write_str(&table(&rows))
    }
}
