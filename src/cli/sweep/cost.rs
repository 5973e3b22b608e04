//! About how much time and disk the runs of a sweep need.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use engram_agents::continual::MethodName;
use engram_envs::Registry;

use crate::{
    cli::{
        output::Output,
        training::{CheckpointPeriod, Training, Ways},
    },
    config::Config,
    run_directory::{Place, RunDirectory},
    sink::{Sink as _, Start},
    stop::{Due, Stop},
    sweep::{PlannedRun, Standing, Sweep},
    trainer::Trainer,
};

/// How long is measured: a second, which shows a rate and is over soon.
const CALIBRATION: Duration = Duration::from_secs(1);

/// What a run costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    seconds_per_step: f64,
    bytes_per_step: f64,
    /// What does not depend on the number of steps: parameters and what is kept of each phase.
    bytes: f64,
}

impl Cost {
    /// How long so many steps take, one after the other.
    pub fn time(&self, steps: f64) -> Duration {
        Duration::try_from_secs_f64(steps * self.seconds_per_step).unwrap_or(Duration::MAX)
    }

    /// The size of a run directory at its end.
    pub fn bytes(&self, steps: u64) -> f64 {
        self.bytes + steps as f64 * self.bytes_per_step
    }
}

/// The cost of the runs of a sweep: a moment of one that is to be trained is played in a folder for the time being. Where
/// some have finished, the time they took counts.
pub fn of(
    registry: &Registry,
    sweep: &Sweep,
    standings: &[Standing],
    run: &PlannedRun,
    stop: &Stop,
) -> anyhow::Result<Cost> {
    let mut cost = measure(registry, run, stop)?;
    let finished = sweep.runs.iter().zip(standings).filter(|(_, standing)| standing.is_finished());
    let (steps, seconds) = finished
        .fold((0, 0.0), |(steps, seconds), (entry, standing)| (steps + entry.steps, seconds + standing.seconds));
    if steps > 0 {
        cost.seconds_per_step = seconds / steps as f64;
    }
    Ok(cost)
}

fn measure(registry: &Registry, run: &PlannedRun, stop: &Stop) -> anyhow::Result<Cost> {
    let config: Config = toml::from_str(&run.config)?;
    let folder = tempfile::tempdir().context("no folder to try a run in")?;
    let place = Place { path: Some(folder.path().join("run")), ..Place::default() };
    let directory = RunDirectory::create(&place, &config, &run.config)?;
    let trainer = Trainer::new(&config, registry)?;
    let ways = Ways { checkpoint_period: CheckpointPeriod::Never, quiet: true, output: Output::default() };
    let mut training = Training::new(trainer, &directory, (&config, &run.config), Start::New, ways)?;
    // What a trial warns of, the run itself will say: the last sink is the one that speaks.
    training.sinks.pop();
    // Steps before the first update cost next to nothing.
    training.trainer.run_until(Due::Step(config.agent.warmup_steps as u64), &mut training.sinks, stop)?;
    let (start, from) = (Instant::now(), training.trainer.step());
    training.trainer.run_until(Due::Time(start + CALIBRATION), &mut training.sinks, stop)?;
    let seconds = start.elapsed().as_secs_f64();
    training.sinks.flush()?;
    let steps = training.trainer.step();
    let params = 4.0 * training.trainer.agent().network().params().len() as f64;
    // An anchor and an importance a phase.
    let kept = if config.method.name == MethodName::FineTune { 0 } else { 2 * config.curriculum.phases.len() };
    Ok(Cost {
        seconds_per_step: seconds / steps.saturating_sub(from).max(1) as f64,
        bytes_per_step: size(directory.path()) / steps.max(1) as f64,
        bytes: params * (1 + kept) as f64 + run.config.len() as f64,
    })
}

/// Bytes of all tables and event files.
fn size(run: &Path) -> f64 {
    let entries = fs::read_dir(run).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file).map(|file| file.len() as f64).sum()
}
