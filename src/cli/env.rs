//! `engram env`: the environments, listed, checked and verified. What is to be watched has files of its own.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use engram_envs::conformance::{self, Check};
use engram_envs::golden::{self, GoldenError, Report};
use engram_envs::{Options, Registry, Value};
use serde::Serialize;

use super::env_args::EnvCommand;
use super::env_list::Listing;
use super::table::table;
use super::{BadInput, Exit, Output, new, play, record};
use crate::config;

/// Runs the command.
pub(super) fn run(registry: &Registry, command: &EnvCommand) -> anyhow::Result<ExitCode> {
    match command {
        EnvCommand::List(output) => {
            output.show(&Listing::of(registry)?)?;
            Ok(Exit::Done.into())
        }
        EnvCommand::Check { id, option, output } => check(registry, id, &options(option)?, *output),
        EnvCommand::Verify { id, trace, output } => verify(registry, id, trace, *output),
        EnvCommand::New(args) => new::run(registry, args),
        EnvCommand::Play(args) => play::run(registry, args),
        EnvCommand::Record(args) => record::run(registry, args),
    }
}

/// Whether an environment behaves.
#[derive(Debug, Serialize)]
struct Conformance<'a> {
    env: &'a str,
    passed: bool,
    checks: Vec<Check>,
}

impl fmt::Display for Conformance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = |passed: bool| if passed { "ok" } else { "FAILED" };
        let row = |check: &Check| [check.name.into(), verdict(check.passed).into(), check.detail.clone()];
        f.write_str(&table(&self.checks.iter().map(row).collect::<Vec<_>>()))
    }
}

fn check(registry: &Registry, id: &str, options: &Options, output: Output) -> anyhow::Result<ExitCode> {
    // What cannot be made is bad input, not an environment that fails its checks.
    registry.make(id, options)?;
    let checks = conformance::check(registry, id, options);
    let passed = checks.iter().all(|check| check.passed);
    output.show(&Conformance { env: id, passed, checks })?;
    Ok(if passed { Exit::Done } else { Exit::CheckFailed }.into())
}

/// Whether an environment gives what a trace has.
#[derive(Debug, Serialize)]
struct Replay {
    trace: String,
    same: bool,
    /// What was replayed, where all of it is the same.
    replayed: Option<Report>,
    /// The first difference.
    difference: Option<String>,
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace = &self.trace;
        self.replayed.map_or(Ok(()), |report| writeln!(f, "{trace}: {report}"))
    }
}

fn verify(registry: &Registry, id: &str, trace: &Path, output: Output) -> anyhow::Result<ExitCode> {
    registry.make(id, &Options::new())?;
    let file = match File::open(trace) {
        Ok(file) if !trace.is_dir() => file,
        Ok(_) => return Err(BadInput(format!("cannot read {}: it is a folder", trace.display())).into()),
        Err(error) => return Err(BadInput(format!("cannot read {}: {error}", trace.display())).into()),
    };
    // Traces of MinAtar name actions by their place among all six, which the ids `…-v0` have.
    let id = match id.strip_suffix("-v1") {
        Some(game) if game.starts_with("MinAtar/") => &format!("{game}-v0"),
        _ => id,
    };
    let trace = trace.display().to_string();
    let outcome = golden::verify(|options| registry.make(id, options), BufReader::new(file));
    let (replayed, difference) = match outcome {
        Ok(report) => (Some(report), None),
        // For people the first difference is an error, in its one line.
        Err(difference @ GoldenError::Mismatch { .. }) if output.json => (None, Some(difference.to_string())),
        Err(error) => return Err(error).context(trace),
    };
    let same = difference.is_none();
    output.show(&Replay { trace, same, replayed, difference })?;
    Ok(if same { Exit::Done } else { Exit::CheckFailed }.into())
}

/// Reads options as `KEY=VALUE`.
pub(super) fn options(given: &[String]) -> Result<Options, BadInput> {
    let read = |text: &String| {
        let option = text.split_once('=').and_then(|(key, value)| Some((key.trim().to_owned(), value_of(value)?)));
        option.ok_or_else(|| BadInput(format!("--option {text}: it must be KEY=VALUE, as in `--option tasks=5`")))
    };
    given.iter().map(read).collect()
}

fn value_of(text: &str) -> Option<Value> {
    config::parse_value(text).try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_types() {
        let given = ["tasks=5", "cue=false", "sticky=0.1", "name=x"].map(str::to_owned);
        let expected: Options = [
            ("tasks".into(), Value::Integer(5)),
            ("cue".into(), Value::Boolean(false)),
            ("sticky".into(), Value::Float(0.1)),
            ("name".into(), Value::Text("x".into())),
        ]
        .into();
        assert_eq!(options(&given).unwrap(), expected);
        assert!(options(&["tasks".to_owned()]).is_err());
        assert!(options(&["tasks=[1]".to_owned()]).is_err());
    }
}
