//! The folder that a run writes into; its layout is described in `runs/README.md`.

mod checkpoints;
mod outputs;

pub use outputs::{Outputs, is_output};

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use engram_agents::dqn::Dqn;

use crate::{
    config::Config,
    sink::{SinkError, status::Status},
    snapshot::{self, Snapshot, SnapshotError},
};

/// A run directory that exists.
pub struct RunDirectory {
    path: PathBuf,
    /// Held by the one process that writes; the system lets go of it when the process ends, however it does.
    _lock: Option<File>,
}

/// The file that is locked by the process that writes.
const LOCK: &str = ".lock";

/// Where a new run directory is to lie.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The folder of all runs.
    pub runs: PathBuf,
    /// The name of the new folder in it; made up from the config and the time where it is not given.
    pub name: Option<String>,
    /// The new folder itself, in place of both.
    pub path: Option<PathBuf>,
}

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunDirectoryError {
    /// There is something already.
    #[error("{} exists already; choose another name, or remove it", .0.display())]
    Exists(PathBuf),
    /// The folder of all runs is something else.
    #[error("{} is a file; the runs need a folder", .0.display())]
    NoFolder(PathBuf),
    /// It cannot be made or written.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// Another process writes into it.
    #[error("{} is in use: another process trains in it", .0.display())]
    InUse(PathBuf),
    /// Nobody can tell whether it has finished.
    #[error("cannot read {}, which says whether the run has finished: {cause}", path.display())]
    Status {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// It is not a run directory.
    #[error("{} is not a run directory: it has no readable config.toml ({cause})", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
}

impl RunDirectory {
    /// Makes the folder of a new run and writes its resolved config.
    pub fn create(place: &Place, config: &Config, resolved: &str) -> Result<Self, RunDirectoryError> {
        if place.path.is_none() && place.runs.is_file() {
            return Err(RunDirectoryError::NoFolder(place.runs.clone()));
        }
        let path = match (&place.path, &place.name) {
            (Some(path), _) => make(path)?,
            (None, Some(name)) => make(&place.runs.join(name))?,
            (None, None) => make_numbered(&place.runs.join(automatic_name(config)))?,
        };
        let directory = Self::lock(path)?;
        if let Err(error) = directory.save_config(resolved) {
            // Nothing was begun, so nothing is left behind.
            let _ = fs::remove_dir_all(directory.path());
            return Err(error);
        }
        Ok(directory)
    }

    /// Opens the folder of an earlier run to look at it.
    pub fn open(path: &Path) -> Result<Self, RunDirectoryError> {
        match fs::metadata(path.join("config.toml")) {
            Ok(_) => Ok(Self { path: path.to_owned(), _lock: None }),
            Err(cause) => Err(RunDirectoryError::NotARun { path: path.to_owned(), cause: cause.to_string() }),
        }
    }

    /// Opens the folder of an earlier run to go on with it: no other process may write into it meanwhile.
    pub fn open_to_write(path: &Path) -> Result<Self, RunDirectoryError> {
        Self::open(path)?;
        Self::lock(path.to_owned())
    }

    fn lock(path: PathBuf) -> Result<Self, RunDirectoryError> {
        let file = path.join(LOCK);
        let lock = File::create(&file).and_then(|lock| match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            // Some network file systems know no locks; there the user has to take care.
            Err(TryLockError::Error(cause)) if cause.kind() == io::ErrorKind::Unsupported => Ok(Some(lock)),
            Err(TryLockError::Error(cause)) => Err(cause),
        });
        match lock {
            Ok(Some(lock)) => Ok(Self { path, _lock: Some(lock) }),
            Ok(None) => Err(RunDirectoryError::InUse(path)),
            Err(cause) => Err(RunDirectoryError::Write { path: file, cause }),
        }
    }

    /// Writes the resolved config.
    pub fn save_config(&self, resolved: &str) -> Result<(), RunDirectoryError> {
        let path = self.config();
        snapshot::replace(&path, resolved.as_bytes()).map_err(|cause| RunDirectoryError::Write { path, cause })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved config's file.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Saves the parameters as `params.safetensors`: the network's, and those of each task that is played with others.
    pub fn save_params(&self, agent: &Dqn, step: u64) -> Result<(), SinkError> {
        save(&self.path.join("params.safetensors"), agent, step)
    }

    /// What of the outputs is missing that was there at an earlier moment, if anything is.
    pub fn lost(&self, earlier: &Outputs) -> Option<String> {
        outputs::lost(&self.path, earlier)
    }

    /// The files that the run at `path` has written, by their path in it, in alphabetical order.
    pub fn outputs(path: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
        outputs::list(path)
    }

    /// Cuts the outputs back to what they were at an earlier moment of the run.
    pub fn cut_back(&self, earlier: &Outputs) -> Result<(), SinkError> {
        outputs::cut_back(&self.path, earlier).map_err(|cause| SinkError::new(&self.path, cause))
    }

    /// The status that was written last; None where there is none.
    pub fn status(&self) -> Result<Option<Status>, RunDirectoryError> {
        let path = self.path.join("status.json");
        let damaged = |cause: String| RunDirectoryError::Status { path: path.clone(), cause };
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(error.to_string())),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(damaged(cause.to_string())),
        }
    }

    /// Makes what the outputs hold last through a crash of the machine.
    pub fn sync_outputs(&self) -> Result<(), SinkError> {
        outputs::sync(&self.path).map(drop).map_err(|cause| SinkError::new(&self.path, cause))
    }

    /// Loads the saved parameters into an agent: those with which a task is played, or the network's own.
    pub fn load_params(&self, task: Option<usize>, agent: &mut Dqn) -> Result<(), SnapshotError> {
        let snapshot = Snapshot::open(&self.path.join("params.safetensors"))?;
        let layout = agent.network().layout().clone();
        let own = task.map(played).unwrap_or_default();
        let prefix = if snapshot.holds(&layout, &own)? { own.as_str() } else { "" };
        snapshot.read(&layout, prefix, agent.network_mut().params_mut())
    }

    /// Which hidden units fired on the states of the task that phase `phase` trained.
    pub fn fired(&self, phase: usize, agent: &Dqn) -> Result<Vec<bool>, SnapshotError> {
        let snapshot = Snapshot::open(&self.consolidation(phase))?;
        let hidden = agent.network().architecture().hidden();
        let flags = hidden.iter().map(|layer| snapshot.flags(&format!("fired/{}", layer.name), layer.units));
        Ok(flags.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The importance that was kept of phase `phase`; None if its method weighs no parameters.
    pub fn importance(&self, phase: usize, agent: &Dqn) -> Result<Option<Vec<f32>>, SnapshotError> {
        let (snapshot, layout) = (Snapshot::open(&self.consolidation(phase))?, agent.network().layout());
        if !snapshot.has("importance/")? {
            return Ok(None);
        }
        let mut importance = vec![0.0; layout.len()];
        snapshot.read(layout, "importance/", &mut importance)?;
        Ok(Some(importance))
    }

    /// Whether phase `phase` ended, so that there is what was kept of it.
    pub fn is_consolidated(&self, phase: usize) -> bool {
        self.consolidation(phase).exists()
    }

    fn consolidation(&self, phase: usize) -> PathBuf {
        self.path.join(format!("consolidations/{phase}.safetensors"))
    }
}

/// What the names of the tensors begin with that a task is played with in place of the network's own.
fn played(task: usize) -> String {
    format!("played/{task}/")
}

fn save(path: &Path, agent: &Dqn, step: u64) -> Result<(), SinkError> {
    let (network, tasks) = (agent.network(), agent.tasks().actions.len());
    let mut tensors = snapshot::by_name(network.layout(), "", network.params());
    for task in 0..tasks {
        if let Some(params) = agent.parameters_for(task) {
            tensors.extend(snapshot::by_name(network.layout(), &played(task), &params));
        }
    }
    snapshot::write(path, network.layout(), step, &tensors).map_err(|cause| SinkError::new(path, cause))
}

fn automatic_name(config: &Config) -> String {
    let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    format!("{}__{}__{}__{time}", config.name, config.method.name.as_str(), config.seed)
}

/// Makes the folder; one that exists is taken only if it is empty.
fn make(path: &Path) -> Result<PathBuf, RunDirectoryError> {
    let wrap = |cause| RunDirectoryError::Write { path: path.to_owned(), cause };
    fs::create_dir_all(path).and_then(|()| snapshot::sync_around(path)).map_err(wrap)?;
    // What a process leaves that is killed before the run has begun.
    let begun = |name: &std::ffi::OsStr| name == LOCK || name.to_string_lossy().starts_with(snapshot::UNFINISHED);
    if fs::read_dir(path).map_err(wrap)?.any(|entry| entry.is_ok_and(|entry| !begun(&entry.file_name()))) {
        return Err(RunDirectoryError::Exists(path.to_owned()));
    }
    Ok(path.to_owned())
}

/// Makes a folder that is new: two runs of one second get different names.
fn make_numbered(path: &Path) -> Result<PathBuf, RunDirectoryError> {
    let wrap = |cause| RunDirectoryError::Write { path: path.to_owned(), cause };
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(wrap)?;
    let mut candidate = path.to_owned();
    for number in 2.. {
        match fs::create_dir(&candidate) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
                candidate.clone_from(&path.with_added_extension(number.to_string()));
            }
            result => return result.and_then(|()| snapshot::sync_around(&candidate)).map(|()| candidate).map_err(wrap),
        }
    }
    Err(RunDirectoryError::Exists(path.to_owned()))
}
