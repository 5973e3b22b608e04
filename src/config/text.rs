//! The text of a file or preset in TOML: read as a value, and searched for the line of a key.

use std::{fs, io, path::Path};

use serde::de::DeserializeOwned;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use super::{ConfigError, Place, refusal::refusal};

/// A text and what it is called in errors.
pub struct Text {
    label: String,
    text: String,
}

impl Text {
    /// A text that is at hand.
    pub fn new(label: String, text: String) -> Self {
        Self { label, text }
    }

    /// The text of a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let refuse = |problem: &str| Err(ConfigError::Read { path: path.to_owned(), problem: problem.into() });
        if path.is_dir() {
            return refuse("it is a folder; give a TOML file");
        }
        match fs::read(path).map(String::from_utf8) {
            Ok(Ok(text)) => Ok(Self::new(path.display().to_string(), text)),
            Ok(Err(error)) => refuse(&format!("byte {} is not UTF-8", error.utf8_error().valid_up_to())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                refuse("there is no such file; `engram preset list` names what needs none")
            }
            Err(error) => refuse(&error.to_string()),
        }
    }

    /// The text as a table.
    pub fn table(&self) -> Result<Table, ConfigError> {
        toml::from_str(&self.text).map_err(|error: toml::de::Error| {
            let before = &self.text[..error.span().map_or(0, |span| span.start.min(self.text.len()))];
            ConfigError::Syntax {
                path: self.label.as_str().into(),
                line: before.matches('\n').count() + 1,
                column: before.chars().rev().take_while(|c| *c != '\n').count() + 1,
                problem: error.message().lines().collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// The text as a value of some kind; an error says where its key stands.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let root = Value::Table(self.table()?);
        serde_path_to_error::deserialize(root.clone()).map_err(|error| self.place(refusal(&error, &root)))
    }

    /// Says of an error where its key stands.
    pub fn place(&self, mut error: ConfigError) -> ConfigError {
        if let ConfigError::Key(error) = &mut error {
            let path: Vec<&str> = error.key.split('.').collect();
            let place = self.line(&path).map(|line| Place::Line(self.label.clone(), line));
            error.place = place.unwrap_or_else(|| Place::Source(self.label.clone()));
        }
        error
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
}
