//! A sweep on a cluster: its runs as the tasks of Slurm's array jobs.
//!
//! Slurm decides where and when a run is trained. The script of a task calls `engram resume`, which begins a run and goes
//! on with it alike, so that a task may end and be queued again at any moment.

mod commands;
mod job_list;
mod queue;

pub use commands::SlurmError;
pub use job_list::ArrayJob;
pub use queue::{Queued, queue};

use std::{ffi::OsString, path::Path, time::Duration};

use commands::Slurm;

use crate::snapshot;

/// The script of a task.
const SCRIPT: &str = include_str!("job.sh");

/// The least time limit: the script asks for its signal two minutes before the end, and Slurm may send it another minute
/// earlier.
const LEAST_TIME: Duration = Duration::from_mins(5);

/// The most tasks of one job, so that their indices always fit into one argument.
const MOST_TASKS: usize = 10_000;

/// How a sweep is submitted.
#[derive(Debug, Clone, Default)]
pub struct SlurmOptions {
    /// Runs at a time; as many as the cluster has room for where it is None.
    pub jobs: Option<usize>,
    /// The time limit of a task; the partition's own where it is None.
    pub time: Option<Duration>,
    /// The partition; the cluster's default where it is None.
    pub partition: Option<String>,
    /// Further options of `sbatch`, each as one argument; they win over all others.
    pub sbatch: Vec<String>,
    /// Options of `engram resume`, such as `--checkpoint-period` and its value.
    pub resume: Vec<OsString>,
}

/// Submits the runs `pending` of the sweep in `folder` that are not in the queue already, and notes the jobs in its
/// `slurm.csv`; returns the new jobs. `program` is Engram as the nodes see it.
///
/// The first column of the sweep's `runs.csv` must be the name of the run directory.
pub fn submit(
    folder: &Path,
    program: &Path,
    pending: &[usize],
    options: &SlurmOptions,
) -> Result<Vec<ArrayJob>, SlurmError> {
    submit_by(&Slurm::default(), folder, program, pending, options)
}

fn submit_by(
    slurm: &Slurm,
    folder: &Path,
    program: &Path,
    pending: &[usize],
    options: &SlurmOptions,
) -> Result<Vec<ArrayJob>, SlurmError> {
    if let Some(time) = options.time.filter(|time| *time < LEAST_TIME) {
        return Err(SlurmError::TooShort(time));
    }
    let folder = &std::path::absolute(folder).map_err(|cause| SlurmError::File { path: folder.into(), cause })?;
    let queued = queue::queue_by(slurm, folder)?;
    let waits = |run: &usize| queued.get(run).is_none_or(|queued| *queued == Queued::Gone);
    let arrays = split(pending.iter().copied().filter(waits).collect(), slurm.max_array_size()?)?;
    let script = folder.join("job.sh");
    snapshot::replace(&script, SCRIPT.as_bytes()).map_err(|cause| SlurmError::File { path: script.clone(), cause })?;

    let mut jobs = job_list::read(folder)?;
    let earlier = jobs.len();
    for (offset, indices) in &arrays {
        let before = jobs[earlier..].last().map(|job| job.job);
        let mut arguments = arguments(folder, indices, before, options);
        arguments.extend([script.clone().into(), folder.into(), offset.to_string().into(), program.into()]);
        arguments.extend(options.resume.iter().cloned());
        let job = slurm.say("sbatch", &arguments).and_then(|said| id(&said)).map_err(|cause| {
            let submitted = jobs.len() - earlier;
            if submitted == 0 {
                return cause;
            }
            SlurmError::Partly { submitted, jobs: arrays.len(), cause: Box::new(cause) }
        })?;
        jobs.push(ArrayJob { job, offset: *offset, indices: indices.clone() });
        // After each: a job that is noted down nowhere could not be found again.
        job_list::write(folder, &jobs)?;
    }
    Ok(jobs.split_off(earlier))
}

/// The arrays of a sweep: the run that index 0 stands for, and the indices, which are below `size`.
fn split(mut runs: Vec<usize>, size: usize) -> Result<Vec<(usize, String)>, SlurmError> {
    if size == 0 {
        return Err(SlurmError::NoArrays);
    }
    let size = size.min(MOST_TASKS);
    runs.sort_unstable();
    runs.dedup();
    let arrays = runs.chunk_by(|one, next| one / size == next / size);
    let array = |runs: &[usize]| {
        let indices: Vec<usize> = runs.iter().map(|run| run % size).collect();
        (runs[0] / size * size, job_list::compressed(&indices))
    };
    Ok(arrays.map(array).collect())
}

/// The options of `sbatch` for one array; `before` is the array before it.
fn arguments(folder: &Path, indices: &str, before: Option<u64>, options: &SlurmOptions) -> Vec<OsString> {
    let limit = options.jobs.map_or(String::new(), |jobs| format!("%{jobs}"));
    let name = folder.file_name().unwrap_or_default().display();
    // In the name of an output file a percent sign begins what Slurm replaces, unless it is doubled.
    let logs = folder.display().to_string().replace('%', "%%");
    let mut arguments = vec![
        "--parsable".into(),
        format!("--array={indices}{limit}"),
        format!("--job-name=engram {name}"),
        format!("--output={logs}/slurm-%A.txt"),
    ];
    // Arrays know no common limit, so they take turns.
    let before = before.filter(|_| options.jobs.is_some());
    arguments.extend(before.map(|job| format!("--dependency=afterany:{job}")));
    arguments.extend(options.time.map(|time| format!("--time={}", time_limit(time))));
    arguments.extend(options.partition.as_ref().map(|partition| format!("--partition={partition}")));
    arguments.extend(options.sbatch.iter().cloned());
    arguments.into_iter().map(OsString::from).collect()
}

/// A time as Slurm takes it: hours, minutes and seconds.
fn time_limit(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The job's id in what `sbatch --parsable` says: `id` or `id;cluster`.
fn id(said: &str) -> Result<u64, SlurmError> {
    let text = said.trim().split(';').next().unwrap_or_default();
    text.parse().map_err(|_| SlurmError::Malformed { what: "what sbatch said", text: said.trim().into() })
}

#[cfg(all(test, unix))]
mod tests;
