//! Turns what serde says of a value that does not fit into an error that names key, value and remedy.

use serde_path_to_error::{Error, Segment};
use toml::Value;

use super::error::nearest;
use super::{ConfigError, Place};

/// More of a value than this does not help to recognise it.
const LONGEST: usize = 60;

/// The error for a config that does not deserialise from `root`.
pub(super) fn refusal(error: &Error<toml::de::Error>, root: &Value) -> ConfigError {
    let path: Vec<String> = error.path().iter().filter_map(part).collect();
    let (place, key) = (Place::Nowhere, path.join("."));
    let message = error.inner().message().to_owned();
    // serde puts every name in backticks: first the one at fault, then the known ones.
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (name, known) = names.split_first().map_or(("", &[][..]), |(name, known)| (*name, known));

    if message.starts_with("unknown field") {
        let parent = path.strip_suffix(&[name.to_owned()][..]).unwrap_or(&path);
        let dotted = |last: &str| [parent, &[last.to_owned()]].concat().join(".");
        let nearest = nearest(name, known.iter().copied()).map(|nearest| dotted(&nearest));
        return ConfigError::UnknownKey { place, key: dotted(name), nearest };
    }
    if message.starts_with("missing field") {
        let key = if path.last().is_some_and(|last| last == name) {
            key
        } else {
            [&path[..], &[name.into()]].concat().join(".")
        };
        return ConfigError::MissingKey { place, key };
    }
    let value = find(root, &path).map_or_else(|| "absent".into(), show);
    if message.starts_with("unknown variant") {
        let choices: Vec<String> = known.iter().map(|choice| format!("`{choice}`")).collect();
        let nearest = nearest(name, known.iter().copied());
        return ConfigError::UnknownChoice { place, key, value, nearest, expected: list(&choices) };
    }
    let expected = message.rsplit_once("expected ").map_or(message.as_str(), |(_, expected)| expected);
    ConfigError::Value { place, key, value, expected: in_words(expected) }
}

fn part(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

fn find<'a>(root: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(root, |value, part| match value {
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        Value::Table(table) => table.get(part),
        _ => None,
    })
}

/// What serde expects, in the words of the documentation.
fn in_words(expected: &str) -> String {
    match expected {
        "f32" | "f64" => "a number",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or greater",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a string" => "a text",
        "a map" => "a table",
        struct_name if struct_name.starts_with("struct ") => "a table",
        _ if expected.contains("untagged enum") => "true, false, a number or a text",
        choice if choice.contains("enum") || choice == "string only" => "a name, in quotes",
        other => other,
    }
    .into()
}

fn list(words: &[String]) -> String {
    match words {
        [] => "something else".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A value on one line, shortened.
pub(super) fn show(value: &Value) -> String {
    let text = match value {
        Value::Table(_) => return "a table".into(),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    };
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain("...".chars()).collect() }
}
