//! From text to a config: a preset or a file, then what the command line overrides.

use std::path::{Path, PathBuf};

use engram_agents::continual::MethodName;
use engram_envs::Registry;
use toml::Value;

use super::error::{Fault, check, nearest};
use super::refusal::refusal;
use super::setting::Setting;
use super::text::Text;
use super::{Config, ConfigError, ReferenceConfig, validate::validate};
use crate::presets::{self, Preset};
use crate::reference::{
    self,
    measure::{self, Budget},
};

/// Where a config comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An experiment embedded in the binary, by its name.
    Preset(String),
    /// A TOML file.
    File(PathBuf),
}

impl From<&str> for Source {
    /// A text that contains a path separator or ends in `.toml` is a path, unless a preset has this name; any other
    /// names a preset.
    fn from(text: &str) -> Self {
        let is_path = text.contains(['/', std::path::MAIN_SEPARATOR])
            || Path::new(text).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        if is_path && presets::get(text).is_none() { Self::File(text.into()) } else { Self::Preset(text.into()) }
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
    /// Environment steps between recordings.
    pub record_period: Option<u64>,
    /// Whether all phases become one of all tasks in turns.
    pub joint: bool,
}

/// Reads a config and [validates](validate()) it; errors of either kind say where the key stands.
pub fn read(source: &Source, overrides: &Overrides, registry: &Registry) -> Result<Config, ConfigError> {
    let document = Document::open(source, overrides)?;
    let mut config = document.config()?;
    validate(&config, registry).map_err(|error| document.place(error))?;
    measure_missing(&mut config, registry).map_err(|error| document.place(error))?;
    Ok(config)
}

/// Measures the return of random play where it is neither given nor on record.
fn measure_missing(config: &mut Config, registry: &Registry) -> Result<(), ConfigError> {
    // A second or so for most games, which the scores' scale is worth.
    let budget = Budget { episodes: 500, steps: 20_000, episode_steps: config.evaluation.step_limit };
    for (index, task) in config.curriculum.tasks.iter_mut().enumerate() {
        let Some(single) = task.reference.map(|own| own.single) else { continue };
        if reference::random(task).is_some() {
            continue;
        }
        let key = format!("curriculum.tasks.{index}.reference");
        let measured = measure::random(registry, task, 0, budget);
        let random = measured.map_err(|error| Fault::Unusable(error.into()).of(&key))?.mean;
        let shown = format!("{{ single = {single} }}");
        let range = single - random;
        let expected = format!("another number than {random}, the mean return of random play");
        check(&key, shown, range.is_finite() && range != 0.0, expected)?;
        task.reference = Some(ReferenceConfig { random: Some(random), single });
    }
    Ok(())
}

/// Reads a config without looking at its values.
pub fn load(source: &Source, overrides: &Overrides) -> Result<Config, ConfigError> {
    Document::open(source, overrides)?.config()
}

/// The preset of this name.
pub fn preset(name: &str) -> Result<Preset, ConfigError> {
    presets::get(name).ok_or_else(|| {
        let nearest = nearest(name, presets::all().iter().map(|preset| &*preset.name));
        ConfigError::UnknownPreset { name: name.into(), nearest }
    })
}

/// The text of a config and what is set over it.
struct Document {
    text: Text,
    /// The name of a config that has none.
    stem: Option<String>,
    settings: Vec<Setting>,
    /// Whether phases lose their own number of steps.
    equal_phases: bool,
    /// Whether all phases become one.
    joint: bool,
}

impl Document {
    fn open(source: &Source, overrides: &Overrides) -> Result<Self, ConfigError> {
        let text = match source {
            Source::Preset(name) => Text::new(format!("preset {name}"), preset(name)?.toml.into_owned()),
            Source::File(path) => Text::read(path)?,
        };
        let stem = match source {
            Source::Preset(_) => None,
            Source::File(path) => Some(path.file_stem().unwrap_or_default().to_string_lossy().into_owned()),
        };
        let equal_phases = overrides.steps_per_task.is_some();
        Ok(Self { text, stem, settings: overrides.settings()?, equal_phases, joint: overrides.joint })
    }

    fn config(&self) -> Result<Config, ConfigError> {
        let mut table = self.text.table()?;
        if let Some(stem) = &self.stem {
            table.entry("name").or_insert_with(|| Value::String(stem.clone()));
        }
        let mut root = Value::Table(table);
        for setting in &self.settings {
            setting.apply(&mut root)?;
        }
        let deserialized: Result<Config, _> = serde_path_to_error::deserialize(root.clone());
        let mut config = deserialized.map_err(|error| self.place(refusal(&error, &root)))?;
        if self.equal_phases {
            for phase in &mut config.curriculum.phases {
                (phase.steps, phase.schedule_steps) = (None, None);
            }
        }
        if self.joint {
            config.curriculum.join();
        }
        Ok(config)
    }

