//! `engram figure`: learning curves of many runs, and the table behind them.

use std::process::ExitCode;

use super::args::FigureArgs;
use super::{Exit, print};
use crate::figure::{self, Comparison};

/// Runs the command.
pub(super) fn run(args: &FigureArgs) -> anyhow::Result<ExitCode> {
    figure::check_output(&args.out)?;
    let comparison = Comparison::read(&args.runs)?;
    figure::write(&comparison, &args.out)?;
    print(&format!("{}\n{}{}\n", comparison.table(), comparison.left_out(), args.out.display()))?;
    Ok(Exit::Done.into())
}
