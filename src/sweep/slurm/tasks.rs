//! `slurm.csv`: which task of which array job works on which run of a sweep.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{super::table, SlurmError};
use crate::snapshot;

/// The file in the sweep's folder.
const FILE: &str = "slurm.csv";

/// A task of an array job, which works on one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Slurm's id of the array job.
    pub job: u64,
    /// Its index in the array.
    pub index: usize,
    /// The name of the run directory. A name stays with its run when the plan grows; a line of `runs.csv` may not.
    pub run: String,
}

/// Ascending indices as `sbatch --array` takes them: 0, 1, 2, 3, 7 are `0-3,7`.
pub fn ranges(indices: &[usize]) -> String {
    let ranges = indices.chunk_by(|one, next| one + 1 == *next);
    let texts = ranges.map(|range| match range {
        [first, .., last] => format!("{first}-{last}"),
        single => single.iter().map(ToString::to_string).collect(),
    });
    texts.collect::<Vec<_>>().join(",")
}

/// The tasks of the sweep in `folder`, in the order of their submission; none where there is no file.
pub fn read(folder: &Path) -> Result<Vec<Task>, SlurmError> {
    let path = path(folder);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(SlurmError::File { path, cause }),
    };
    let tasks = csv::Reader::from_reader(bytes.as_slice()).into_deserialize().collect::<Result<Vec<Task>, _>>();
    tasks.map_err(|cause| SlurmError::File { path, cause: cause.into() })
}

/// Writes the tasks of the sweep in `folder`, the earlier ones included.
pub fn write(folder: &Path, tasks: &[Task]) -> Result<(), SlurmError> {
    let path = path(folder);
    let written = table(tasks).and_then(|bytes| snapshot::replace(&path, &bytes));
    written.map_err(|cause| SlurmError::File { path, cause })
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges() {
        for (indices, text) in [
            (vec![], ""),
            (vec![5], "5"),
            (vec![0, 1], "0-1"),
            (vec![0, 1, 2, 3, 7], "0-3,7"),
            (vec![1, 3, 4, 9, 10, 11], "1,3-4,9-11"),
        ] {
            assert_eq!(ranges(&indices), text);
        }
    }

    #[test]
    fn tasks_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
        let tasks = [("ewc_lambda=1__100__0a", 3), ("l2__100__0b", 7)];
        let tasks = tasks.map(|(run, index)| Task { job: 12, index, run: run.into() });
        write(folder.path(), &tasks).unwrap();
        let text = fs::read_to_string(folder.path().join("slurm.csv")).unwrap();
        assert_eq!(text, "job,index,run\n12,3,ewc_lambda=1__100__0a\n12,7,l2__100__0b\n");
        assert_eq!(read(folder.path()).unwrap(), tasks);
        fs::write(folder.path().join("slurm.csv"), "job,index,run\nx,0,a\n").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("slurm.csv") && error.contains("line: 2"), "{error}");
    }
}
