//! What Slurm's queue says about the runs of a sweep.

use std::{collections::BTreeMap, path::Path};

use super::{
    commands::{Slurm, SlurmError},
    job_list::{self, ArrayJob},
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

/// Where each run that was ever submitted of the sweep in `folder` stands, by its index in `runs.csv`.
pub fn queue(folder: &Path) -> Result<BTreeMap<usize, Queued>, SlurmError> {
    queue_by(&Slurm::default(), folder)
}

pub(super) fn queue_by(slurm: &Slurm, folder: &Path) -> Result<BTreeMap<usize, Queued>, SlurmError> {
    let jobs = job_list::read(folder)?;
    if jobs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<_> = jobs.iter().map(|job| job.job.to_string()).collect();
    let arguments = ["--noheader", "--array", "--format=%F|%K|%N|%r", &format!("--jobs={}", ids.join(","))];
    match slurm.say("squeue", arguments) {
        Ok(listing) => join(&jobs, &listing),
        // So it answers when it was asked for a single job, and that one ended a while ago.
        Err(SlurmError::Refused { said, .. }) if said.contains("Invalid job id") => join(&jobs, ""),
        Err(error) => Err(error),
    }
}

/// The jobs with the lines `array job|index|node|reason` of `squeue`.
fn join(jobs: &[ArrayJob], listing: &str) -> Result<BTreeMap<usize, Queued>, SlurmError> {
    let mut runs = BTreeMap::new();
    for job in jobs {
        let own = job.runs().ok_or_else(|| SlurmError::Malformed { what: "slurm.csv", text: job.indices.clone() })?;
        runs.extend(own.into_iter().map(|run| (run, Queued::Gone)));
    }
    for line in listing.lines() {
        let malformed = || SlurmError::Malformed { what: "what squeue said", text: line.into() };
        let mut fields = line.trim().splitn(4, '|');
        let mut next = || fields.next().ok_or_else(malformed);
        let (id, index, node, reason) = (next()?, next()?, next()?, next()?);
        let id: u64 = id.parse().map_err(|_| malformed())?;
        let index: usize = index.parse().map_err(|_| malformed())?;
        if let Some(job) = jobs.iter().find(|job| job.job == id) {
            let queued = if node.is_empty() {
                Queued::Waiting { reason: reason.into() }
            } else {
                Queued::Running { node: node.into() }
            };
            runs.insert(job.offset + index, queued);
        }
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(reason: &str) -> Queued {
        Queued::Waiting { reason: reason.into() }
    }

    fn running(node: &str) -> Queued {
        Queued::Running { node: node.into() }
    }

    #[test]
    fn the_queue_is_joined_by_job_and_index() {
        let jobs = [
            ArrayJob { job: 12, offset: 0, indices: "0-2".into() },
            ArrayJob { job: 15, offset: 1001, indices: "4".into() },
        ];
        let listing = "12|1|left|None\n12|2||Nodes are DOWN|really\n15|4||Priority\n99|0|other|None\n";
        let expected = [
            (0, Queued::Gone),
            (1, running("left")),
            (2, waiting("Nodes are DOWN|really")),
            (1005, waiting("Priority")),
        ];
        assert_eq!(join(&jobs, listing).unwrap(), BTreeMap::from(expected));
        for damaged in ["12|1|left", "x|1|left|None", "12|1-3||None", ""] {
            assert_eq!(join(&jobs, damaged).is_err(), !damaged.is_empty(), "{damaged}");
        }
    }

    #[test]
    fn a_run_submitted_twice_stands_where_the_queue_has_it() {
        let job = |job| ArrayJob { job, offset: 0, indices: "3".into() };
        for listing in ["1|3|left|None\n", "2|3|left|None\n"] {
            assert_eq!(join(&[job(1), job(2)], listing).unwrap(), BTreeMap::from([(3, running("left"))]));
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
