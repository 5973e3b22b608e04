//! What a sweep trains: one experiment under several methods, settings and seeds, spelled out run by run.

use std::collections::{BTreeMap, BTreeSet};

use engram_agents::{continual::MethodName, params::fnv1a};
use engram_envs::Registry;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::SweepError;
use crate::{
    config::{self, Config, Overrides, Source},
    figure::decides,
};

/// The first seed of results: those below it are for choosing settings. See `CONTRIBUTING.md`.
pub const FIRST_REPORTED_SEED: u64 = 100;

/// A plan, as `plan.toml` holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The experiment: a preset's name or the path of a config.
    pub experiment: String,
    /// The methods; none means the experiment's own.
    #[serde(default)]
    pub methods: Vec<MethodName>,
    /// How many seeds.
    pub seeds: u64,
    /// The first of them; the others follow.
    #[serde(default = "first_seed")]
    pub first_seed: u64,
    /// Environment steps of every phase, in place of what the experiment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_per_task: Option<u64>,
    /// Keys of the config, set in all runs.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub set: Table,
    /// Keys of the config, each with a list of values: every combination is trained, under those methods that a key
    /// makes a difference to.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub grid: Table,
}

fn first_seed() -> u64 {
    FIRST_REPORTED_SEED
}

/// One run of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// The name of its run directory: method, settings, seed, and a hash of the resolved config, which is its identity.
    pub name: String,
    /// The method.
    pub method: MethodName,
    /// The seed.
    pub seed: u64,
    /// Its point of the grid, such as `method.ewc.lambda = 3`.
    pub settings: String,
    /// Environment steps of all phases.
    pub steps: u64,
    /// The resolved config as text.
    pub config: String,
}

/// The most runs of a plan: a folder with more is of no use.
pub const MOST_RUNS: u64 = 1_000_000;

/// Keys that a plan has a place of its own for.
const RESERVED: [(&str, &str); 2] = [
    ("seed", "seeds are given as a number of seeds and the first of them"),
    ("method.name", "methods are given as a list of methods"),
];

/// Values of keys, by dotted path.
type Point = BTreeMap<String, Value>;

impl Plan {
    /// Every run: seed after seed, so that a sweep that is cut short has compared what it has, and under each seed method
    /// after method.
    pub fn runs(&self, registry: &Registry) -> Result<Vec<PlannedRun>, SweepError> {
        let settings = leaves(&self.set);
        if let Some((key, advice)) = RESERVED.iter().find(|(key, _)| settings.contains_key(*key)) {
            return Err(SweepError::Set { key: (*key).into(), advice });
        }
        // A config holds a seed as a TOML integer.
        let end = self.first_seed.checked_add(self.seeds).filter(|end| i64::try_from(*end).is_ok());
        let Some(end) = end.filter(|_| self.seeds > 0) else {
            return Err(SweepError::Seeds { seeds: self.seeds, first: self.first_seed });
        };
        let mut variants = Vec::new();
        for (method, point) in self.points(registry)? {
            let config = self.config(Some(method), &point, registry)?;
            variants.push(Variant::new(method, &point, config)?);
        }
        let count = self.seeds.saturating_mul(variants.len() as u64);
        if count > MOST_RUNS {
            return Err(SweepError::TooMany(count));
        }
        let mut runs = Vec::new();
        let mut names = BTreeSet::new();
        for seed in self.first_seed..end {
            for variant in &variants {
                let run = variant.run(seed)?;
                // Of settings that are given twice, one run is enough.
                if names.insert(run.name.clone()) {
                    runs.push(run);
                }
            }
        }
        Ok(runs)
    }

    /// Every method with every combination of those keys of the grid that make a difference to it.
    fn points(&self, registry: &Registry) -> Result<Vec<(MethodName, Point)>, SweepError> {
        let own = || Ok::<_, SweepError>(vec![self.config(None, &Point::new(), registry)?.method.name]);
        let methods = if self.methods.is_empty() { own()? } else { self.methods.clone() };
        let grid = leaves(&self.grid);
        for (key, values) in &grid {
            check_grid(key, values, &methods)?;
        }
        let mut points = Vec::new();
        for method in methods {
            let mut combinations = vec![Point::new()];
            for (key, values) in grid.iter().filter(|(key, _)| decides(key, method)) {
                let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
                let with = |point: &Point, value: &Value| {
                    let mut point = point.clone();
                    point.insert(key.clone(), value.clone());
                    point
                };
                combinations =
                    combinations.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect();
            }
            points.extend(combinations.into_iter().map(|point| (method, point)));
        }
        Ok(points)
    }

