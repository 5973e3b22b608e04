//! A config as a flat list of keys, by which two are compared.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{Config, to_toml};

/// Every key of a config as a dotted path, with its value as `--set` takes it.
pub fn keys(config: &Config) -> Result<BTreeMap<String, String>, String> {
    let text = to_toml(config).map_err(|error| error.to_string())?;
    let table: Table = toml::from_str(&text).map_err(|error| error.to_string())?;
    let mut keys = BTreeMap::new();
    flatten("", &Value::Table(table), &mut keys);
    Ok(keys)
}

/// The keys in which two configs differ, in alphabetical order.
pub fn differing(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let all: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    all.into_iter().filter(|key| one.get(*key) != other.get(*key)).cloned().collect()
}

fn flatten(path: &str, value: &Value, keys: &mut BTreeMap<String, String>) {
    let below = |part: &str| if path.is_empty() { part.to_owned() } else { format!("{path}.{part}") };
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| flatten(&below(key), value, keys)),
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter().enumerate().for_each(|(index, value)| flatten(&below(&index.to_string()), value, keys));
        }
        Value::String(text) => drop(keys.insert(path.to_owned(), text.clone())),
        Value::Float(number) => drop(keys.insert(path.to_owned(), number.to_string())),
        other => drop(keys.insert(path.to_owned(), other.to_string())),
    }
}
