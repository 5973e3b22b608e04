//! What a run was configured with, as far as that decides its scores: by it runs of one method are told apart.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use engram_agents::continual::MethodName;

use super::FigureError;
use crate::config::{self, Config, Overrides, Source};

/// The keys of a resolved config as dotted paths, each with its value as `--set` takes it.
///
/// The seed is left out, and so are the keys that change no score: names, log, and what other methods would be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

/// What stands for the value of a key that a config does not have.
const UNSET: &str = "unset";

impl Settings {
    /// Reads a run's `config.toml`.
    pub fn read(path: &Path) -> Result<Self, FigureError> {
        // By way of a `Config`, which gives runs of older versions the defaults of keys that they did not write yet.
        let config = config::load(&Source::File(path.to_owned()), &Overrides::default())?;
        let keys = config::keys(&config);
        let keys = keys.map_err(|problem| FigureError::Malformed { path: path.to_owned(), problem })?;
        Ok(Self::new(&config, keys))
    }

    fn new(config: &Config, mut keys: BTreeMap<String, String>) -> Self {
        // Phases that all say their own length leave this one without effect.
        let equal_phases = config.curriculum.phases.iter().any(|phase| phase.steps.is_none());
        keys.retain(|key, _| {
            decides(key, config.method.name)
                && (key != "curriculum.steps_per_task" || equal_phases || config.curriculum.phases.is_empty())
        });
        Self(keys)
    }

    /// The keys in which some of these differ, in alphabetical order.
    pub fn differing(all: &[&Self]) -> Vec<String> {
        let keys: BTreeSet<&String> = all.iter().flat_map(|settings| settings.0.keys()).collect();
        let differs = |key: &String| {
            let mut values = all.iter().map(|settings| settings.0.get(key));
            let first = values.next();
            values.any(|value| Some(value) != first)
        };
        keys.into_iter().filter(|key| differs(key)).cloned().collect()
    }

    /// The value of a key, if it has one.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The value of a key in words.
    pub fn value(&self, key: &str) -> &str {
        self.get(key).unwrap_or(UNSET)
    }

    /// The values of some keys, compared one after the other; numbers by size.
    pub fn compare(&self, other: &Self, keys: &[String]) -> Ordering {
        let number = |text: &str| text.parse::<f64>().ok();
        let compare = |key: &String| {
            let (one, other) = (self.value(key), other.value(key));
            match (number(one), number(other)) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => one.cmp(other),
            }
        };
        keys.iter().map(compare).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The values of some keys in words, such as `method.ewc.lambda = 3`.
    pub fn describe(&self, keys: &[String]) -> String {
        let describe = |key: &String| match self.value(key) {
            UNSET => format!("{key} {UNSET}"),
            value => format!("{key} = {value}"),
        };
        keys.iter().map(describe).collect::<Vec<_>>().join(", ")
    }

    #[cfg(test)]
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }
}

/// Whether a key says what is played and when: runs that differ in it cannot share a figure.
pub fn is_of_curriculum(key: &str) -> bool {
    key.starts_with("curriculum.") || key == "evaluation.period"
}

/// Whether a key can change the scores of a run with this method.
pub fn decides(key: &str, method: MethodName) -> bool {
    let mut parts = key.split('.');
    match (parts.next(), parts.next()) {
        (Some("name" | "description" | "seed" | "log"), _) | (Some("evaluation"), Some("record_period")) => false,
        (Some("method"), Some(table)) => match table {
            "name" => true,
            "coupling" => method.has_penalty(),
            "revisit" | "penalty_after_steps" => method.has_separate_penalties(),
            "fisher" => method.has_fisher(),
            "memory" => method.has_memory(),
            _ => table == method.as_str(),
        },
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(set: &[&str]) -> Settings {
        let set = set.iter().map(|&text| text.to_owned()).collect();
        let config = config::load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, config::to_toml(&config.resolve()).unwrap()).unwrap();
        Settings::read(&path).unwrap()
    }

    fn differing(one: &[&str], other: &[&str]) -> Vec<String> {
        Settings::differing(&[&settings(one), &settings(other)])
    }

    #[test]
    fn values_are_written_as_they_are_set() {
        let settings = settings(&["method.ewc.lambda=3", "agent.optimizer.learning_rate=3e-4", "agent.loss=huber"]);
        for (key, value) in [
            ("method.ewc.lambda", "3"),
            ("agent.optimizer.learning_rate", "0.0003"),
            ("agent.loss", "huber"),
            ("agent.network.hidden", "[64, 64]"),
            ("curriculum.tasks.1.env", "PermutedCatch/a-1"),
            ("agent.no_such_key", "unset"),
        ] {
            assert_eq!(settings.value(key), value, "{key}");
        }
    }

    #[test]
    fn keys_that_decide_nothing_are_left_out() {
        for (method, others) in [
            ("fine-tune", &["method.ewc.lambda=3", "method.fisher.states=9", "method.coupling=loss"][..]),
            ("l2", &["method.ewc.lambda=3", "method.fisher.states=9"]),
            ("ewc", &["method.l2.lambda=3", "method.online-ewc.decay=0.5"]),
            ("online-ewc", &["method.l2.lambda=3", "method.ewc.lambda=3", "method.revisit=replace"]),
        ] {
            let name = format!("method.name={method}");
            let changed = [&[name.as_str(), "seed=9", "name=mine", "description=x", "log.period=7"], others].concat();
            assert_eq!(differing(&[&name], &changed), Vec::<String>::new());
        }
    }

    #[test]
    fn keys_that_differ_are_found() {
        let changed = ["method.ewc.lambda=3", "agent.optimizer.learning_rate=3e-4", "seed=3"];
        assert_eq!(differing(&[], &changed), ["agent.optimizer.learning_rate", "method.ewc.lambda"]);
    }

    #[test]
    fn a_different_curriculum_is_named_by_what_is_played() {
        let keys = differing(&[], &["curriculum.steps_per_task=500"]);
        assert_eq!(keys, [0, 1, 2].map(|phase| format!("curriculum.phases.{phase}.steps")));
        assert!(keys.iter().all(|key| is_of_curriculum(key)));
    }

    #[test]
    fn numbers_are_ordered_by_size_and_described() {
        let with = |value: &str| Settings::default().with("a", "1").with("b", value);
        let keys = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        assert_eq!(with("3").compare(&with("10"), &keys), Ordering::Less);
        assert_eq!(with("x").compare(&with("x"), &keys), Ordering::Equal);
        assert_eq!(with("3").describe(&keys), "a = 1, b = 3, c unset");
    }
}
