//! What Slurm's queue says about the runs of a sweep.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    commands::{Slurm, SlurmError},
    tasks::{self, Task},
};

/// Where a run that was submitted stands in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queued {
    /// It waits for its turn.
    Waiting {
        /// Why, in Slurm's words: `Resources`, `Priority`, `BeginTime`, …
        reason: String,
    },
    /// It has a node.
    Running {
        /// The node's name.
        node: String,
    },
    /// The queue does not know it any more: it has finished, failed, or was cancelled.
    Gone,
}

impl Queued {
    /// A few words about a run that has not finished; `begun` if it was trained before, for a while.
    pub fn text(&self, begun: bool) -> String {
        match self {
            Self::Waiting { reason } if begun => format!("requeued ({reason})"),
            Self::Waiting { reason } => format!("pending ({reason})"),
            Self::Running { node } => format!("running on {node}"),
            Self::Gone => "gone without finishing".into(),
        }
    }
}

/// Where each run stands that was ever submitted of the sweep in `folder`, by the name of its run directory.
pub fn queue(folder: &Path) -> Result<BTreeMap<String, Queued>, SlurmError> {
    queue_by(&Slurm::default(), folder)
}

pub(super) fn queue_by(slurm: &Slurm, folder: &Path) -> Result<BTreeMap<String, Queued>, SlurmError> {
    let tasks = tasks::read(folder)?;
    if tasks.is_empty() {
        return Ok(BTreeMap::new());
    }
    let jobs: BTreeSet<u64> = tasks.iter().map(|task| task.job).collect();
    let jobs: Vec<_> = jobs.iter().map(ToString::to_string).collect();
    let arguments = ["--noheader", "--array", "--format=%F|%K|%N|%r", &format!("--jobs={}", jobs.join(","))];
    match slurm.say("squeue", arguments) {
        Ok(listing) => join(&tasks, &listing),
        // So it answers when it was asked for a single job, and that one ended a while ago.
        Err(SlurmError::Refused { said, .. }) if said.contains("Invalid job id") => join(&tasks, ""),
        Err(error) => Err(error),
    }
}

/// The tasks with the lines `array job|index|node|reason` of `squeue`.
fn join(tasks: &[Task], listing: &str) -> Result<BTreeMap<String, Queued>, SlurmError> {
    let names: BTreeMap<_, _> = tasks.iter().map(|task| ((task.job, task.index), &task.run)).collect();
    let mut runs: BTreeMap<_, _> = tasks.iter().map(|task| (task.run.clone(), Queued::Gone)).collect();
    for line in listing.lines() {
        let (task, queued) = parse(line).ok_or_else(|| SlurmError::Malformed("squeue", line.into()))?;
        if let Some(run) = names.get(&task) {
            runs.insert((*run).clone(), queued);
        }
    }
    Ok(runs)
}

fn parse(line: &str) -> Option<((u64, usize), Queued)> {
    let mut fields = line.trim().splitn(4, '|');
    let task = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let (node, reason) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    Some((task, if node.is_empty() { Queued::Waiting { reason } } else { Queued::Running { node } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(job: u64, index: usize, run: &str) -> Task {
        Task { job, index, run: run.into() }
    }

    fn waiting(reason: &str) -> Queued {
        Queued::Waiting { reason: reason.into() }
    }

    fn running(node: &str) -> Queued {
        Queued::Running { node: node.into() }
    }

    #[test]
    fn the_queue_is_joined_by_job_and_index() {
        let tasks = [task(12, 0, "a"), task(12, 1, "b"), task(12, 2, "c"), task(15, 1, "d")];
        let listing = "12|1|left|None\n12|2||Nodes are DOWN|really\n15|1||Priority\n99|0|other|None\n";
        let expected = [
            ("a", Queued::Gone),
            ("b", running("left")),
            ("c", waiting("Nodes are DOWN|really")),
            ("d", waiting("Priority")),
        ];
        assert_eq!(join(&tasks, listing).unwrap(), expected.map(|(run, queued)| (run.to_owned(), queued)).into());
        for damaged in ["12|1|left", "x|1|left|None", "12|1-3||None"] {
            assert!(join(&tasks, damaged).is_err(), "{damaged}");
        }
    }

    #[test]
    fn a_run_submitted_twice_stands_where_the_queue_has_it() {
        for listing in ["1|3|left|None\n", "2|0|left|None\n"] {
            let queued = join(&[task(1, 3, "a"), task(2, 0, "a")], listing).unwrap();
            assert_eq!(queued, BTreeMap::from([("a".to_owned(), running("left"))]));
        }
    }

    #[test]
    fn words_tell_a_requeued_run_from_one_that_was_never_begun() {
        assert_eq!(waiting("BeginTime").text(true), "requeued (BeginTime)");
        assert_eq!(waiting("Priority").text(false), "pending (Priority)");
        assert_eq!(running("n1").text(true), "running on n1");
        assert_eq!(Queued::Gone.text(true), "gone without finishing");
    }
}
