//! `slurm.csv`: the array jobs that a sweep was given to, and which of its runs each of them works on.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::SlurmError;
use crate::snapshot;

/// The file in the sweep's folder.
const FILE: &str = "slurm.csv";

/// An array job. The task of index i works on run offset + i.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayJob {
    /// Slurm's id of the job.
    pub job: u64,
    /// The run, counted from 0, of the task of index 0.
    pub offset: usize,
    /// The indices of its tasks, as `sbatch --array` takes them: `0-3,7`.
    pub indices: String,
}

impl ArrayJob {
    /// The runs that it works on, in ascending order; None if the indices are damaged.
    pub fn runs(&self) -> Option<Vec<usize>> {
        let mut runs = Vec::new();
        for range in self.indices.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            // No cluster has larger arrays; more than that would only be a way to run out of memory.
            if last > MOST_INDICES || first > last {
                return None;
            }
            runs.extend((first..=last).map(|index| self.offset + index));
        }
        Some(runs)
    }
}

/// Slurm's own bound on the size of an array.
const MOST_INDICES: usize = 4_000_001;

/// Ascending indices with neighbours as ranges: 0, 1, 2, 3, 7 are `0-3,7`.
pub fn compressed(indices: &[usize]) -> String {
    let ranges = indices.chunk_by(|one, next| one + 1 == *next);
    let texts = ranges.map(|range| match range {
        [first, .., last] => format!("{first}-{last}"),
        single => single.iter().map(ToString::to_string).collect(),
    });
    texts.collect::<Vec<_>>().join(",")
}

/// The jobs of the sweep in `folder`, in the order of their submission; none where there is no file.
pub fn read(folder: &Path) -> Result<Vec<ArrayJob>, SlurmError> {
    let path = path(folder);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(SlurmError::File { path, cause }),
    };
    let jobs = csv::Reader::from_reader(bytes.as_slice()).into_deserialize().collect::<Result<Vec<ArrayJob>, _>>();
    jobs.map_err(|cause| SlurmError::File { path, cause: cause.into() })
}

/// Writes the jobs of the sweep in `folder`, the earlier ones included.
pub fn write(folder: &Path, jobs: &[ArrayJob]) -> Result<(), SlurmError> {
    let path = path(folder);
    let written = snapshot::replace_with(&path, |file| {
        let mut csv = csv::Writer::from_writer(file);
        jobs.iter().try_for_each(|job| csv.serialize(job))?;
        csv.flush()
    });
    written.map_err(|cause| SlurmError::File { path, cause })
}

fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(offset: usize, indices: &str) -> ArrayJob {
        ArrayJob { job: 12, offset, indices: indices.into() }
    }

    #[test]
    fn neighbours_become_ranges() {
        for (indices, text) in [
            (vec![], ""),
            (vec![5], "5"),
            (vec![0, 1], "0-1"),
            (vec![0, 1, 2, 3, 7], "0-3,7"),
            (vec![1, 3, 4, 9, 10, 11], "1,3-4,9-11"),
        ] {
            assert_eq!(compressed(&indices), text);
            if !indices.is_empty() {
                assert_eq!(job(0, text).runs(), Some(indices));
            }
        }
        assert_eq!(job(1000, "0-1,5").runs(), Some(vec![1000, 1001, 1005]));
        for damaged in ["", "a", "3-1", "1,", "-1", "1-2-3", "0-99999999999"] {
            assert_eq!(job(0, damaged).runs(), None, "{damaged}");
        }
    }

    #[test]
    fn jobs_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
        let jobs = [job(0, "0-3,7"), job(1001, "5")];
        write(folder.path(), &jobs).unwrap();
        let text = fs::read_to_string(folder.path().join("slurm.csv")).unwrap();
        assert_eq!(text, "job,offset,indices\n12,0,\"0-3,7\"\n12,1001,5\n");
        assert_eq!(read(folder.path()).unwrap(), jobs);
        fs::write(folder.path().join("slurm.csv"), "job,offset,indices\nx,0,1\n").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("slurm.csv") && error.contains("line: 2"), "{error}");
    }
}