    /// Says of an error where its key stands: in the last override that touches it, or else in the text.
    fn place(&self, mut error: ConfigError) -> ConfigError {
        error = self.text.place(error);
        if let ConfigError::Key(error) = &mut error {
            let path: Vec<&str> = error.key.split('.').collect();
            if let Some(setting) = self.settings.iter().rev().find(|setting| setting.touches(&path)) {
                error.place = setting.place();
            }
        }
        error
    }
}

impl Overrides {
    fn settings(&self) -> Result<Vec<Setting>, ConfigError> {
        let mut settings = Vec::new();
        if self.joint {
            let mut imply = |key: &str, value: Value| {
                settings.push(Setting::new("--curriculum joint".into(), key, value));
            };
            imply("agent.replay.per_task", Value::Boolean(true));
            // Other methods have nothing to do where no task is ever finished; --set and --method say otherwise.
            imply("method.name", Value::String(MethodName::FineTune.as_str().into()));
        }
        for text in &self.set {
            settings.push(Setting::parse(text)?);
        }
        let mut add = |option: &str, key: &str, shown: &str, value: Value| {
            settings.push(Setting::new(format!("--{option} {shown}"), key, value));
        };
        let whole = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        if let Some(method) = &self.method {
            add("method", "method.name", method, Value::String(method.clone()));
        }
        if let Some(seed) = self.seed {
            add("seed", "seed", &seed.to_string(), whole(seed));
        }
        if let Some(steps) = self.steps_per_task {
            add("steps-per-task", "curriculum.steps_per_task", &steps.to_string(), whole(steps));
        }
        if let Some(period) = self.record_period {
            add("record-period", "evaluation.record_period", &period.to_string(), whole(period));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use engram_agents::continual::MethodName;

    use std::fs;

    use super::*;

    /// The error for a file with these bytes, its folder left out.
    fn refused(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.toml");
        fs::write(&path, bytes).unwrap();
        let error = read(&Source::File(path), &Overrides::default(), &Registry::standard()).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn paths_are_told_from_names() {
        for path in ["my.toml", "my.TOML", "configs/my", "./catch-5"] {
            assert_eq!(Source::from(path), Source::File(path.into()));
        }
        assert_eq!(Source::from("catch-5"), Source::Preset("catch-5".into()));
    }

    #[test]
    fn options_of_the_command_line_win_over_settings() {
        let overrides = Overrides {
            joint: false,
            set: vec![
                "seed=1".into(),
                "method.name=l2".into(),
                "curriculum.phases=[{ task = 1, steps = 7, schedule_steps = 9 }]".into(),
            ],
            method: Some("online-ewc".into()),
            seed: Some(5),
            steps_per_task: Some(900),
            record_period: Some(300),
        };
        let config = load(&Source::from("catch-3"), &overrides).unwrap();
        assert_eq!((config.seed, config.method.name), (5, MethodName::OnlineEwc));
        assert_eq!((config.curriculum.steps_per_task, config.curriculum.phases[0].steps), (900, None));
        assert_eq!(config.curriculum.phases[0].schedule_steps, None);
        assert_eq!(config.evaluation.record_period, 300);
    }

    #[test]
    fn errors_in_files_name_the_line() {
        const START: &str = "[curriculum]\nsteps_per_task = 900\ntasks = [\n  { env = \"Catch\" },\n";
        let file = |rest: &str| refused(format!("{START}{rest}").as_bytes());
        for (rest, error) in [
            ("]\n\n[agent]\ngama = 0.9\n", "my.toml:8: unknown key `agent.gama`"),
            ("  { emv = \"Catch\" },\n]\n", "my.toml:5: unknown key `curriculum.tasks.1.emv`"),
            ("  { options = {} },\n]\n", "my.toml:5: `curriculum.tasks.1.env` is missing"),
            ("]\n[agnt]\n", "my.toml:6: unknown key `agnt`, did you mean `agent`?"),
            ("]\n[agent.network]\nhidden = 64\n", "my.toml:7: `agent.network.hidden` is 64; it must be a list"),
            ("]\n[agent.network]\nhidden = [\n64,\n-1]\n", "my.toml:9: `agent.network.hidden.1` is -1"),
            ("]\n[method.ewc]\nlambda = nan\n", "my.toml:7: `method.ewc.lambda` is NaN; it must be a number from 0"),
            ("]\n[method.ewc]\nlambda = -1\n", "my.toml:7: `method.ewc.lambda` is -1; it must be a number from 0"),
            ("  { env = \"Cach\" },\n]\n", "my.toml:5: `curriculum.tasks.1.env`: unknown environment `Cach`"),
            ("]\nx = = 1\n", "my.toml:6:5: not valid TOML: "),
            ("]\n[agent]\n[agent]\n", "my.toml:7:2: not valid TOML: "),
        ] {
            let found = file(rest);
            assert!(found.starts_with(error), "{rest}\n{found}\n{error}");
        }
        assert_eq!(refused(b"seed = 1\n"), "my.toml: `curriculum` is missing");
        assert_eq!(refused(b"seed = \"\xff\"\n"), "cannot read the config my.toml: byte 8 is not UTF-8");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| load(&Source::File(path.into()), &Overrides::default()).unwrap_err().to_string();
        assert!(refused(folder.path()).ends_with("it is a folder; give a TOML file"));
        assert!(refused(&folder.path().join("no.toml")).contains("no.toml: there is no such file"));
        let preset = load(&Source::from("cach-5"), &Overrides::default()).unwrap_err().to_string();
        assert_eq!(preset, "unknown preset `cach-5`, did you mean `catch-5`?; `engram preset list` names all");
    }

    #[test]
    fn a_file_without_a_name_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, "[curriculum]\nsteps_per_task = 900\ntasks = [{ env = \"Catch\" }]\n").unwrap();
        let named = |set: &[&str]| {
            let set = set.iter().map(|&text| text.to_owned()).collect();
            load(&Source::File(path.clone()), &Overrides { set, ..Overrides::default() }).unwrap().name
        };
        assert_eq!(named(&[]), "mine");
        assert_eq!(named(&["name=other"]), "other");
    }
}
