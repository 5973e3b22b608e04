//! Many runs of one experiment, in one folder: planned, begun, gone on with after whatever cut them off, and watched.
//!
//! A sweep folder holds `plan.toml`, `runs.csv` and a run directory a run, which has its config from the beginning: a run
//! is begun and gone on with by the same `engram resume`, on this machine ([`local`]) or a cluster ([`slurm`]).

pub mod local;
mod plan;
pub mod slurm;
mod standing;
pub mod tuning;
mod view;

pub use plan::{FIRST_REPORTED_SEED, Plan, PlannedRun};
pub use standing::{Standing, Summary, last_line};
pub use view::View;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::{ConfigError, Text},
    snapshot,
};

/// The file of the plan in a sweep folder.
pub const PLAN: &str = "plan.toml";
/// The file that lists the plan's runs in a sweep folder.
pub const RUNS: &str = "runs.csv";
/// What a run says while it is trained, in its run directory.
pub const LOG: &str = "log.txt";

/// A sweep folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The folder.
    pub folder: PathBuf,
    /// The plan's runs, in its order.
    pub runs: Vec<Entry>,
}

/// A line of `runs.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name of the run directory.
    pub run: String,
    /// The method.
    pub method: String,
    /// The seed.
    pub seed: u64,
    /// What it is set to of the plan's grid.
    pub settings: String,
    /// Environment steps of all phases.
    pub steps: u64,
}

/// Why there is no sweep.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A config of the plan makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A config cannot be written as text.
    #[error("cannot write a config as TOML: {0}")]
    Text(#[from] toml::ser::Error),
    /// A key of the grid makes no sense.
    #[error("`{key}` in the grid: {problem}")]
    Grid {
        /// The key.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The folder holds something else.
    #[error("{} exists and is not a sweep's folder: it has no {PLAN}; choose another --name", .0.display())]
    Foreign(PathBuf),
    /// The folder is no sweep's.
    #[error("{} is not a sweep's folder: it has no readable {RUNS} ({cause})", path.display())]
    NotASweep {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// Something cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
}

impl Sweep {
    /// Reads a plan from a TOML file.
    pub fn read_plan(path: &Path) -> Result<Plan, SweepError> {
        Ok(Text::read(path)?.value()?)
    }

    /// The sweep of a plan's runs in a folder, of which nothing need be there yet.
    pub fn of(folder: &Path, runs: &[PlannedRun]) -> Self {
        Self { folder: folder.to_owned(), runs: runs.iter().map(Entry::from).collect() }
    }

    /// Makes the folder, or brings an earlier sweep's up to its new plan: runs that both have stay as they are, others stay
    /// where they are and no longer count.
    pub fn write(&self, plan: &Plan, runs: &[PlannedRun]) -> Result<(), SweepError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| SweepError::Write { path, cause }
        };
        let empty = fs::read_dir(&self.folder).map_or(true, |mut entries| entries.next().is_none());
        if !empty && !self.folder.join(PLAN).exists() {
            return Err(SweepError::Foreign(self.folder.clone()));
        }
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        // First, so that a folder that is not complete yet is known as a sweep's.
        let path = self.folder.join(PLAN);
        snapshot::replace(&path, toml::to_string(plan)?.as_bytes()).map_err(failed(&path))?;
        for run in runs {
            let path = self.folder.join(&run.name);
            prepare(&path, &run.config).map_err(failed(&path))?;
        }
        let path = self.folder.join(RUNS);
        let list = |file: &mut fs::File| {
            let mut writer = csv::Writer::from_writer(file);
            self.runs.iter().try_for_each(|entry| writer.serialize(entry))?;
            writer.flush()
        };
        snapshot::replace_with(&path, list).map_err(failed(&path))
    }

    /// Opens the folder of a sweep.
    pub fn open(folder: &Path) -> Result<Self, SweepError> {
        let refuse = |cause: String| SweepError::NotASweep { path: folder.to_owned(), cause };
        let text = fs::read_to_string(folder.join(RUNS)).map_err(|cause| refuse(cause.to_string()))?;
        let entries = csv::Reader::from_reader(text.as_bytes()).into_deserialize().collect::<Result<_, _>>();
        Ok(Self { folder: folder.to_owned(), runs: entries.map_err(|error| refuse(error.to_string()))? })
    }

    /// The directory of the run of this index.
    pub fn run(&self, index: usize) -> PathBuf {
        self.folder.join(&self.runs[index].run)
    }
}

