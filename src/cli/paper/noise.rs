//! `engram paper noise`: may those weights really move that the Fisher information calls unimportant? After the noise test of
//! Kirkpatrick et al. 2017.

use std::path::{Path, PathBuf};

use engram_agents::continual::MethodName;

use super::plan_of;
use crate::{
    cli::{
        fisher::{DAMPING, Kept, MAGNITUDES, NoiseTest},
        saved_policy::SavedPolicy,
        sweep::Sweeper,
    },
    figure::{self, NamedLine, Noises},
    fisher_analysis::Noise,
    snapshot,
    statistics::mean,
    sweep::{Plan, Sweep},
};

/// How often each noise is drawn on each agent.
const DRAWS: u64 = 20;

/// One game, so that all its parameters have an importance, and the Fisher information as it comes.
const SETTINGS: &str = r#"
curriculum.tasks = [{ env = "Catch" }]
agent.network.conditioning = "none"
method.fisher.leak = 0.0
"#;

/// Catch alone, ten seeds.
pub(super) fn plan(quick: bool) -> anyhow::Result<Plan> {
    let plan = plan_of("catch-5", if quick { 2 } else { 10 });
    Ok(Plan { methods: vec![MethodName::Ewc], set: toml::from_str(SETTINGS)?, ..plan })
}

/// The scores of one agent.
struct Played {
    seed: u64,
    parameters: usize,
    null_space: usize,
    /// Of each shape of noise, the mean over draws at each magnitude.
    scores: [Vec<f64>; 3],
}

/// Draws the score under noise and writes its numbers.
pub(super) fn write(sweeper: &Sweeper<'_>, sweep: &Sweep, out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let agents = sweep.runs.iter().map(|entry| Played::of(sweeper, &sweep.folder.join(&entry.run)));
    let agents = agents.collect::<anyhow::Result<Vec<_>>>()?;
    let lines: Vec<NamedLine> = (0..Noise::ALL.len()).map(|shape| line(shape, &agents)).collect();
    let noises = Noises {
        title: "May unimportant weights move? Catch, with noise on the parameters".into(),
        subtitle: format!(
            "{} agents, {DRAWS} draws each; mean over agents with 95 % bootstrap interval. All noise is equally long.",
            agents.len()
        ),
        lines: &lines,
    };
    let mut files = figure::noises(&noises)?.write(out, "noise")?;
    files.extend(write_data(&agents, &lines, out)?);
    Ok(files)
}

impl Played {
    fn of(sweeper: &Sweeper<'_>, run: &Path) -> anyhow::Result<Self> {
        let mut policy = SavedPolicy::load(run, sweeper.registry)?;
        let kept = Kept::of_all(&policy)?;
        let test = NoiseTest { damping: DAMPING, draws: DRAWS, tasks: &[0] };
        let found = test.run(&mut policy, &Kept::sum(&kept), &sweeper.stop)?;
        let scores = found.scores.map(|magnitudes| magnitudes.iter().map(|draws| mean(draws)).collect());
        let (parameters, null_space) = (found.parameters, found.null_space);
        Ok(Self { seed: policy.config.seed, parameters, null_space, scores })
    }
}

/// The mean score over agents under noise of one shape.
fn line(shape: usize, agents: &[Played]) -> NamedLine {
    let label = ["inverse: covariance 1 / (F + c)", "uniform", "null space of F alone"][shape];
    let scores: Vec<&[f64]> = agents.iter().map(|agent| agent.scores[shape].as_slice()).collect();
    NamedLine::over_runs(label, MAGNITUDES, &scores)
}

/// Writes the means, and what each agent has.
fn write_data(agents: &[Played], lines: &[NamedLine], out: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (means, each) = (out.join("noise.csv"), out.join("noise-runs.csv"));
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["noise", "magnitude", "score", "low", "high"])?;
    for (noise, line) in Noise::ALL.into_iter().zip(lines) {
        for point in &line.points {
            let (low, high) = point.band.map(|band| (band.low, band.high)).unzip();
            rows.serialize((noise.as_str(), point.x, point.y, low, high))?;
        }
    }
    snapshot::replace(&means, &rows.into_inner()?)?;
    let mut rows = csv::Writer::from_writer(Vec::new());
    rows.write_record(["seed", "parameters", "null_space", "noise", "magnitude", "score"])?;
    for agent in agents {
        for (noise, scores) in Noise::ALL.into_iter().zip(&agent.scores) {
            for (magnitude, score) in MAGNITUDES.into_iter().zip(scores) {
                rows.serialize((agent.seed, agent.parameters, agent.null_space, noise.as_str(), magnitude, score))?;
            }
        }
    }
    snapshot::replace(&each, &rows.into_inner()?)?;
    Ok(vec![means, each])
}
