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

use plan::MOST_RUNS;

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
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
/// The file that is locked by the process that plans or submits.
const LOCK: &str = ".lock";
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
    /// The keys of a config cannot be listed.
    #[error("cannot list the keys of a config: {0}")]
    Keys(String),
    /// A key that has a place of its own in a plan.
    #[error("`{key}` cannot be set: {advice}")]
    Set {
        /// The key.
        key: String,
        /// Where it belongs.
        advice: &'static str,
    },
    /// There are no such seeds.
    #[error("{seeds} seeds from {first} on: there must be 1 or more, all below 9223372036854775808")]
    Seeds {
        /// How many.
        seeds: u64,
        /// The first.
        first: u64,
    },
    /// More runs than a folder can hold.
    #[error("the plan has {0} runs; at most {MOST_RUNS} are trained in one folder")]
    TooMany(u64),
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
    ///
    /// Returns the lock on the folder, so that two processes do not plan, or submit, at the same time.
    pub fn write(&self, plan: &Plan, runs: &[PlannedRun]) -> Result<fs::File, SweepError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| SweepError::Write { path, cause }
        };
        // Another process may be about to write the plan.
        let begun = |name: &OsStr| name == LOCK || name.to_string_lossy().starts_with(snapshot::UNFINISHED);
        let mut entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        if entries.any(|entry| !begun(&entry.file_name())) && !self.folder.join(PLAN).exists() {
            return Err(SweepError::Foreign(self.folder.clone()));
        }
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        let path = self.folder.join(LOCK);
        let lock = fs::File::create(&path).map_err(failed(&path))?;
        match lock.lock() {
            // Some network file systems know no locks; there the user has to take care.
            Err(cause) if cause.kind() != io::ErrorKind::Unsupported => return Err(failed(&path)(cause)),
            _ => {}
        }
        // First, so that a folder that is not complete yet is known as a sweep's.
        let path = self.folder.join(PLAN);
        renew(&path, toml::to_string(plan)?.as_bytes()).map_err(failed(&path))?;
        for run in runs {
            let path = self.folder.join(&run.name);
            prepare(&path, &run.config).map_err(failed(&path))?;
        }
        let path = self.folder.join(RUNS);
        table(&self.runs).and_then(|bytes| renew(&path, &bytes)).map_err(failed(&path))?;
        Ok(lock)
    }

    /// Opens the folder of a sweep.
    pub fn open(folder: &Path) -> Result<Self, SweepError> {
        let refuse = |cause: String| SweepError::NotASweep { path: folder.to_owned(), cause };
        let text = fs::read_to_string(folder.join(RUNS)).map_err(|cause| refuse(cause.to_string()))?;
        let entries = csv::Reader::from_reader(text.as_bytes()).into_deserialize().collect::<Result<_, _>>();
        let runs: Vec<Entry> = entries.map_err(|error| refuse(error.to_string()))?;
        // A name that leads out of the folder is no run of this sweep.
        let outside = |entry: &&Entry| !is_name(&entry.run);
        match runs.iter().find(outside) {
            Some(entry) => Err(refuse(format!("the run `{}` must be the name of a folder in it", entry.run))),
            None => Ok(Self { folder: folder.to_owned(), runs }),
        }
    }

    /// How many runs that have begun an earlier plan of the folder had and this one lacks.
    pub fn left_out(&self) -> usize {
        let own: BTreeSet<&str> = self.runs.iter().map(|entry| entry.run.as_str()).collect();
        let earlier = Self::open(&self.folder).map_or(Vec::new(), |earlier| earlier.runs);
        let begun = |entry: &&Entry| self.folder.join(&entry.run).join("status.json").exists();
        earlier.iter().filter(|entry| !own.contains(entry.run.as_str())).filter(begun).count()
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

/// Whether a text is the name of something in a folder, and of nothing elsewhere.
pub fn is_name(text: &str) -> bool {
    let mut parts = Path::new(text).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

/// Records as the lines of a CSV file, below a header.
fn table(records: &[impl Serialize]) -> io::Result<Vec<u8>> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    records.iter().try_for_each(|record| lines.serialize(record))?;
    lines.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Puts `bytes` at `path` unless they are there already: whoever may only read can look at a sweep that has finished.
fn renew(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == bytes) { Ok(()) } else { snapshot::replace(path, bytes) }
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
    let unfinished = run.join(format!("{}{}", snapshot::UNFINISHED, std::process::id()));
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
        sweep.write(plan, &runs).map(|_lock| sweep)
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
        assert_eq!((grown.left_out(), Sweep { folder: path, runs: Vec::new() }.left_out()), (0, 1));
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
