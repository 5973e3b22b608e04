//! One override of a config's text: a dotted key and the value that is put there.

use serde::Deserialize;
use toml::{Table, Value};

use super::refusal::show;
use super::{ConfigError, Place};

/// One override.
pub(super) struct Setting {
    /// The argument as it was given.
    argument: String,
    path: Vec<String>,
    value: Value,
}

impl Setting {
    /// An override by an option of its own.
    pub fn new(argument: String, key: &str, value: Value) -> Self {
        Self { argument, path: key.split('.').map(str::to_owned).collect(), value }
    }

    /// An override as `KEY=VALUE`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let argument = format!("--set {text}");
        let path = text.split_once('=').and_then(|(key, value)| Some((key_path(key)?, value)));
        let Some((path, value)) = path else {
            let problem = "it must be KEY=VALUE, as in `--set agent.optimizer.learning_rate=3e-4`".into();
            return Err(ConfigError::Override { place: Place::Argument(argument), problem });
        };
        Ok(Self { argument, path, value: parse_value(value) })
    }

    /// How errors name it.
    pub fn place(&self) -> Place {
        Place::Argument(self.argument.clone())
    }

    /// Whether it sets the key at `path`, or a table that this lies in, or a part of what lies there.
    pub fn touches(&self, path: &[&str]) -> bool {
        self.path.iter().zip(path).all(|(set, at)| set == at)
    }

    /// Puts the value into its place; tables on the way that are absent are made, list elements must exist.
    pub fn apply(&self, root: &mut Value) -> Result<(), ConfigError> {
        let mut slot = root;
        for (depth, part) in self.path.iter().enumerate() {
            let refuse = |problem| ConfigError::Override { place: self.place(), problem };
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

#[cfg(test)]
mod tests {
    use engram_agents::continual::MethodName;

    use super::super::{Config, Overrides, Source, load};
    use super::*;

    fn with(set: &[&str]) -> Result<Config, ConfigError> {
        let set = set.iter().map(|&text| text.to_owned()).collect();
        load(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() })
    }

    #[test]
    fn settings_reach_every_depth_and_the_last_wins() {
        let config = with(&[
            "agent.optimizer.learning_rate=3e-4",
            "agent.network.hidden=[32]",
            "curriculum.tasks.1.env=PermutedCatch/b-1",
            "method.name=l2",
            "agent.observation_scale.Catch=[1, 2]",
            "agent.observation_scale.\"My.Game\"=[0.5]",
            "seed=1",
            "seed = 2",
        ])
        .unwrap();
        assert_eq!(config.agent.optimizer.learning_rate, 3e-4);
        assert_eq!(config.agent.network.hidden, [32]);
        assert_eq!(config.curriculum.tasks[1].env, "PermutedCatch/b-1");
        assert_eq!(config.method.name, MethodName::L2);
        assert_eq!(config.agent.observation_scale["Catch"], [1.0, 2.0]);
        assert_eq!(config.agent.observation_scale["My.Game"], [0.5]);
        assert_eq!(config.seed, 2);
    }

    #[test]
    fn errors_in_settings_quote_them() {
        for (setting, error) in [
            (
                "agent.gama=0.9",
                "--set agent.gama=0.9: unknown key `agent.gama`; there are `discount`, `double`, `loss`",
            ),
            (
                "agent.optimizer.learning_rat=1",
                "--set agent.optimizer.learning_rat=1: unknown key `agent.optimizer.learning_rat`, \
                did you mean `agent.optimizer.learning_rate`?",
            ),
            ("methd.name=l2", "--set methd.name=l2: unknown key `methd`, did you mean `method`?"),
            (
                "method.name=ewcc",
                "--set method.name=ewcc: `method.name` is \"ewcc\", which is unknown, did you mean `ewc`?; \
                it must be `fine-tune`, `reset`, `frozen`, `l2`, `ewc`, `online-ewc`, `huszar`, ",
            ),
            (
                "agent.batch_size=-5",
                "--set agent.batch_size=-5: `agent.batch_size` is -5; it must be a whole number, 0 or greater",
            ),
            ("agent.double=yes", "--set agent.double=yes: `agent.double` is \"yes\"; it must be true or false"),
            ("seed.x=1", "--set seed.x=1: `seed` is a table; it must be a whole number, 0 or greater"),
            ("name.x=1", "--set name.x=1: `name` is \"catch-3\", there is nothing in it"),
            (
                "curriculum.tasks.7.env=Catch",
                "--set curriculum.tasks.7.env=Catch: `curriculum.tasks` has no element `7`",
            ),
            (
                "curriculum.tasks=[\"Catch\"]",
                "--set curriculum.tasks=[\"Catch\"]: `curriculum.tasks.0` is \"Catch\"; it must be a table, such as",
            ),
            ("seed", "--set seed: it must be KEY=VALUE"),
            ("a..b=1", "--set a..b=1: it must be KEY=VALUE"),
            ("=1", "--set =1: it must be KEY=VALUE"),
            (
                "curriculum.tasks.0.options.tasks=[1]",
                "--set curriculum.tasks.0.options.tasks=[1]: `curriculum.tasks.0.options.tasks` is [1]; \
                it must be true, false, a number or a text",
            ),
        ] {
            let found = with(&[setting]).unwrap_err().to_string();
            assert!(found.starts_with(error), "{setting}:\n{found}\n{error}");
        }
    }

    #[test]
    fn the_last_setting_of_a_key_is_the_one_at_fault() {
        let error = with(&["seed=1", "seed=-2", "log.period=5"]).unwrap_err().to_string();
        assert!(error.starts_with("--set seed=-2: `seed` is -2"), "{error}");
    }
}
