//! A sweep on a cluster: its runs as the tasks of Slurm's array jobs.
//!
//! Slurm decides where and when a run is trained. The script of a task calls `engram resume`, which begins a run and goes
//! on with it alike, so that a task may end and be queued again at any moment.

mod commands;
mod queue;
mod tasks;

pub use commands::SlurmError;
pub use queue::{Queued, queue};
pub use tasks::Task;

use std::{ffi::OsString, fmt::Write as _, path::Path, time::Duration};

use commands::Slurm;

use super::Sweep;
use crate::snapshot;

/// The script of a task.
const SCRIPT: &str = include_str!("job.sh");

/// The least time limit: the script asks for its signal two minutes before the end, and Slurm may send it another minute
/// earlier.
const LEAST_TIME: Duration = Duration::from_mins(5);

/// The most tasks of one job: Slurm hands each node the script, which names the runs of all.
const MOST_TASKS: usize = 1000;

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

/// Whether this machine can submit a sweep in this way, so that nothing is begun where it cannot.
pub fn check(options: &SlurmOptions) -> Result<(), SlurmError> {
    check_by(&Slurm::default(), options).map(drop)
}

/// Returns the cluster's `MaxArraySize`: one more than the greatest index that a task may have.
fn check_by(slurm: &Slurm, options: &SlurmOptions) -> Result<usize, SlurmError> {
    match (options.time, slurm.max_array_size()?) {
        (Some(time), _) if time < LEAST_TIME => Err(SlurmError::TooShort(time)),
        (_, 0) => Err(SlurmError::NoArrays),
        (_, size) => Ok(size),
    }
}

/// Submits the runs `pending` of a sweep that are not in the queue already, and notes their tasks in its `slurm.csv`; returns
/// the new tasks. `program` is Engram as the nodes see it.
///
/// The index of a task is that of its run, except that a job whose runs lie beyond the cluster's `MaxArraySize` begins
/// again at 0.
pub fn submit(
    sweep: &Sweep,
    program: &Path,
    pending: &[usize],
    options: &SlurmOptions,
) -> Result<Vec<Task>, SlurmError> {
    submit_by(&Slurm::default(), sweep, program, pending, options)
}

fn submit_by(
    slurm: &Slurm,
    sweep: &Sweep,
    program: &Path,
    pending: &[usize],
    options: &SlurmOptions,
) -> Result<Vec<Task>, SlurmError> {
    let size = check_by(slurm, options)?;
    let folder = &sweep.folder;
    let folder = &std::path::absolute(folder).map_err(|cause| SlurmError::File { path: folder.clone(), cause })?;
    let queued = queue::queue_by(slurm, folder)?;
    let waits = |run: &usize| queued.get(&sweep.runs[*run].run).is_none_or(|queued| *queued == Queued::Gone);
    let arrays = split(pending.iter().copied().filter(waits).collect(), size);
    let script = folder.join("job.sh");

    let mut tasks = tasks::read(folder)?;
    let earlier = tasks.len();
    let mut before = None;
    for (submitted, array) in arrays.iter().enumerate() {
        let text = script_of(sweep, array);
        snapshot::replace(&script, text.as_bytes())
            .map_err(|cause| SlurmError::File { path: script.clone(), cause })?;
        let mut arguments = arguments(folder, &array.indices(), before, options);
        arguments.extend([script.clone().into(), folder.into(), program.into()]);
        arguments.extend(options.resume.iter().cloned());
        let job = slurm.say("sbatch", &arguments).and_then(|said| id(&said)).map_err(|cause| match submitted {
            0 => cause,
            _ => SlurmError::Partly { submitted, jobs: arrays.len(), cause: Box::new(cause) },
        })?;
        let task = |run: &usize| Task { job, index: run - array.offset, run: sweep.runs[*run].run.clone() };
        tasks.extend(array.runs.iter().map(task));
        // After each: a job that is noted down nowhere could not be found again.
        tasks::write(folder, &tasks)?;
        before = Some(job);
    }
    Ok(tasks.split_off(earlier))
}

/// The runs of one array job.
#[derive(Debug, PartialEq, Eq)]
struct Array {
    /// The run that index 0 stands for.
    offset: usize,
    /// The runs, in ascending order.
    runs: Vec<usize>,
}

impl Array {
    fn indices(&self) -> Vec<usize> {
        self.runs.iter().map(|run| run - self.offset).collect()
    }
}

/// Shares runs out among arrays with indices below `size`.
fn split(mut runs: Vec<usize>, size: usize) -> Vec<Array> {
    let size = size.min(MOST_TASKS);
    runs.sort_unstable();
    runs.dedup();
    let arrays = runs.chunk_by(|one, next| one / size == next / size);
    arrays.map(|runs| Array { offset: runs[0] / size * size, runs: runs.to_vec() }).collect()
}

/// The script with the runs of an array. Slurm keeps a copy: what is submitted stays as it is when the plan grows.
fn script_of(sweep: &Sweep, array: &Array) -> String {
    let mut script = SCRIPT.to_owned();
    for (run, index) in array.runs.iter().zip(array.indices()) {
        // A name has no character that a shell or `sed` would read otherwise.
        let _ = writeln!(script, "#RUN {index} {}", sweep.runs[*run].run);
    }
    script
}

/// The options of `sbatch` for one array; `before` is the array before it.
fn arguments(folder: &Path, indices: &[usize], before: Option<u64>, options: &SlurmOptions) -> Vec<OsString> {
    let limit = options.jobs.map_or(String::new(), |jobs| format!("%{jobs}"));
    let name = folder.file_name().unwrap_or_default().display();
    // In the name of an output file a percent sign begins what Slurm replaces, unless it is doubled.
    let logs = folder.display().to_string().replace('%', "%%");
    let mut arguments = vec![
        "--parsable".into(),
        format!("--array={}{limit}", tasks::ranges(indices)),
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
    text.parse().map_err(|_| SlurmError::Malformed("sbatch", said.trim().into()))
}

#[cfg(all(test, unix))]
mod tests;
