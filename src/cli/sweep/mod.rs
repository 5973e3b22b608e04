//! `engram sweep` and `engram compare`: many runs of one experiment, trained, gone on with, and watched.

pub(super) mod args;
mod cost;
mod outcome;
mod slurm;
mod status;
mod sweeper;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use engram_envs::Registry;

pub(super) use outcome::SweepOutcome;
pub(super) use sweeper::{Prepared, Sweeper};

use args::{CompareArgs, SweepArgs, SweepCommand, SweepWays};
use slurm::{Cluster, ClusterArgs};

use super::{Exit, complain};
use crate::sweep::{PLAN, Plan, Summary, Sweep, slurm::check};

/// Runs `engram sweep`.
pub(super) fn run(registry: &Registry, args: &SweepArgs, python: Option<&Path>) -> anyhow::Result<ExitCode> {
    match (&args.command, &args.plan) {
        (Some(SweepCommand::Status(args)), _) => status::run(args),
        (None, path) => {
            let path = path.as_deref().unwrap_or(Path::new(""));
            // A sweep's folder stands for the plan that lies in it.
            let path = if path.is_dir() { path.join(PLAN) } else { path.to_owned() };
            let folder = own_folder(&path, &args.ways);
            train(registry, &Sweep::read_plan(&path)?, &folder, (&args.ways, &args.cluster), python)
        }
    }
}

/// The folder of a plan's sweep: the one it lies in if that is a sweep's already.
fn own_folder(plan: &Path, ways: &SweepWays) -> PathBuf {
    let around = plan.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_own = plan.file_name().is_some_and(|name| name == PLAN) && Sweep::open(around).is_ok();
    if is_own && ways.name.is_none() {
        return around.to_owned();
    }
    ways.folder(&plan.file_stem().unwrap_or_default().to_string_lossy())
}

/// Runs `engram compare`.
pub(super) fn compare(registry: &Registry, args: &CompareArgs, python: Option<&Path>) -> anyhow::Result<ExitCode> {
    let folder = args.ways.folder(&format!("{}-compared", args.experiment.short_name()));
    train(registry, &args.plan(), &folder, (&args.ways, &args.cluster), python)
}

/// Trains what a plan lacks, or submits it, and says how it went and what comes next.
fn train(
    registry: &Registry,
    plan: &Plan,
    folder: &Path,
    (ways, cluster): (&SweepWays, &ClusterArgs),
    python: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    if plan.tunes_on_reported_seeds() {
        complain(
            "warning: strengths are varied on seeds of results (from 100 on): to choose among these by their scores is to \
             tune on what is reported; `engram tune`, or --first-seed 0, chooses on others",
        );
    }
    let sweeper = Sweeper::new(registry, ways, python)?;
    if cluster.on == Some(Cluster::Slurm) {
        let options = cluster.options(ways, sweeper.resume_options());
        check(&options)?;
        // The lock is held until all is submitted: no other process shall submit the same runs.
        let prepared = sweeper.prepare(plan, folder, ways.workers.unwrap_or(usize::MAX))?;
        if let Some(Prepared { sweep, pending, lock: _lock }) = prepared {
            slurm::submit(&sweep, &pending, &options, ways)?;
        }
        return Ok(Exit::Done.into());
    }
    let Some((sweep, outcome)) = sweeper.complete(plan, folder)? else { return Ok(Exit::Done.into()) };
    outcome.report(&sweep, ways)?;
    Ok(outcome.exit().into())
}

/// How many runs stand where, in words.
fn counts(summary: &Summary) -> String {
    let Summary { runs, finished, failed, running, stopped, new, .. } = *summary;
    let parts = [
        (finished, "finished"),
        (running, "running or killed"),
        (stopped, "stopped"),
        (failed, "failed"),
        (new, "not begun"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    format!("{}, {}", plural(runs, "run"), parts.collect::<Vec<_>>().join(", "))
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
