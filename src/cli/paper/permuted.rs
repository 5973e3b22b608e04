//! `engram paper permuted`: permuted games in sequence, after figure 2 of Kirkpatrick et al. 2017.

use std::path::{Path, PathBuf};

use super::plan_of;
use crate::{
    figure::{self, Comparison},
    snapshot,
    sweep::{Plan, Sweep},
};

/// Ten games under three methods, ten seeds.
pub(super) fn plan(quick: bool) -> Plan {
    let full = plan_of("catch-10", 10);
    if quick { Plan { seeds: 3, steps_per_task: Some(4000), ..full } } else { full }
}

/// Draws the figure and writes the points of its curves.
pub(super) fn write(sweep: &Sweep, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let comparison = Comparison::read(std::slice::from_ref(&sweep.folder))?;
    let (figure, points) = figure::so_far(&comparison)?;
    let mut files = figure.write(out, "permuted")?;
    let mut rows = csv::Writer::from_writer(Vec::new());
    points.iter().try_for_each(|point| rows.serialize(point))?;
    let table = out.join("permuted.csv");
    snapshot::replace(&table, &rows.into_inner()?)?;
    files.push(table);
    Ok(files)
}
