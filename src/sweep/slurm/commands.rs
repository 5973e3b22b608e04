//! Slurm's commands, and what can go wrong with them.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use super::LEAST_TIME;

/// Why a sweep cannot be submitted, or its jobs cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// The machine has no Slurm.
    #[error("there is no `{0}` on the PATH: `--on slurm` needs Slurm's commands, as a cluster's login node has them")]
    Missing(&'static str),
    /// A command of Slurm could not be run.
    #[error("cannot run `{command}`: {cause}")]
    Run {
        /// The command.
        command: &'static str,
        /// What the operating system said.
        cause: io::Error,
    },
    /// A command of Slurm failed.
    #[error("`{command}` failed: {said}")]
    Refused {
        /// The command.
        command: &'static str,
        /// What it wrote to stderr.
        said: String,
    },
    /// Some jobs were submitted, the next was not.
    #[error("{submitted} of {jobs} array jobs were submitted, then {cause}; the same command submits the rest later")]
    Partly {
        /// Jobs in the queue.
        submitted: usize,
        /// Jobs that were wanted.
        jobs: usize,
        /// What came in between.
        cause: Box<SlurmError>,
    },
    /// A command of Slurm, the first, says what it does in no version that is known.
    #[error("cannot make sense of what `{0}` said: \"{1}\"")]
    Malformed(&'static str, String),
    /// The cluster has no array jobs.
    #[error("the cluster allows no array jobs: its MaxArraySize is 0")]
    NoArrays,
    /// A task would hardly begin before it is told to save.
    #[error("a time limit of {} s is too short: it must be at least {} minutes", .0.as_secs(), LEAST_TIME.as_secs() / 60)]
    TooShort(Duration),
    /// A file of the sweep cannot be read or written.
    #[error("cannot use {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: io::Error,
    },
}

/// Slurm's commands.
#[derive(Debug, Default)]
pub(super) struct Slurm {
    /// Where they are looked for, in place of the PATH.
    pub path: Option<OsString>,
}

impl Slurm {
    /// What a command writes to stdout.
    pub(super) fn say(
        &self,
        name: &'static str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<String, SlurmError> {
        let mut command = Command::new(name);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let output = command.args(arguments).stdin(Stdio::null()).output().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => SlurmError::Missing(name),
            _ => SlurmError::Run { command: name, cause },
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).lines().collect::<Vec<_>>().join("; ");
        Err(SlurmError::Refused { command: name, said: if said.is_empty() { output.status.to_string() } else { said } })
    }

    /// One more than the greatest index that a task of an array may have; 0 where there are no arrays.
    pub(super) fn max_array_size(&self) -> Result<usize, SlurmError> {
        let config = self.say("scontrol", ["show", "config"])?;
        let entry =
            config.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "MaxArraySize");
        let size = entry.and_then(|(_, value)| value.trim().parse().ok());
        size.ok_or_else(|| SlurmError::Malformed("scontrol show config", "no MaxArraySize".into()))
    }
}
