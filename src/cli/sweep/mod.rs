//! `engram sweep` and `engram compare`: many runs of one experiment, trained, gone on with, and watched.

pub(super) mod args;
mod cost;
mod slurm;
mod status;

use std::{collections::BTreeMap, ffi::OsString, path::Path, process::ExitCode};

use engram_envs::Registry;
use indicatif::{DecimalBytes, HumanDuration};

use args::{CompareArgs, SweepArgs, SweepCommand, SweepWays};
use slurm::{Cluster, ClusterArgs};

use super::{Exit, complain, output::print_json, print, shell};
use crate::{
    stop::Stop,
    sweep::{
        Plan, PlannedRun, RUNS, Standing, Summary, Sweep, View,
        local::{Ending, Workers},
        slurm::check,
    },
};

/// Runs `engram sweep`.
pub(super) fn run(registry: &Registry, args: &SweepArgs, python: Option<&Path>) -> anyhow::Result<ExitCode> {
    match (&args.command, &args.plan) {
        (Some(SweepCommand::Status(args)), _) => status::run(args),
        (None, path) => {
            let path = path.as_deref().unwrap_or(Path::new(""));
            let own = path.parent().filter(|folder| args.ways.name.is_none() && folder.join(RUNS).exists());
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            // The plan that lies in a sweep's folder is that sweep's.
            let folder = own.map_or_else(|| args.ways.folder(&stem), Path::to_owned);
            train(registry, &Sweep::read_plan(path)?, &folder, (&args.ways, &args.cluster), python)
        }
    }
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
    if cluster.on == Some(Cluster::Slurm) {
        let options = cluster.options(ways, resume_options(ways, python));
        check(&options)?;
        if let Some((sweep, pending)) = prepare(registry, plan, folder, ways, ways.workers.unwrap_or(usize::MAX))? {
            slurm::submit(&sweep, &pending, &options, ways)?;
        }
        return Ok(Exit::Done.into());
    }
    let Some((sweep, outcome)) = complete(registry, plan, folder, ways, python)? else { return Ok(Exit::Done.into()) };
    outcome.report(&sweep, ways)?;
    Ok(outcome.exit().into())
}

/// Trains what a plan lacks, after saying how much that is; nothing if only that is asked for.
pub(super) fn complete(
    registry: &Registry,
    plan: &Plan,
    folder: &Path,
    ways: &SweepWays,
    python: Option<&Path>,
) -> anyhow::Result<Option<(Sweep, Outcome)>> {
    let prepared = prepare(registry, plan, folder, ways, ways.worker_count())?;
    let Some((sweep, pending)) = prepared else { return Ok(None) };
    let outcome = Outcome::train(&sweep, &pending, ways, python)?;
    Ok(Some((sweep, outcome)))
}

/// Says how much a plan lacks, so many runs being trained at a time, and makes its folder; the sweep with the runs that are
/// not at their end, or nothing if only to say it was asked for.
fn prepare(
    registry: &Registry,
    plan: &Plan,
    folder: &Path,
    ways: &SweepWays,
    workers: usize,
) -> anyhow::Result<Option<(Sweep, Vec<usize>)>> {
    let runs = plan.runs(registry)?;
    let sweep = Sweep::of(folder, &runs);
    let standings = sweep.standings();
    let pending: Vec<usize> = (0..runs.len()).filter(|index| !standings[*index].is_finished()).collect();
    if !ways.quiet {
        complain(&preview(registry, &sweep, &runs, &standings, &pending, workers));
    }
    if ways.dry_run {
        if ways.output.json {
            let summary = Summary::new(&sweep, &standings);
            print_json(&serde_json::json!({ "folder": sweep.folder, "summary": summary, "failed": [] }))?;
        }
        return Ok(None);
    }
    sweep.write(plan, &runs)?;
    Ok(Some((sweep, pending)))
}

/// What `engram resume` is told of a run.
fn resume_options(ways: &SweepWays, python: Option<&Path>) -> Vec<OsString> {
    let mut options = vec!["--checkpoint-period".into(), (&ways.checkpoint_period).into()];
    if let Some(python) = python {
        options.extend(["--python".into(), python.into()]);
    }
    options
}

