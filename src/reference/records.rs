//! The file of reference returns, with where each comes from.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use engram_envs::Options;
use serde::{Deserialize, Serialize};

use crate::{config::TaskConfig, snapshot};

const SHIPPED: &str = include_str!("../presets/references.toml");

/// Returns of many environments.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Records {
    #[serde(default)]
    reference: Vec<Record>,
}

/// The returns of one environment under one set of options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The environment's id.
    pub env: String,
    /// The options with which it was made.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// The mean return of random play.
    pub random: f64,
    /// Where that comes from.
    pub random_source: String,
    /// The mean return of an agent trained on it alone, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single: Option<f64>,
    /// Where that comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_source: Option<String>,
}

/// Why a file of records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be read or written.
    #[error("cannot use {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// It is no file of records.
    #[error("{} holds no references: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, in one line.
        message: String,
    },
}

impl Records {
    /// Those that come with the program.
    pub fn shipped() -> &'static Self {
        static RECORDS: LazyLock<Records> = LazyLock::new(|| toml::from_str(SHIPPED).unwrap_or_default());
        &RECORDS
    }

    /// Those of a file; none where it does not exist.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(cause) => return Err(RecordError::File { path: path.to_owned(), cause }),
        };
        toml::from_str(&text).map_err(|error| RecordError::Malformed {
            path: path.to_owned(),
            message: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        })
    }

    /// The record of a task's environment and options.
    pub fn of(&self, task: &TaskConfig) -> Option<&Record> {
        self.reference.iter().find(|record| record.env == task.env && record.options == task.options)
    }

    /// All records, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.reference.iter()
    }

    /// Adds a record in place of the one for the same environment and options. What was known of a single agent stays
    /// where the new record does not say.
    pub fn insert(&mut self, mut record: Record) {
        let same = |known: &&mut Record| known.env == record.env && known.options == record.options;
        match self.reference.iter_mut().find(same) {
            Some(known) => {
                if record.single.is_none() {
                    (record.single, record.single_source) = (known.single, known.single_source.take());
                }
                *known = record;
            }
            None => self.reference.push(record),
        }
    }

    /// As the file's text.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), RecordError> {
        let wrap = |cause| RecordError::File { path: path.to_owned(), cause };
        let text = self.to_toml().map_err(|error| wrap(io::Error::other(error)))?;
        let header: String = SHIPPED.lines().take_while(|line| line.starts_with('#')).flat_map(|l| [l, "\n"]).collect();
        snapshot::replace(path, format!("{header}\n{text}").as_bytes()).map_err(wrap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(env: &str, single: Option<f64>) -> Record {
        let single_source = single.map(|_| "trained".into());
        Record {
            env: env.into(),
            options: Options::new(),
            random: 1.5,
            random_source: "played".into(),
            single,
            single_source,
        }
    }

    #[test]
    fn the_shipped_records_are_read_and_finite() {
        let records: Records = toml::from_str(SHIPPED).unwrap();
        assert_eq!(&records, Records::shipped());
        assert!(records.iter().count() >= 4);
        let registry = engram_envs::Registry::standard();
        for record in records.iter() {
            let same = |other: &&Record| (&other.env, &other.options) == (&record.env, &record.options);
            assert_eq!(records.iter().filter(same).count(), 1, "{} stands there twice", record.env);
            assert!(registry.make(&record.env, &record.options).is_ok(), "{}", record.env);
            assert!(record.random.is_finite() && record.single.is_none_or(|single| single > record.random));
            assert_eq!(record.single.is_some(), record.single_source.is_some());
        }
    }

    #[test]
    fn a_record_replaces_its_own_and_keeps_what_it_does_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("references.toml");
        let mut records = Records::open(&path).unwrap();
        records.insert(record("A", Some(9.0)));
        records.insert(record("B", None));
        records.insert(Record { random: 2.0, ..record("A", None) });
        records.save(&path).unwrap();
        let read = Records::open(&path).unwrap();
        assert_eq!(read, records);
        let task = |env: &str| TaskConfig { env: env.into(), options: Options::new(), reference: None };
        assert_eq!(read.of(&task("A")).map(|record| (record.random, record.single)), Some((2.0, Some(9.0))));
        assert_eq!(read.of(&task("B")).map(|record| record.single), Some(None));
        assert!(read.of(&task("C")).is_none());
    }

    #[test]
    fn another_file_is_refused_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("references.toml");
        fs::write(&path, "[[reference]]\nenv = 3\n").unwrap();
        let error = Records::open(&path).unwrap_err().to_string();
        assert!(error.contains("references.toml holds no references") && !error.contains('\n'), "{error}");
    }
}
