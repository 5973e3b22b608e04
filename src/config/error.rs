//! What can be wrong with a config: each error is one line that says where, what, and what would be right.

use std::error::Error;
use std::fmt;
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
    /// No such key.
    #[error("{place}unknown key `{key}`{}", did_you_mean(nearest.as_deref()))]
    UnknownKey {
        /// Where it stands.
        place: Place,
        /// The key as a dotted path.
        key: String,
        /// The dotted path of the nearest known key.
        nearest: Option<String>,
    },
    /// No such choice.
    #[error("{place}`{key}` is {value}, which is unknown{}; it must be {expected}", did_you_mean(nearest.as_deref()))]
    UnknownChoice {
        /// Where it stands.
        place: Place,
        /// The key as a dotted path.
        key: String,
        /// The value given.
        value: String,
        /// The nearest choice.
        nearest: Option<String>,
        /// All choices.
        expected: String,
    },
    /// A key that has no default is absent.
    #[error("{place}`{key}` is missing")]
    MissingKey {
        /// Where its table stands.
        place: Place,
        /// The key as a dotted path.
        key: String,
    },
    /// A value is of the wrong type or out of range.
    #[error("{place}`{key}` is {value}; it must be {expected}")]
    Value {
        /// Where it stands.
        place: Place,
        /// The key as a dotted path.
        key: String,
        /// The value given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// What the key asks for cannot be built: an environment, a network, a device.
    #[error("{place}`{key}`: {cause}")]
    Unusable {
        /// Where it stands.
        place: Place,
        /// The key as a dotted path.
        key: String,
        /// Why.
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl ConfigError {
    /// The dotted path of the key at fault, where there is one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key, .. }
            | Self::UnknownChoice { key, .. }
            | Self::MissingKey { key, .. }
            | Self::Value { key, .. }
            | Self::Unusable { key, .. } => Some(key),
            Self::UnknownPreset { .. } | Self::Read { .. } | Self::Syntax { .. } | Self::Override { .. } => None,
        }
    }

    /// The same error, standing at `origin`.
    #[must_use]
    pub fn at(mut self, origin: Place) -> Self {
        match &mut self {
            Self::Override { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::UnknownChoice { place, .. }
            | Self::MissingKey { place, .. }
            | Self::Value { place, .. }
            | Self::Unusable { place, .. } => *place = origin,
            Self::UnknownPreset { .. } | Self::Read { .. } | Self::Syntax { .. } => {}
        }
        self
    }
}

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
