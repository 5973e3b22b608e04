//! Turns what serde says of a value that does not fit into an error that names key, value and remedy.

use serde_path_to_error::{Error, Segment};
use toml::Value;

use super::ConfigError;
use super::error::{Fault, nearest};

/// More of a value than this does not help to recognise it.
const LONGEST: usize = 60;

/// The error for a config that does not deserialise from `root`.
pub(super) fn refusal(error: &Error<toml::de::Error>, root: &Value) -> ConfigError {
    let path: Vec<String> = error.path().iter().filter_map(part).collect();
    let key = path.join(".");
    let message = error.inner().message().to_owned();
    // serde puts every name in backticks: first the one at fault, then the known ones.
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (name, known) = names.split_first().map_or(("", &[][..]), |(name, known)| (*name, known));

    if message.starts_with("unknown field") {
        let parent = path.strip_suffix(&[name.to_owned()][..]).unwrap_or(&path);
        let dotted = |last: &str| [parent, &[last.to_owned()]].concat().join(".");
        let nearest = nearest(name, known.iter().copied()).map(|nearest| dotted(&nearest));
        return Fault::Unknown { nearest, known: list(known, "and") }.of(dotted(name));
    }
    if message.starts_with("missing field") {
        return Fault::Missing.of([&path[..], &[name.to_owned()]].concat().join("."));
    }
    let value = find(root, &path).map_or_else(|| "absent".into(), show);
    if message.starts_with("unknown variant") {
        let nearest = nearest(name, known.iter().copied());
        return Fault::Choice { value, nearest, expected: list(known, "or") }.of(key);
    }
    let expected = message.rsplit_once("expected ").map_or(message.as_str(), |(_, expected)| expected);
    Fault::Value { value, expected: in_words(expected) }.of(key)
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
        "struct TaskConfig" => "a table, such as `{ env = \"Catch\" }`",
        struct_name if struct_name.starts_with("struct ") => "a table",
        _ if expected.contains("untagged enum") => "true, false, a number or a text",
        choice if choice.contains("enum") || choice == "string only" => "a name, in quotes",
        other => other,
    }
    .into()
}

fn list(names: &[&str], conjunction: &str) -> String {
    match names {
        [] => "none".into(),
        [one] => format!("`{one}`"),
        [most @ .., last] => format!("`{}` {conjunction} `{last}`", most.join("`, `")),
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
