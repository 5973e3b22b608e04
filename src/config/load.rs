//! From text to a config: a preset or a file, then what the command line overrides.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engram_envs::Registry;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::error::nearest;
use super::refusal::{refusal, show};
use super::{Config, ConfigError, Place, validate::validate};
use crate::presets::{self, Preset};

/// Where a config comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An experiment embedded in the binary, by its name.
    Preset(String),
    /// A TOML file.
    File(PathBuf),
}

impl From<&str> for Source {
    /// A text that contains a path separator or ends in `.toml` is a path, any other names a preset.
    fn from(text: &str) -> Self {
        let is_path = text.contains(['/', std::path::MAIN_SEPARATOR])
            || Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if is_path { Self::File(text.into()) } else { Self::Preset(text.into()) }
    }
}

/// What the command line sets over the source's text, applied in the order of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `key.path=value` each.
    pub set: Vec<String>,
    /// The method's name.
    pub method: Option<String>,
    /// The seed.
    pub seed: Option<u64>,
    /// Steps of every phase, in place of what the phases say themselves.
    pub steps_per_task: Option<u64>,
}

/// Reads a config and [validates](validate()) it; errors of either kind say where the key stands.
pub fn read(source: &Source, overrides: &Overrides, registry: &Registry) -> Result<Config, ConfigError> {
    let document = Document::open(source, overrides)?;
    let config = document.config()?;
    validate(&config, registry).map_err(|error| document.place(error))?;
    Ok(config)
}

/// Reads a config without looking at its values.
pub fn load(source: &Source, overrides: &Overrides) -> Result<Config, ConfigError> {
    Document::open(source, overrides)?.config()
}

/// The preset of this name.
pub fn preset(name: &str) -> Result<Preset, ConfigError> {
    presets::get(name).ok_or_else(|| {
        let nearest = nearest(name, presets::all().iter().map(|preset| preset.name));
        ConfigError::UnknownPreset { name: name.into(), nearest }
    })
}

/// The text of a config and what is set over it.
struct Document {
    source: Source,
    text: String,
    settings: Vec<Setting>,
    /// Whether phases lose their own number of steps.
    equal_phases: bool,
}

/// One override.
struct Setting {
    /// The argument as it was given.
    argument: String,
    path: Vec<String>,
    value: Value,
}

impl Document {
    fn open(source: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        let text = match source {
            Source::Preset(name) => preset(name)?.toml.to_owned(),
            Source::File(path) => read_text(path)?,
        };
        let equal_phases = overrides.steps_per_task.is_some();
        Ok(Self { source: source.clone(), text, settings: overrides.settings()?, equal_phases })
    }

    fn config(&self) -> Result<Config, ConfigError> {
        let mut table: Table = toml::from_str(&self.text).map_err(|error| self.syntax(&error))?;
        if let Source::File(path) = &self.source {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            table.entry("name").or_insert_with(|| Value::String(stem.into_owned()));
        }
        let mut root = Value::Table(table);
        for setting in &self.settings {
            setting.apply(&mut root)?;
        }
        let deserialized: Result<Config, _> = serde_path_to_error::deserialize(root.clone());
        let mut config = deserialized.map_err(|error| self.place(refusal(&error, &root)))?;
        if self.equal_phases {
            config.curriculum.phases.iter_mut().for_each(|phase| phase.steps = None);
        }
        Ok(config)
    }

    fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let before = &self.text[..error.span().map_or(0, |span| span.start.min(self.text.len()))];
        ConfigError::Syntax {
            path: self.label().into(),
            line: before.matches('\n').count() + 1,
            column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
            problem: error.message().lines().collect::<Vec<_>>().join(", "),
        }
    }

    /// Says of an error where its key stands: in the last override that touches it, or else in the text.
    fn place(&self, error: ConfigError) -> ConfigError {
        let Some(key) = error.key() else { return error };
        let path: Vec<&str> = key.split('.').collect();
        let touches = |setting: &&Setting| setting.path.iter().zip(&path).all(|(set, at)| set == at);
        let place = match self.settings.iter().rev().find(touches) {
            Some(setting) => Place::Argument(setting.argument.clone()),
            None => match self.line(&path) {
                Some(line) => Place::Line(self.label(), line),
                None => Place::Source(self.label()),
            },
        };
        error.at(place)
    }

    /// The line of the deepest part of the path that the text has; none where it has not even the first.
    fn line(&self, path: &[&str]) -> Option<usize> {
        let root = DeValue::Table(DeTable::parse(&self.text).ok()?.into_inner());
        let (mut value, mut start) = (&root, None);
        for part in path {
            let found = match value {
                DeValue::Table(table) => {
                    table.iter().find(|(key, _)| key.get_ref() == part).map(|(k, v)| (k.span(), v))
                }
                DeValue::Array(list) => {
                    part.parse().ok().and_then(|index: usize| list.get(index)).map(|element| (element.span(), element))
                }
                _ => None,
            };
            let Some((span, next)) = found else { break };
            (value, start) = (next.get_ref(), Some(span.start));
        }
        start.map(|start| self.text[..start].matches('\n').count() + 1)
    }

    fn label(&self) -> String {
        match &self.source {
            Source::Preset(name) => format!("preset {name}"),
            Source::File(path) => path.display().to_string(),
        }
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let refuse = |problem: &str| Err(ConfigError::Read { path: path.to_owned(), problem: problem.into() });
    if path.is_dir() {
        return refuse("it is a folder; give a TOML file");
    }
    match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(error)) => refuse(&format!("byte {} is not UTF-8", error.utf8_error().valid_up_to())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            refuse("there is no such file; `engram preset list` names what needs none")
        }
        Err(error) => refuse(&error.to_string()),
    }
}

impl Overrides {
    fn settings(&self) -> Result<Vec<Setting>, ConfigError> {
        let mut settings = self.set.iter().map(|text| Setting::parse(text)).collect::<Result<Vec<_>, _>>()?;
        let mut add = |option: &str, path: &str, shown: String, value: Value| {
            let path = path.split('.').map(str::to_owned).collect();
            settings.push(Setting { argument: format!("--{option} {shown}"), path, value });
        };
        let whole = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        if let Some(method) = &self.method {
            add("method", "method.name", method.clone(), Value::String(method.clone()));
        }
        if let Some(seed) = self.seed {
            add("seed", "seed", seed.to_string(), whole(seed));
        }
        if let Some(steps) = self.steps_per_task {
            add("steps-per-task", "curriculum.steps_per_task", steps.to_string(), whole(steps));
        }
        Ok(settings)
    }
}

impl Setting {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let argument = format!("--set {text}");
        let path = text.split_once('=').and_then(|(key, value)| Some((key_path(key)?, value)));
        let Some((path, value)) = path else {
            let problem = "it must be KEY=VALUE, as in `--set agent.optimizer.learning_rate=3e-4`".into();
            return Err(ConfigError::Override { place: Place::Argument(argument), problem });
        };
        Ok(Self { argument, path, value: parse_value(value) })
    }

    /// Puts the value into its place; tables on the way that are absent are made, list elements must exist.
    fn apply(&self, root: &mut Value) -> Result<(), ConfigError> {
        let mut slot = root;
        for (depth, part) in self.path.iter().enumerate() {
            let refuse = |problem| ConfigError::Override { place: Place::Argument(self.argument.clone()), problem };
            let parent = || self.path[..depth].join(".");
            slot = match slot {
                Value::Table(table) => table.entry(part.as_str()).or_insert_with(|| Value::Table(Table::new())),
                Value::Array(list) => {
                    let len = list.len();
                    let element = part.parse().ok().and_then(|index: usize| list.get_mut(index));
                    element.ok_or_else(|| refuse(format!("`{}` has no element `{part}`, it has {len}", parent())))?
                }
                other => return Err(refuse(format!("`{}` is {}, there is nothing in it", parent(), show(other)))),
            };
        }
        *slot = self.value.clone();
        Ok(())
    }
}

/// Splits a dotted key; parts may be quoted as in TOML, for names that contain dots.
fn key_path(key: &str) -> Option<Vec<String>> {
    if !key.contains(['"', '\'']) {
        let parts = key.trim().split('.').map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        return parts.iter().all(|part| !part.is_empty()).then_some(parts);
    }
    let mut path = Vec::new();
    let mut table: Table = toml::from_str(&format!("{key} = 0")).ok()?;
    while let Some((part, value)) = std::mem::take(&mut table).into_iter().next() {
        path.push(part);
        if let Value::Table(inner) = value {
            table = inner;
        }
    }
    Some(path)
}

/// Reads a value as TOML or, so that a shell needs no second quotes, as a number such as `NaN`, or else as a text.
pub(crate) fn parse_value(text: &str) -> Value {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        value: Value,
    }
    let text = text.trim();
    let parsed = toml::from_str(&format!("value = {text}")).map(|line: Line| line.value);
    parsed.unwrap_or_else(|_| text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Float))
}
