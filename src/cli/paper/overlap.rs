//! `engram paper overlap`: do two tasks count on the same weights, layer by layer? After figure 2C of Kirkpatrick et al. 2017.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engram_agents::continual::MethodName;
use engram_envs::Value;

use super::plan_of;
use crate::{
    cli::{fisher::Kept, saved_policy::SavedPolicy, sweep::Sweeper},
    figure::{self, NamedLine, Overlaps, Run},
    fisher_analysis::{by_layer, chance_overlap, layers, overlap},
    snapshot,
    sweep::{Plan, Sweep},
};

/// How many of the board's ten rows the second game shuffles: a tenth of the pixels, and all. The paper permutes a square of 8 x 8
/// of 28 x 28 pixels, which is 8 %, and one of 26 x 26.
const PATCHES: [i64; 2] = [1, 10];

/// Six hidden layers of 100 units and one output layer for both games, as in the paper.
const SETTINGS: &str = r#"
curriculum.tasks = [{ env = "Catch" }, { env = "PermutedCatch/a-1" }]
agent.network.hidden = [100, 100, 100, 100, 100, 100]
agent.network.conditioning = "none"
method.fisher.leak = 0.0
"#;

/// Catch, then the same with few or all of its pixels shuffled, ten seeds.
pub(super) fn plan(quick: bool) -> anyhow::Result<Plan> {
    let mut plan = Plan { methods: vec![MethodName::Ewc], ..plan_of("catch-5", if quick { 2 } else { 10 }) };
    plan.steps_per_task = quick.then_some(4000);
    plan.set = toml::from_str(SETTINGS)?;
    plan.grid = toml::from_str(&format!("curriculum.tasks.1.options.patch = {PATCHES:?}"))?;
    Ok(plan)
}

/// What one run says.
struct Measured {
    patch: i64,
    seed: u64,
    layers: Vec<String>,
    /// The overlap in each layer; NaN where there is no importance.
    overlaps: Vec<f64>,
    /// What it would be by chance.
    chances: Vec<f64>,
    /// Of both games at the end.
    scores: Vec<f64>,
}

/// Draws the overlap by depth and writes its numbers.
pub(super) fn write(sweeper: &Sweeper<'_>, sweep: &Sweep, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let runs = sweep.runs.iter().map(|entry| Measured::of(sweeper, &sweep.folder.join(&entry.run)));
    let runs = runs.collect::<anyhow::Result<Vec<_>>>()?;
    let layers = runs.first().map(|run| run.layers.clone()).unwrap_or_default();
    let line = |label: &str, patch, values: fn(&Measured) -> &[f64]| {
        let own: Vec<&[f64]> = runs.iter().filter(|run| run.patch == patch).map(values).collect();
        NamedLine::over_runs(label, (0..layers.len()).map(|layer| layer as f64), &own)
    };
    let [few, all] = PATCHES;
    let lines = [
        line("1 row of ten shuffled", few, |run| &run.overlaps),
        line("all ten rows shuffled", all, |run| &run.overlaps),
        line("by chance (all ten rows)", all, |run| &run.chances),
    ];
    let seeds = runs.len() / PATCHES.len();
    let overlaps = Overlaps {
        title: "Do two games count on the same weights?".into(),
        subtitle: format!(
            "Fisher overlap of Catch and Catch with shuffled pixels, {seeds} seeds, with 95 % bootstrap interval."
        ),
        layers: &layers,
        lines: &lines,
    };
    let mut files = figure::overlaps(&overlaps)?.write(out, "overlap")?;
    files.extend(write_data(&runs, &layers, &lines[..2], out)?);
    Ok(files)
}

impl Measured {
    fn of(sweeper: &Sweeper<'_>, run: &Path) -> anyhow::Result<Self> {
        let policy = SavedPolicy::load(run, sweeper.registry)?;
        let kept = Kept::of_all(&policy)?;
        let [first, second] = kept.as_slice() else { anyhow::bail!("{}: it has not two phases", run.display()) };
        let layout = policy.agent.network().layout();
        let compared = |compare| {
            let found = by_layer(layout, [&first.importance, &second.importance], compare);
            found.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect()
        };
        let Some(Value::Integer(patch)) = policy.config.curriculum.tasks[second.task].options.get("patch") else {
            anyhow::bail!("{}: its second game has no patch", run.display())
        };
        let last = Run::read(run)?.matrix.rows.pop().with_context(|| format!("{}: no scores", run.display()))?;
        Ok(Self {
            patch: *patch,
            seed: policy.config.seed,
            layers: layers(layout).into_iter().map(|layer| layer.name).collect(),
            overlaps: compared(overlap),
            chances: compared(chance_overlap),
            scores: last.normalized,
        })
    }
}

/// Writes the means, and what each run has.
fn write_data(runs: &[Measured], layers: &[String], lines: &[NamedLine], out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (means, each) = (out.join("overlap.csv"), out.join("overlap-runs.csv"));
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["patch", "layer", "mean", "low", "high"])?;
    for (patch, line) in PATCHES.into_iter().zip(lines) {
        for (layer, point) in layers.iter().zip(&line.points) {
            let (low, high) = point.band.map(|band| (band.low, band.high)).unzip();
            rows.serialize((patch, layer, point.y, low, high))?;
        }
    }
    snapshot::replace(&means, &rows.into_inner()?)?;
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["patch", "seed", "first_game", "second_game", "layer", "overlap", "chance"])?;
    for run in runs {
        for (layer, values) in layers.iter().zip(run.overlaps.iter().zip(&run.chances)) {
            rows.serialize((run.patch, run.seed, &run.scores, layer, values))?;
        }
    }
    snapshot::replace(&each, &rows.into_inner()?)?;
    Ok(vec![means, each])
}
