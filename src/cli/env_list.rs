//! `engram env list`: the environments, what is seen in each, and what can be set.

use std::fmt;

use engram_envs::{
    EnvError, ObservationSpace, Options, Registry, Value,
    registry::{Entry, OptionEntry},
};
use serde::Serialize;

use super::table::table;
use crate::{config::TaskConfig, reference};

/// The environments of a registry.
#[derive(Debug, Serialize)]
pub(super) struct Listing {
    environments: Vec<Environment>,
}

/// One line of the registry. What only an external program could tell is None.
#[derive(Debug, Serialize)]
struct Environment {
    /// An id, or a pattern that stands for many.
    id: String,
    /// An id that can be made as it is.
    example: String,
    observation: Option<Observation>,
    actions: Option<usize>,
    step_limit: Option<u64>,
    /// The return that stands for a score of 0.
    random: Option<f64>,
    /// The return that stands for a score of 1.
    single: Option<f64>,
    summary: String,
    options: Vec<Setting>,
}

#[derive(Debug, Serialize)]
struct Observation {
    kind: &'static str,
    /// `[components]`, or `[channels, height, width]`.
    shape: Vec<usize>,
}

/// What can be set of an environment.
#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    default: Value,
    summary: String,
}

impl Listing {
    /// Lists the registry.
    pub fn of(registry: &Registry) -> Result<Self, EnvError> {
        let environments = registry.entries().map(|entry| Environment::of(registry, entry));
        Ok(Self { environments: environments.collect::<Result<_, _>>()? })
    }
}

impl Environment {
    fn of(registry: &Registry, entry: &Entry) -> Result<Self, EnvError> {
        let task = TaskConfig { env: entry.example.clone(), options: Options::new(), reference: None };
        // An external one would have to be started for what it shows.
        let env = if entry.external { None } else { Some(registry.make(&entry.example, &Options::new())?) };
        let spec = env.as_ref().map(|env| env.spec());
        let option = |option: &OptionEntry| Setting {
            name: option.name.clone(),
            default: option.default.clone(),
            summary: option.summary.clone(),
        };
        Ok(Self {
            id: entry.pattern.clone(),
            example: entry.example.clone(),
            observation: spec.map(|spec| Observation::of(&spec.observation)),
            actions: spec.map(|spec| spec.actions.len()),
            step_limit: spec.and_then(|spec| spec.step_limit.map(Into::into)),
            random: reference::random(&task),
            single: reference::single(&task),
            summary: entry.summary.clone(),
            options: entry.options.iter().map(option).collect(),
        })
    }

    /// The part of its id that it shares with games of the same options.
    fn family(&self) -> &str {
        self.id.split_once('/').map_or(&*self.id, |(family, _)| family)
    }
}

impl Observation {
    fn of(space: &ObservationSpace) -> Self {
        match space {
            ObservationSpace::Vector { components } => Self { kind: "vector", shape: vec![components.len()] },
            ObservationSpace::Planes { channels, height, width, .. } => {
                Self { kind: "planes", shape: vec![channels.len(), *height, *width] }
            }
        }
    }
}

const COLUMNS: [&str; 7] = ["id", "observation", "actions", "step limit", "random", "single", "summary"];

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![COLUMNS.map(str::to_owned)];
        rows.extend(self.environments.iter().map(row));
        f.write_str(&table(&rows))?;
        let options = options(&self.environments);
        if !options.is_empty() {
            writeln!(f, "\noptions, as in `tasks = [{{ env = \"Addition/0\", options = {{ tasks = 5 }} }}]`:")?;
            f.write_str(&table(&options))?;
        }
        writeln!(
            f,
            "\nrandom and single are the mean returns that stand for scores of 0 and 1; - means none on record."
        )
    }
}

fn row(env: &Environment) -> [String; COLUMNS.len()] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let score = |score: Option<f64>| or_none(score.map(|score| ((score * 1e3).round() / 1e3).to_string()));
    let shape = |observation: &Observation| {
        let sizes: Vec<_> = observation.shape.iter().map(ToString::to_string).collect();
        format!("{} {}", observation.kind, sizes.join("x"))
    };
    [
        env.id.clone(),
        or_none(env.observation.as_ref().map(shape)),
        or_none(env.actions.map(|actions| actions.to_string())),
        or_none(env.step_limit.map(|limit| limit.to_string())),
        score(env.random),
        score(env.single),
        env.summary.clone(),
    ]
}

/// A line an option. Games of one family have the same options, which are said once.
fn options(environments: &[Environment]) -> Vec<[String; 3]> {
    let mut lines: Vec<[String; 3]> = Vec::new();
    for env in environments {
        for Setting { name, default, summary } in &env.options {
            let name = format!("{name} (default {default})");
            let family = env.family();
            match lines.iter_mut().find(|line| line[0].starts_with(family) && line[1..] == [&*name, &**summary]) {
                Some(line) => line[0] = format!("{family}/…"),
                None => lines.push([env.id.clone(), name, summary.clone()]),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_a_line_for_every_entry_and_option() {
        let registry = Registry::standard();
        let text = Listing::of(&registry).unwrap().to_string();
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
        for line in Listing::of(&Registry::standard()).unwrap().to_string().lines() {
            assert!(shown.lines().any(|known| known == line), "docs/environments.md lacks the line: {line}");
        }
    }
}
