//! `engram figure`: learning curves of many runs, and the table behind them.

use std::{fmt, process::ExitCode};

use serde::Serialize;

use super::Exit;
use super::args::FigureArgs;
use crate::figure::{self, Comparison, Summary};

/// Runs the command.
pub(super) fn run(args: &FigureArgs) -> anyhow::Result<ExitCode> {
    figure::check_output(&args.out)?;
    let comparison = Comparison::read(&args.runs)?;
    figure::write(&comparison, &args.out)?;
    let figure = args.out.display().to_string();
    let Comparison { preset, envs: tasks, .. } = &comparison;
    args.output.show(&Drawn {
        figure,
        preset,
        tasks,
        groups: comparison.summaries(),
        left_out: comparison.left_out(),
    })?;
    Ok(Exit::Done.into())
}

/// A figure with the numbers behind it.
#[derive(Debug, Serialize)]
struct Drawn<'a> {
    figure: String,
    preset: &'a str,
    /// The environment id of each task.
    tasks: &'a [String],
    groups: Vec<Summary>,
    /// The runs of a sweep that have not finished, in words.
    #[serde(skip)]
    left_out: String,
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}{}", figure::table(&self.groups), self.left_out, self.figure)
    }
}