    /// The config of a method at a point of the grid, not yet resolved: the seed decides the order of phases.
    fn config(&self, method: Option<MethodName>, point: &Point, registry: &Registry) -> Result<Config, SweepError> {
        let settings = leaves(&self.set);
        let overrides = Overrides {
            set: settings.iter().chain(point).map(|(key, value)| format!("{key}={value}")).collect(),
            method: method.map(|method| method.as_str().to_owned()),
            seed: Some(self.first_seed),
            steps_per_task: self.steps_per_task,
            ..Overrides::default()
        };
        Ok(config::read(&Source::from(self.experiment.as_str()), &overrides, registry)?)
    }

    /// Whether it compares strengths of a method on seeds whose results are reported: to choose among them then is to
    /// tune on what is reported.
    pub fn tunes_on_reported_seeds(&self) -> bool {
        let strength = |key: &String| key.starts_with("method.");
        self.first_seed.saturating_add(self.seeds) > FIRST_REPORTED_SEED && leaves(&self.grid).keys().any(strength)
    }
}

/// Refuses a key of the grid that is none.
fn check_grid(key: &str, values: &Value, methods: &[MethodName]) -> Result<(), SweepError> {
    let refuse = |problem: String| Err(SweepError::Grid { key: key.to_owned(), problem });
    if let Some((_, advice)) = RESERVED.iter().find(|(reserved, _)| *reserved == key) {
        return refuse((*advice).into());
    }
    if values.as_array().is_none_or(Vec::is_empty) {
        return refuse(format!("it is {values}; it must be a list of values"));
    }
    if methods.iter().any(|method| decides(key, *method)) {
        return Ok(());
    }
    let names: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    refuse(format!("it makes no difference to {}", names.join(", ")))
}

/// A method at a point of the grid, for any seed.
struct Variant {
    method: MethodName,
    /// The point as a part of a folder's name.
    label: String,
    /// The point in words.
    settings: String,
    config: Config,
}

impl Variant {
    /// Values are named as the config holds them: 1 and 1.0 are one strength.
    fn new(method: MethodName, point: &Point, config: Config) -> Result<Self, SweepError> {
        let held = config::keys(&config).map_err(SweepError::Keys)?;
        let values =
            || point.iter().map(|(key, value)| (key, held.get(key).cloned().unwrap_or_else(|| value.to_string())));
        let short = |(key, value): (&String, String)| {
            let key = key.rsplit('.').next().unwrap_or(key);
            let text: String = value.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
            format!("_{key}={}", text.trim_matches('_'))
        };
        let label = values().map(short).collect();
        let settings: Vec<_> = values().map(|(key, value)| format!("{key} = {value}")).collect();
        Ok(Self { method, label, settings: settings.join(", "), config })
    }