/// How many runs there are and where they stand, and about how much time and disk they need.
fn preview(
    registry: &Registry,
    sweep: &Sweep,
    runs: &[PlannedRun],
    standings: &[Standing],
    pending: &[usize],
    workers: usize,
) -> String {
    let counts = counts(&Summary::new(sweep, standings));
    let Some(first) = pending.first() else { return format!("{}: {counts}", sweep.folder.display()) };
    let workers = workers.min(pending.len());
    let head = format!(
        "{}: {counts}\n{} to train, {workers} at a time",
        sweep.folder.display(),
        plural(pending.len(), "run"),
    );
    // A run that breaks at once stops no other, so it is no reason not to begin.
    let Ok(cost) = cost::of(registry, sweep, standings, &runs[*first]) else {
        return format!("{head}: how long it takes is not known, the first one breaks within a second");
    };
    let left: u64 =
        pending.iter().map(|index| runs[*index].steps - standings[*index].step.min(runs[*index].steps)).sum();
    // No run is shared by two workers.
    let longest = pending.iter().map(|index| runs[*index].steps).max().unwrap_or(0);
    let steps = (left as f64 / workers as f64).max(longest.min(left) as f64);
    let bytes: f64 = pending.iter().map(|index| cost.bytes(runs[*index].steps)).sum();
    format!("{head}: about {}, {} of disk", HumanDuration(cost.time(steps)), DecimalBytes(bytes as u64))
}

/// How the runs of a sweep have ended.
pub(super) struct Outcome {
    endings: Vec<(usize, Ending)>,
    signal: Option<usize>,
}

impl Outcome {
    /// Trains the runs of these indices on this machine.
    fn train(sweep: &Sweep, pending: &[usize], ways: &SweepWays, python: Option<&Path>) -> anyhow::Result<Self> {
        let (program, arguments) = (std::env::current_exe()?, resume_options(ways, python));
        let workers = Workers { count: ways.worker_count(), program, arguments };
        let stop = Stop::on_signals()?;
        let endings = workers.train(sweep, pending, &stop, &mut View::new(sweep, pending, ways.quiet));
        Ok(Self { endings, signal: stop.signal() })
    }

    /// Says where the sweep stands now, and what comes next.
    fn report(&self, sweep: &Sweep, ways: &SweepWays) -> anyhow::Result<()> {
        let summary = Summary::new(sweep, &sweep.standings());
        let failed = self.failed(sweep);
        if ways.output.json {
            let failed: Vec<_> =
                failed.iter().map(|(run, line)| serde_json::json!({ "run": run, "last_line": line })).collect();
            print_json(&serde_json::json!({ "folder": sweep.folder, "summary": summary, "failed": failed }))?;
        } else if !ways.quiet {
            print(&format!("{}: {}\n", sweep.folder.display(), counts(&summary)))?;
            for (run, line) in &failed {
                print(&format!("failed: {run}: {line}\n"))?;
            }
            let folder = shell::quoted(&sweep.folder);
            match self.signal {
                Some(_) => print("the same command again goes on\n")?,
                None if summary.finished > 0 => print(&format!("next:\n  engram report {folder}\n"))?,
                None => {}
            }
        }
        Ok(())
    }

    /// Which runs have failed, with the last line that each said.
    fn failed<'a>(&'a self, sweep: &'a Sweep) -> BTreeMap<&'a str, &'a str> {
        let failure = |(index, ending): &'a (usize, Ending)| match ending {
            Ending::Failed(line) => Some((sweep.runs[*index].run.as_str(), line.as_str())),
            _ => None,
        };
        self.endings.iter().filter_map(failure).collect()
    }

    /// The exit code of the command.
    pub fn exit(&self) -> Exit {
        let failed = self.endings.iter().any(|(_, ending)| matches!(ending, Ending::Failed(_)));
        match self.signal {
            Some(signal) => Exit::Signal(signal as u8),
            None if failed => Exit::Broken,
            None => Exit::Done,
        }
    }
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
