//! `engram paper arrows`: where the second game takes the parameters, after figure 1 of Kirkpatrick et al. 2017.
//!
//! The paper draws it as a sketch. Here it is a plane through the parameters of real runs.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engram_agents::continual::MethodName;

use super::{METHODS, landscape::landscape, plan_of};
use crate::{
    cli::sweep::Sweeper,
    figure::{self, Arrow, Landscape},
    snapshot,
    sweep::{Entry, Plan, Sweep},
};

/// Two games, the second of which is the first with its pixels shuffled.
pub(super) fn plan(quick: bool) -> anyhow::Result<Plan> {
    let tasks: toml::Table = toml::from_str("tasks = [{ env = \"Catch\" }, { env = \"PermutedCatch/a-1\" }]")?;
    let mut plan = plan_of("catch-5", if quick { 1 } else { 3 });
    plan.set.insert("curriculum".into(), tasks.into());
    Ok(plan)
}

/// Draws the planes of all seeds and writes their points.
pub(super) fn write(sweeper: &Sweeper<'_>, sweep: &Sweep, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut seeds: Vec<u64> = sweep.runs.iter().map(|entry| entry.seed).collect();
    seeds.dedup();
    let mut landscapes = Vec::new();
    for seed in seeds {
        let run = |method: MethodName| {
            let of = |entry: &&Entry| entry.seed == seed && entry.method == method.as_str();
            let entry = sweep
                .runs
                .iter()
                .find(of)
                .with_context(|| format!("no run of {} with seed {seed}", method.as_str()))?;
            Ok::<_, anyhow::Error>((method.as_str(), sweep.folder.join(&entry.run)))
        };
        let [first, second, third] = METHODS;
        landscapes.push(landscape(sweeper, seed, &[run(first)?, run(second)?, run(third)?])?);
    }
    let mut files = figure::landscapes(&landscapes)?.write(out, "arrows")?;
    files.extend(write_data(&landscapes, out)?);
    Ok(files)
}

/// Writes the ends of the arrows and the scores at all points of the planes.
fn write_data(landscapes: &[Landscape], out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (ends, points) = (out.join("arrows.csv"), out.join("arrows-plane.csv"));
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["seed", "method", "x", "y", "off_plane", "first_game", "second_game"])?;
    for landscape in landscapes {
        rows.serialize((landscape.seed, "start", 0.0, 0.0, 0.0, landscape.start))?;
        for Arrow { method, to, off, scores } in &landscape.arrows {
            rows.serialize((landscape.seed, method, to, off, scores))?;
        }
    }
    snapshot::replace(&ends, &rows.into_inner()?)?;
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["seed", "x", "y", "first_game", "second_game"])?;
    for landscape in landscapes {
        for (cell, scores) in landscape.scores.iter().enumerate() {
            rows.serialize((landscape.seed, landscape.middle(cell), scores))?;
        }
    }
    snapshot::replace(&points, &rows.into_inner()?)?;
    Ok(vec![ends, points])
}
