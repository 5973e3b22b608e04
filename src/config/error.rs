//! What can be wrong with a config: each error is one line that says where, what, and what would be right.

use std::error::Error;
use std::fmt::{self, Display};
use std::path::PathBuf;

/// Below this similarity (0 to 1) a word is no likely misspelling of another.
const SIMILAR: f64 = 0.8;

/// Why there is no config to run.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No preset has this name.
    #[error("unknown preset `{name}`{}; `engram preset list` names all", did_you_mean(nearest.as_deref()))]
    UnknownPreset {
        /// The name asked for.
        name: String,
        /// The nearest known name.
        nearest: Option<String>,
    },
    /// The file cannot be read.
    #[error("cannot read the config {}: {problem}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The text is not TOML.
    #[error("{}:{line}:{column}: not valid TOML: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says.
        problem: String,
    },
    /// An override on the command line names no place in the config.
    #[error("{place}{problem}")]
    Override {
        /// The override.
        place: Place,
        /// What is wrong with it.
        problem: String,
    },
    /// A key or its value makes no sense.
    #[error(transparent)]
    Key(Box<KeyError>),
}

/// What is wrong with one key.
#[derive(Debug)]
pub struct KeyError {
    /// Where it stands.
    pub place: Place,
    /// The key as a dotted path.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a key.
#[derive(Debug)]
pub enum Fault {
    /// There is no such key.
    Unknown {
        /// The dotted path of the nearest known key.
        nearest: Option<String>,
        /// All keys that there are beside it.
        known: String,
    },
    /// It has no default and is absent.
    Missing,
    /// Its value is none of its choices.
    Choice {
        /// The value given.
        value: String,
        /// The nearest choice.
        nearest: Option<String>,
        /// All choices.
        expected: String,
    },
    /// Its value is of the wrong type or out of range.
    Value {
        /// The value given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// What it asks for cannot be built: an environment, a network, a device.
    Unusable(Box<dyn Error + Send + Sync>),
}

impl Fault {
    /// The error for a key with this fault, wherever it stands.
    pub(super) fn of(self, key: impl Into<String>) -> ConfigError {
        ConfigError::Key(Box::new(KeyError { place: Place::Nowhere, key: key.into(), fault: self }))
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, fault } = self;
        write!(f, "{place}")?;
        match fault {
            Fault::Unknown { nearest: None, known } => write!(f, "unknown key `{key}`; there are {known}"),
            Fault::Unknown { nearest, .. } => write!(f, "unknown key `{key}`{}", did_you_mean(nearest.as_deref())),
            Fault::Missing => write!(f, "`{key}` is missing"),
            Fault::Choice { value, nearest, expected } => {
                let nearest = did_you_mean(nearest.as_deref());
                write!(f, "`{key}` is {value}, which is unknown{nearest}; it must be {expected}")
            }
            Fault::Value { value, expected } => write!(f, "`{key}` is {value}; it must be {expected}"),
            Fault::Unusable(cause) => write!(f, "`{key}`: {cause}"),
        }
    }
}

impl Error for KeyError {}

/// Where the text of a key stands; displayed as the beginning of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Place {
    /// In no text: the value is a default or was set by a program.
    #[default]
    Nowhere,
    /// In a file or preset as a whole.
    Source(String),
    /// On a line of a file or preset.
    Line(String, usize),
    /// In an option of the command line, quoted as it was given.
    Argument(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => Ok(()),
            Self::Source(source) => write!(f, "{source}: "),
            Self::Line(source, line) => write!(f, "{source}:{line}: "),
            Self::Argument(argument) => write!(f, "{argument}: "),
        }
    }
}

/// The known word most like this one, if any is like it.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let likeness = |known: &str| strsim::jaro_winkler(&word.to_lowercase(), &known.to_lowercase());
    known
        .into_iter()
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known.to_owned())
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!(", did you mean `{nearest}`?")).unwrap_or_default()
}

/// The error for a key unless its value is `right`.
pub(super) fn check(
    key: impl Display,
    value: impl Display,
    right: bool,
    expected: impl Display,
) -> Result<(), ConfigError> {
    if right { Ok(()) } else { Err(refuse(key, value, expected)) }
}

/// The error for the value of a key.
pub(super) fn refuse(key: impl Display, value: impl Display, expected: impl Display) -> ConfigError {
    Fault::Value { value: value.to_string(), expected: expected.to_string() }.of(key.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_likely_misspelling_is_suggested() {
        let methods = ["fine-tune", "l2", "ewc", "online-ewc"];
        assert_eq!(nearest("ewcc", methods).as_deref(), Some("ewc"));
        assert_eq!(nearest("EWC", methods).as_deref(), Some("ewc"));
        assert_eq!(nearest("finetune", methods).as_deref(), Some("fine-tune"));
        assert_eq!(nearest("packnet", methods), None);
    }
}