impl From<&PlannedRun> for Entry {
    fn from(run: &PlannedRun) -> Self {
        Self {
            run: run.name.clone(),
            method: run.method.as_str().to_owned(),
            seed: run.seed,
            settings: run.settings.clone(),
            steps: run.steps,
        }
    }
}

/// Makes a run directory with its config. One that has begun stays as it is.
///
/// Ten thousand of them are made in seconds, because nothing asks for them to be on the disk already: planning again makes
/// good what a crash has lost.
fn prepare(run: &Path, config: &str) -> io::Result<()> {
    let path = run.join("config.toml");
    if run.join("status.json").exists() || fs::read(&path).is_ok_and(|present| present == config.as_bytes()) {
        return Ok(());
    }
    fs::create_dir_all(run)?;
    let unfinished = run.join(format!("{}config", snapshot::UNFINISHED));
    fs::write(&unfinished, config)?;
    fs::rename(&unfinished, &path)
}

#[cfg(test)]
mod tests {
    use engram_envs::Registry;

    use super::*;

    fn create(folder: &Path, plan: &Plan) -> Result<Sweep, SweepError> {
        let runs = plan.runs(&Registry::standard())?;
        let sweep = Sweep::of(folder, &runs);
        sweep.write(plan, &runs)?;
        Ok(sweep)
    }

    fn plan(seeds: u64) -> Plan {
        toml::from_str(&format!("experiment = \"catch-3\"\nmethods = [\"l2\", \"ewc\"]\nseeds = {seeds}")).unwrap()
    }

    #[test]
    fn a_sweep_is_made_once_and_grows_with_its_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/sweep");
        let sweep = create(&path, &plan(1)).unwrap();
        assert_eq!(Sweep::open(&path).unwrap(), sweep);
        assert_eq!(Sweep::read_plan(&path.join(PLAN)).unwrap(), plan(1));
        let begun = sweep.run(0);
        fs::write(begun.join("status.json"), "{}").unwrap();
        fs::write(begun.join("config.toml"), "made longer").unwrap();
        fs::write(sweep.run(1).join("config.toml"), "cut off").unwrap();
        let grown = create(&path, &plan(2)).unwrap();
        assert_eq!(grown.runs.len(), 4);
        assert_eq!(grown.runs[..2], sweep.runs);
        assert_eq!(fs::read_to_string(begun.join("config.toml")).unwrap(), "made longer");
        assert!(fs::read_to_string(sweep.run(1).join("config.toml")).unwrap().contains("[curriculum]"));
    }

    #[test]
    fn other_folders_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "").unwrap();
        assert!(matches!(create(folder.path(), &plan(1)), Err(SweepError::Foreign(_))));
        let error = Sweep::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is not a sweep's folder"), "{error}");
    }

    #[test]
    fn errors_in_a_plan_name_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        for (text, error) in [
            ("seeds = 3\n", "`experiment` is missing"),
            ("experiment = \"x\"\nsedes = 3\n", ":2: unknown key `sedes`, did you mean `seeds`?"),
            (
                "experiment = \"x\"\nseeds = 3\nmethods = [\n\"ewcc\"]\n",
                ":4: `methods.0` is \"ewcc\", which is unknown",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let found = Sweep::read_plan(&path).unwrap_err().to_string();
            assert!(found.contains(error), "{found}");
        }
    }
}
