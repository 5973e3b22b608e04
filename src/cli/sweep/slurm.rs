//! `--on slurm`: the runs of a sweep are handed to a cluster instead of being trained here.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    time::Duration,
};

use clap::{Args, ValueEnum};

use super::{args::SweepWays, plural};
use crate::cli::{
    complain, output::print_json, print, shell, train_args::checkpoint_period, training::CheckpointPeriod,
};
use crate::sweep::{
    Summary, Sweep,
    slurm::{self, Queued, SlurmOptions, Task},
};

/// Who else can train the runs of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cluster {
    /// Slurm, as an array job.
    Slurm,
}

/// Where the runs of a sweep are trained, if not here.
#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Submits the runs to a cluster and returns; `engram sweep status` says where they stand [default: trained here]
    #[arg(long, value_name = "CLUSTER")]
    pub on: Option<Cluster>,
    /// The time limit of a job: 5m or more, such as 90m or 2h; a run that needs longer saves, and its job is queued again
    /// [default: the partition's]
    #[arg(long, value_name = "TIME", requires = "on", value_parser = time)]
    pub time: Option<Duration>,
    /// The partition of the cluster [default: the cluster's]
    #[arg(long, value_name = "NAME", requires = "on")]
    pub partition: Option<String>,
    /// A further option of sbatch, such as --sbatch=--mem=2G; may be given many times
    #[arg(long, value_name = "OPTION", requires = "on", allow_hyphen_values = true)]
    pub sbatch: Vec<String>,
}

impl ClusterArgs {
    /// How Slurm is asked to train runs in these ways.
    pub fn options(&self, ways: &SweepWays, resume: Vec<OsString>) -> SlurmOptions {
        SlurmOptions {
            jobs: ways.workers,
            time: self.time,
            partition: self.partition.clone(),
            sbatch: self.sbatch.clone(),
            resume,
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    match checkpoint_period(text) {
        Ok(CheckpointPeriod::Time(time)) => Ok(time),
        _ => Err("it must be a time such as 90m or 2h".into()),
    }
}

/// Submits runs of a sweep, and says as which jobs.
pub(super) fn submit(sweep: &Sweep, pending: &[usize], options: &SlurmOptions, ways: &SweepWays) -> anyhow::Result<()> {
    let tasks = slurm::submit(sweep, &std::env::current_exe()?, pending, options)?;
    if ways.output.json {
        let summary = Summary::new(sweep, &sweep.standings());
        print_json(
            &serde_json::json!({ "folder": sweep.folder, "summary": summary, "failed": [], "submitted": tasks }),
        )?;
    } else if !ways.quiet {
        print(&format!("{}\nnext:\n  engram sweep status {}\n", said(&tasks), shell::quoted(&sweep.folder)))?;
    }
    Ok(())
}

fn said(tasks: &[Task]) -> String {
    let jobs: BTreeSet<u64> = tasks.iter().map(|task| task.job).collect();
    let jobs: Vec<_> = jobs.iter().map(ToString::to_string).collect();
    match jobs.len() {
        0 => "nothing to submit: every run has finished or is in the queue".into(),
        1 => format!("{} submitted as job {}", plural(tasks.len(), "run"), jobs[0]),
        _ => format!("{} submitted as jobs {}", plural(tasks.len(), "run"), jobs.join(", ")),
    }
}

/// Where the runs that were submitted stand in the queue, by name; none, with a warning, if Slurm does not say.
pub(super) fn queue(sweep: &Sweep) -> BTreeMap<String, Queued> {
    slurm::queue(&sweep.folder).unwrap_or_else(|error| {
        complain(&format!("warning: where the runs stand in Slurm's queue is not known: {error}"));
        BTreeMap::new()
    })
}

/// How many of the runs that are not at their end stand where in the queue, as a line; nothing if none was submitted.
pub(super) fn counts<'a>(queued: impl Iterator<Item = (&'a Queued, bool)>) -> String {
    let mut counts = [(0, "running"), (0, "requeued"), (0, "pending"), (0, "gone without finishing")];
    for (queued, begun) in queued {
        let place = match queued {
            Queued::Running { .. } => 0,
            Queued::Waiting { .. } if begun => 1,
            Queued::Waiting { .. } => 2,
            Queued::Gone => 3,
        };
        counts[place].0 += 1;
    }
    let parts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { String::new() } else { format!("on Slurm: {}\n", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_named() {
        let task = |job| Task { job, index: 0, run: "a".into() };
        assert_eq!(said(&[]), "nothing to submit: every run has finished or is in the queue");
        assert_eq!(said(&[task(7)]), "1 run submitted as job 7");
        assert_eq!(said(&[task(7), task(7), task(8)]), "3 runs submitted as jobs 7, 8");
    }

    #[test]
    fn limits_are_times() {
        assert_eq!(time("2h"), Ok(Duration::from_hours(2)));
        for text in ["120", "0", "2 h", "2:00"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_queue_is_counted() {
        let waiting = Queued::Waiting { reason: "Priority".into() };
        let running = Queued::Running { node: "n1".into() };
        let queued = [(&waiting, false), (&waiting, true), (&running, true), (&waiting, false)];
        assert_eq!(counts(queued.into_iter()), "on Slurm: 1 running, 1 requeued, 2 pending\n");
        assert_eq!(counts(std::iter::empty()), "");
    }
}
