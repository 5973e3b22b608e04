//! How a command prints its result: as text for people, or as one JSON document for programs.

use std::fmt::Display;

use clap::Args;
use serde::Serialize;

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Output {
    /// Prints the result as one JSON document; docs/json.md lists its keys
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// Prints a result.
    pub(super) fn show<T: Serialize + Display>(self, result: &T) -> anyhow::Result<()> {
        if self.json { print_json(result) } else { Ok(super::print(&result.to_string())?) }
    }
}

/// Prints a result as one document. Numbers that are none, such as NaN, are null in it.
pub(super) fn print_json<T: Serialize>(result: &T) -> anyhow::Result<()> {
    Ok(super::print(&format!("{}\n", serde_json::to_string_pretty(result)?))?)
}