    fn run(&self, seed: u64) -> Result<PlannedRun, SweepError> {
        let Self { method, label, settings, .. } = self;
        let config = Config { seed, ..self.config.clone() }.resolve();
        let text = config::to_toml(&config)?;
        Ok(PlannedRun {
            // A folder's name may have 255 bytes.
            name: format!("{}{label:.180}__{seed}__{:08x}", method.as_str(), fold(fnv1a(text.bytes()))),
            method: *method,
            seed,
            settings: settings.clone(),
            steps: config.curriculum.phases.iter().filter_map(|phase| phase.steps).sum(),
            config: text,
        })
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}

/// Half as many bits: enough to tell apart configs of one method and seed.
fn fold(hash: u64) -> u32 {
    (hash ^ hash >> 32) as u32
}

/// The values of a table by dotted path, tables within it taken apart.
fn leaves(table: &Table) -> Point {
    fn collect(path: &str, table: &Table, into: &mut Point) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value {
                Value::Table(inner) => collect(&path, inner, into),
                value => drop(into.insert(path, value.clone())),
            }
        }
    }
    let mut found = Point::new();
    collect("", table, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        toml::from_str(&format!("experiment = \"catch-3\"\n{text}")).unwrap()
    }

    fn runs(text: &str) -> Result<Vec<PlannedRun>, SweepError> {
        plan(text).runs(&Registry::standard())
    }

    fn refused(text: &str) -> String {
        runs(text).unwrap_err().to_string()
    }

    #[test]
    fn a_key_of_the_grid_is_varied_under_the_methods_that_heed_it() {
        let runs = runs(
            "methods = [\"fine-tune\", \"l2\", \"ewc\"]\nseeds = 2\nfirst_seed = 7\n[grid]\nmethod.ewc.lambda = [1, 10.5]\n\
             agent.optimizer.learning_rate = [1e-3]",
        )
        .unwrap();
        let short: Vec<_> = runs.iter().map(|run| run.name.rsplit_once("__").unwrap().0).collect();
        let of = |seed: u64| {
            ["fine-tune", "l2", "ewc", "ewc"]
                .into_iter()
                .zip(["", "", "_lambda=1", "_lambda=10.5"])
                .map(move |(method, lambda)| format!("{method}_learning_rate=0.001{lambda}__{seed}"))
        };
        assert_eq!(short, of(7).chain(of(8)).collect::<Vec<_>>());
        assert_eq!(runs[3].settings, "agent.optimizer.learning_rate = 0.001, method.ewc.lambda = 10.5");
        assert!(runs[3].config.contains("lambda = 10.5\n"), "{}", runs[3].config);
        assert_eq!(runs[0].steps, 30_000);
    }

    #[test]
    fn a_run_is_known_by_its_config() {
        let names = |text: &str| runs(text).unwrap().into_iter().map(|run| run.name).collect::<Vec<_>>();
        let few = names("methods = [\"ewc\"]\nseeds = 2");
        let more = names("methods = [\"l2\", \"ewc\"]\nseeds = 5");
        assert!(few.iter().all(|name| more.contains(name)), "a plan that grows keeps its runs");
        for changed in ["steps_per_task = 500", "[set]\nagent.discount = 0.5", "[set.agent]\ndiscount = 0.5"] {
            let other = names(&format!("methods = [\"ewc\"]\nseeds = 2\n{changed}"));
            assert!(few.iter().all(|name| !other.contains(name)), "{changed}");
        }
        assert_eq!(names("methods = [\"ewc\", \"ewc\"]\nseeds = 2"), few);
        let twice = names("seeds = 1\n[grid]\nmethod.ewc.lambda = [1, 1.0]");
        assert!(twice.len() == 1 && twice[0].starts_with("ewc_lambda=1__100__"), "{twice:?}");
    }

    #[test]
    fn without_methods_it_is_the_experiments_own() {
        let runs = runs("seeds = 1").unwrap();
        assert_eq!((runs[0].method, runs[0].seed), (MethodName::Ewc, FIRST_REPORTED_SEED));
    }

    #[test]
    fn a_random_order_is_that_of_each_seed() {
        let runs = runs("seeds = 6\n[set]\ncurriculum.order = \"random\"").unwrap();
        let phases = |run: &PlannedRun| run.config.split("[[curriculum.phases]]").skip(1).map(str::to_owned).collect();
        let orders: BTreeSet<Vec<String>> = runs.iter().map(phases).collect();
        assert!(orders.len() > 1);
    }

    #[test]
    fn grids_that_make_no_sense_are_refused() {
        for (text, problem) in [
            ("seeds = 1\n[grid]\nseed = [1]", "`seed` in the grid: seeds are given as"),
            ("seeds = 1\n[grid]\nmethod.name = [\"l2\"]", "`method.name` in the grid: methods are given as"),
            ("seeds = 1\n[grid]\nmethod.ewc.lambda = 3", "`method.ewc.lambda` in the grid: it is 3; it must be a list"),
            (
                "seeds = 1\n[grid]\nmethod.l2.lambda = [3]",
                "`method.l2.lambda` in the grid: it makes no difference to ewc",
            ),
            ("seeds = 0", "0 seeds from 100 on: there must be 1 or more"),
            ("seeds = 2\nfirst_seed = 9223372036854775806", "2 seeds from 9223372036854775806 on: "),
            ("seeds = 2000000", "the plan has 2000000 runs; at most 1000000"),
            ("seeds = 1\n[set]\nseed = 3", "`seed` cannot be set: seeds are given as"),
            ("seeds = 1\n[set]\nmethod.name = \"l2\"", "`method.name` cannot be set: methods are given as"),
            ("seeds = 1\n[grid]\nagent.gama = [3]", "--set agent.gama=3: unknown key `agent.gama`"),
        ] {
            let error = refused(text);
            assert!(error.starts_with(problem), "{error}");
        }
    }

    #[test]
    fn strengths_are_not_chosen_on_reported_seeds() {
        for (text, tunes) in [
            ("seeds = 5\n[grid]\nmethod.ewc.lambda = [1, 2]", true),
            ("seeds = 5\nfirst_seed = 0\n[grid]\nmethod.ewc.lambda = [1, 2]", false),
            ("seeds = 5\nfirst_seed = 97\n[grid]\nmethod.ewc.lambda = [1, 2]", true),
            ("seeds = 5", false),
        ] {
            assert_eq!(plan(text).tunes_on_reported_seeds(), tunes, "{text}");
        }
    }
}
