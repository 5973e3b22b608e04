//! Who makes a plan into finished runs: what a sweep lacks is counted, costed, written down and trained.

use std::{ffi::OsString, path::Path};

use engram_envs::Registry;
use indicatif::{DecimalBytes, HumanDuration};

use super::{args::SweepWays, cost, counts, outcome::SweepOutcome, plural};
use crate::{
    cli::{complain, output::print_json},
    stop::Stop,
    sweep::{Plan, PlannedRun, Standing, Summary, Sweep, View, local::Workers},
};

/// What all sweeps of a command share.
pub struct Sweeper<'a> {
    pub registry: &'a Registry,
    pub ways: &'a SweepWays,
    /// The interpreter for environments of Gymnasium, if one was given.
    pub python: Option<&'a Path>,
    /// One for the whole command: a signal between two sweeps counts, too.
    pub stop: Stop,
}

/// A sweep whose folder is made.
pub struct Prepared {
    pub sweep: Sweep,
    /// The runs that are not at their end.
    pub pending: Vec<usize>,
    /// Held for as long as no other process may plan or submit in the folder.
    pub lock: std::fs::File,
}

impl<'a> Sweeper<'a> {
    /// Hears signals from here on.
    pub fn new(registry: &'a Registry, ways: &'a SweepWays, python: Option<&'a Path>) -> anyhow::Result<Self> {
        Ok(Self { registry, ways, python, stop: Stop::on_signals()? })
    }

    /// Trains what a plan lacks, after saying how much that is; nothing if only that is asked for.
    pub fn complete(&self, plan: &Plan, folder: &Path) -> anyhow::Result<Option<(Sweep, SweepOutcome)>> {
        let Some(Prepared { sweep, pending, lock }) = self.prepare(plan, folder, self.ways.worker_count())? else {
            return Ok(None);
        };
        drop(lock);
        let (program, arguments) = (std::env::current_exe()?, self.resume_options());
        let workers = Workers { count: self.ways.worker_count(), program, arguments };
        let mut view = View::new(&sweep, &pending, self.ways.quiet);
        let endings = workers.train(&sweep, &pending, &self.stop, &mut view);
        Ok(Some((sweep, SweepOutcome { endings, signal: self.stop.signal() })))
    }

    /// Says how much a plan lacks, so many runs being trained at a time, and makes its folder; nothing if only to say it was
    /// asked for.
    pub fn prepare(&self, plan: &Plan, folder: &Path, workers: usize) -> anyhow::Result<Option<Prepared>> {
        let runs = plan.runs(self.registry)?;
        let sweep = Sweep::of(folder, &runs);
        let standings = sweep.standings();
        let pending: Vec<usize> = (0..runs.len()).filter(|index| !standings[*index].is_finished()).collect();
        let left_out = sweep.left_out();
        if left_out > 0 {
            complain(&format!(
                "warning: {} of an earlier plan in {} will not count any more; another --name keeps both apart",
                plural(left_out, "run"),
                folder.display()
            ));
        }
        if !self.ways.quiet {
            complain(&self.preview(&sweep, &runs, &standings, &pending, workers));
        }
        if self.ways.dry_run {
            if self.ways.output.json {
                let summary = Summary::new(&sweep, &standings);
                print_json(
                    &serde_json::json!({ "folder": sweep.folder, "summary": summary, "failed": [], "submitted": [] }),
                )?;
            }
            return Ok(None);
        }
        let lock = sweep.write(plan, &runs)?;
        Ok(Some(Prepared { sweep, pending, lock }))
    }

    /// What `engram resume` is told of a run.
    pub fn resume_options(&self) -> Vec<OsString> {
        let mut options = vec!["--checkpoint-period".into(), (&self.ways.checkpoint_period).into()];
        if let Some(python) = self.python {
            options.extend(["--python".into(), python.into()]);
        }
        options
    }

    /// How many runs there are and where they stand, and about how much time and disk they need.
    fn preview(
        &self,
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
        let Ok(cost) = cost::of(self.registry, sweep, standings, &runs[*first], &self.stop) else {
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
}
