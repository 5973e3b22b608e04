//! `engram env`: the environments, listed, checked and verified. What is to be watched has files of its own.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use engram_envs::registry::Entry;
use engram_envs::{EnvError, ObservationSpace, Options, Registry, Value, conformance, golden};

use super::env_args::EnvCommand;
use super::table::table;
use super::{BadInput, Exit, new, play, print, record};
use crate::config::{self, TaskConfig};
use crate::reference;

/// Runs the command.
pub(super) fn run(registry: &Registry, command: &EnvCommand) -> anyhow::Result<ExitCode> {
    match command {
        EnvCommand::List => {
            print(&list(registry)?)?;
            Ok(Exit::Done.into())
        }
        EnvCommand::Check { id, option } => check(registry, id, &options(option)?),
        EnvCommand::Verify { id, trace } => verify(registry, id, trace),
        EnvCommand::New(args) => new::run(registry, args),
        EnvCommand::Play(args) => play::run(registry, args),
        EnvCommand::Record(args) => record::run(registry, args),
    }
}

const COLUMNS: [&str; 7] = ["id", "observation", "actions", "step limit", "random", "single", "summary"];

fn list(registry: &Registry) -> Result<String, EnvError> {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    for entry in registry.entries() {
        rows.push(row(registry, entry)?);
    }
    let mut options: Vec<[String; 3]> = Vec::new();
    for entry in registry.entries() {
        for option in &entry.options {
            let name = format!("{} (default {})", option.name, option.default);
            // Games of one family have the same options, which are said once.
            let family = entry.pattern.split_once('/').map_or(&*entry.pattern, |(family, _)| family);
            match options.iter_mut().find(|line| line[0].starts_with(family) && line[1..] == [&*name, &*option.summary])
            {
                Some(line) => line[0] = format!("{family}/…"),
                None => options.push([entry.pattern.clone(), name, option.summary.clone()]),
            }
        }
    }
    let mut text = table(&rows);
    if !options.is_empty() {
        text.push_str("\noptions, as in `tasks = [{ env = \"Addition/0\", options = { tasks = 5 } }]`:\n");
        text.push_str(&table(&options));
    }
    text.push_str(
        "\nrandom and single are the mean returns that stand for scores of 0 and 1; - means none on record.\n",
    );
    Ok(text)
}

fn row(registry: &Registry, entry: &Entry) -> Result<[String; COLUMNS.len()], EnvError> {
    let task = TaskConfig { env: entry.example.clone(), options: Options::new(), reference: None };
    let score = |score: Option<f64>| score.map_or("-".into(), |score| format!("{}", (score * 1e3).round() / 1e3));
    let [observation, actions, limit] = if entry.external {
        // What another program would have to be started for.
        ["-"; 3].map(String::from)
    } else {
        let env = registry.make(&entry.example, &Options::new())?;
        let spec = env.spec();
        [
            match &spec.observation {
                ObservationSpace::Vector { components } => format!("vector {}", components.len()),
                ObservationSpace::Planes { channels, height, width, .. } => {
                    format!("planes {}x{height}x{width}", channels.len())
                }
            },
            spec.actions.len().to_string(),
            spec.step_limit.map_or("-".into(), |limit| limit.to_string()),
        ]
    };
    Ok([
        entry.pattern.clone(),
        observation,
        actions,
        limit,
        score(reference::random(&task)),
        score(reference::single(&task)),
        entry.summary.clone(),
    ])
}

fn check(registry: &Registry, id: &str, options: &Options) -> anyhow::Result<ExitCode> {
    // What cannot be made is bad input, not an environment that fails its checks.
    registry.make(id, options)?;
    let checks = conformance::check(registry, id, options);
    let verdict = |passed: bool| if passed { "ok" } else { "FAILED" };
    let rows: Vec<_> =
        checks.iter().map(|check| [check.name.into(), verdict(check.passed).into(), check.detail.clone()]).collect();
    print(&table(&rows))?;
    let passed = checks.iter().all(|check| check.passed);
    Ok(if passed { Exit::Done } else { Exit::CheckFailed }.into())
}

fn verify(registry: &Registry, id: &str, trace: &Path) -> anyhow::Result<ExitCode> {
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
    let report = golden::verify(|options| registry.make(id, options), BufReader::new(file))
        .with_context(|| trace.display().to_string())?;
    print(&format!("{}: {report}\n", trace.display()))?;
    Ok(Exit::Done.into())
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
    fn the_list_has_a_line_for_every_entry_and_option() {
        let registry = Registry::standard();
        let text = list(&registry).unwrap();
        for entry in registry.entries() {
            assert!(text.lines().any(|line| line.starts_with(&entry.pattern) && line.ends_with(&entry.summary)));
        }
        let line = text.lines().find(|line| line.starts_with("Addition/{k}")).unwrap();
        assert!(line.contains("vector 13") && line.contains("0.077"), "{line}");
        assert!(text.contains("tasks (default 3)"));
    }

    /// Where it fails, paste what `engram env list` prints.
    #[test]
    fn the_documentation_shows_the_list() {
        let shown = include_str!("../../docs/environments.md");
        for line in list(&Registry::standard()).unwrap().lines() {
            assert!(shown.lines().any(|known| known == line), "docs/environments.md lacks the line: {line}");
        }
    }

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
