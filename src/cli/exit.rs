//! How a command ends: the exit codes, and which error leads to which.

use std::io;
use std::process::ExitCode;

use engram_agents::AgentError;
use engram_envs::EnvError;
use engram_envs::golden::GoldenError;

use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::error::TrainError;
use crate::figure::FigureError;
use crate::reference::RecordError;
use crate::run_directory::RunDirectoryError;
use crate::snapshot::SnapshotError;
use crate::sweep::SweepError;
use crate::sweep::slurm::SlurmError;

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: a check or verification failed.
    CheckFailed,
    /// 2: bad input. Nothing was begun, no run directory is left behind.
    BadInput,
    /// 3: training diverged, or a run could not go on. What was learnt is kept in the run directory.
    Broken,
    /// 4: an external environment was lost.
    EnvironmentLost,
    /// 128 and the signal's number, after saving: 130 for SIGINT, 143 for SIGTERM, 138 for SIGUSR1.
    Signal(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::CheckFailed => 1,
            Exit::BadInput => 2,
            Exit::Broken => 3,
            Exit::EnvironmentLost => 4,
            Exit::Signal(number) => number.saturating_add(128),
        })
    }
}

/// Bad input that a command itself finds: one line that says what is wrong and what would be right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);

/// The exit code of an error: what its first cause with a code of its own says, or else that the run broke.
pub(super) fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(code).unwrap_or(Exit::Broken)
}

fn code(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if matches!(cause.downcast_ref(), Some(EnvError::Lost { .. })) {
        Some(Exit::EnvironmentLost)
    } else if cause.is::<ConfigError>() || cause.is::<BadInput>() || cause.is::<FigureError>() {
        Some(Exit::BadInput)
    } else if cause.is::<RecordError>()
        || cause.is::<RunDirectoryError>()
        || cause.is::<SnapshotError>()
        || cause.is::<SweepError>()
        || cause.is::<SlurmError>()
        || cause.is::<CheckpointError>()
        || cause.is::<EnvError>()
    {
        // While training these come wrapped in a `TrainError`, which is met first.
        Some(Exit::BadInput)
    } else if let Some(error) = cause.downcast_ref::<TrainError>() {
        Some(match error {
            TrainError::Setup(_) | TrainError::Misfit(_) => Exit::BadInput,
            TrainError::Env(EnvError::Lost { .. }) => Exit::EnvironmentLost,
            TrainError::Stopped(signal) => Exit::Signal(*signal as u8),
            _ => Exit::Broken,
        })
    } else if let Some(error) = cause.downcast_ref::<GoldenError>() {
        Some(if matches!(error, GoldenError::Mismatch { .. }) { Exit::CheckFailed } else { Exit::BadInput })
    } else if let Some(error) = cause.downcast_ref::<AgentError>() {
        let unusable = matches!(error, AgentError::Device { .. } | AgentError::Network(_));
        Some(if unusable { Exit::BadInput } else { Exit::Broken })
    } else {
        // Whoever reads the output has seen enough, as `head` does.
        let io = cause.downcast_ref::<io::Error>()?;
        (io.kind() == io::ErrorKind::BrokenPipe).then_some(Exit::Done)
    }
}

/// The error and its causes as one line. A cause that its error already quotes is not repeated.
pub(super) fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !line.ends_with(&cause) {
            line.push_str(if line.is_empty() { "" } else { ": " });
            line.push_str(&cause);
        }
    }
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn io(kind: io::ErrorKind) -> anyhow::Error {
        io::Error::from(kind).into()
    }

    #[test]
    fn errors_have_the_documented_codes() {
        let mismatch =
            GoldenError::Mismatch { line: 3, step: 1, field: "reward", expected: "1".into(), got: "0".into() };
        let diverged = || AgentError::Diverged { quantity: "the TD loss", value: f32::NAN, updates: 7 };
        for (error, exit) in [
            (BadInput("x".into()).into(), Exit::BadInput),
            (anyhow::Error::from(mismatch).context("trace.jsonl"), Exit::CheckFailed),
            (GoldenError::Malformed { line: 1, message: "no".into() }.into(), Exit::BadInput),
            (EnvError::Unknown { id: "Cach".into(), suggestion: None }.into(), Exit::BadInput),
            (TrainError::Agent { step: 9, source: diverged() }.into(), Exit::Broken),
            (TrainError::from(AgentError::Network("x".into())).into(), Exit::BadInput),
            (TrainError::from(EnvError::Unknown { id: "x".into(), suggestion: None }).into(), Exit::Broken),
            (AgentError::Network("x".into()).into(), Exit::BadInput),
            (SlurmError::Missing("sbatch").into(), Exit::BadInput),
            (diverged().into(), Exit::Broken),
            (io(io::ErrorKind::BrokenPipe), Exit::Done),
            (io(io::ErrorKind::StorageFull), Exit::Broken),
        ] {
            assert_eq!(of(&error), exit, "{error:#}");
        }
    }

    #[test]
    fn an_error_is_one_line_and_quotes_each_cause_once() {
        let error = anyhow!("line 3:\nbad\tthing").context("trace.jsonl").context("env verify: trace.jsonl");
        assert_eq!(one_line(&error), "env verify: trace.jsonl: line 3: bad thing");
    }
}
