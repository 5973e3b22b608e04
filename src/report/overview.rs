//! What was run, in a few lines.

use std::collections::BTreeSet;

use super::{Report, commands, notes};
use crate::figure::short_name;
use crate::metrics::Row;

/// Phases that are named one by one.
const MOST_PHASES: usize = 12;

/// Terms with their values.
pub fn entries(report: &Report) -> Vec<(&'static str, String)> {
    let comparison = report.comparison;
    let groups = &comparison.groups;
    let runs = || groups.iter().flat_map(|group| &group.runs);
    let mut entries = vec![
        ("Tasks", comparison.envs.join(", ")),
        ("Phases", phases(comparison.example().map_or(&[], |run| &run.matrix.rows), &comparison.envs)),
        ("Groups", groups.iter().map(|group| group.label.as_str()).collect::<Vec<_>>().join("; ")),
    ];
    let seeds: BTreeSet<u64> = runs().map(|run| run.seed).collect();
    let seeds = commands::seeds(&seeds.into_iter().collect::<Vec<_>>());
    entries.push(("Runs", format!("{}, seeds {seeds}", notes::thousands(report.runs()))));
    let built: BTreeSet<&str> = runs().filter_map(|run| run.built_from.as_deref()).collect();
    if !built.is_empty() {
        entries.push(("Engram", built.into_iter().collect::<Vec<_>>().join(", ")));
    }
    entries
}

fn phases(rows: &[Row], envs: &[String]) -> String {
    let trained: Vec<_> =
        rows.array_windows().filter_map(|[before, row]| Some((row.trained?, row.step - before.step))).collect();
    let name =
        |task: Option<usize>| task.map_or("all in turns", |task| envs.get(task).map_or("", |env| short_name(env)));
    let steps: BTreeSet<u64> = trained.iter().map(|(_, steps)| *steps).collect();
    let length = match (steps.first(), steps.last()) {
        (Some(shortest), Some(longest)) if shortest == longest => {
            format!("{} steps each", notes::thousands(*shortest as usize))
        }
        (Some(shortest), Some(longest)) => {
            format!("{} to {} steps", notes::thousands(*shortest as usize), notes::thousands(*longest as usize))
        }
        _ => return "none".into(),
    };
    let names: Vec<&str> = trained.iter().take(MOST_PHASES).map(|(trained, _)| name(trained.task)).collect();
    let more = if trained.len() > MOST_PHASES { " → …" } else { "" };
    format!("{} of {length}: {}{more}", trained.len(), names.join(" → "))
}
