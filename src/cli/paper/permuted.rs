//! `engram paper permuted`: permuted games in sequence, after figure 2 of Kirkpatrick et al. 2017.

use std::path::{Path, PathBuf};

use super::plan_of;
use crate::{
    figure::{self, Comparison},
    sweep::{Plan, Sweep},
};

/// Ten games under three methods, ten seeds.
pub(super) fn plan(quick: bool) -> Plan {
    let full = plan_of("catch-10", 10);
    if quick { Plan { seeds: 3, steps_per_task: Some(4000), ..full } } else { full }
}

/// Draws the figure and writes the points of its curves.
pub(super) fn write(sweep: &Sweep, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let runs: Vec<PathBuf> = (0..sweep.runs.len()).map(|index| sweep.run(index)).collect();
    let comparison = Comparison::read(&runs)?;
    let files = vec![out.join("permuted.svg"), out.join("permuted.png"), out.join("permuted.csv")];
    figure::write_so_far(&comparison, &files[0])?;
    figure::write_so_far(&comparison, &files[1])?;
    Ok(files)
}
