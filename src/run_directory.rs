//! The folder that a run writes into; its layout is described in `runs/README.md`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use engram_agents::{dqn::Dqn, network::QNetwork};

use crate::{
    config::Config,
    sink::SinkError,
    snapshot::{self, Snapshot, SnapshotError},
};

/// A run directory that exists.
pub struct RunDirectory {
    path: PathBuf,
}

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
        let file = path.join("config.toml");
        fs::write(&file, resolved).map_err(|cause| RunDirectoryError::Write { path: file, cause })?;
        Ok(Self { path })
    }

    /// Opens the folder of an earlier run.
    pub fn open(path: &Path) -> Result<Self, RunDirectoryError> {
        match fs::metadata(path.join("config.toml")) {
            Ok(_) => Ok(Self { path: path.to_owned() }),
            Err(cause) => Err(RunDirectoryError::NotARun { path: path.to_owned(), cause: cause.to_string() }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The resolved config's file.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// Saves the parameters as `params.safetensors`.
    pub fn save_params(&self, network: &dyn QNetwork, step: u64) -> Result<(), SinkError> {
        save(&self.path.join("params.safetensors"), network, step)
    }

    /// Saves the parameters as they were when training could not go on, below `checkpoints`.
    pub fn save_checkpoint(&self, network: &dyn QNetwork, step: u64) -> Result<PathBuf, SinkError> {
        let folder = self.path.join("checkpoints");
        fs::create_dir_all(&folder).map_err(|cause| SinkError::new(&folder, cause))?;
        let path = folder.join(format!("{step}.safetensors"));
        save(&path, network, step)?;
        Ok(path)
    }

    /// Loads the saved parameters into an agent.
    pub fn load_params(&self, agent: &mut Dqn) -> Result<(), SnapshotError> {
        let snapshot = Snapshot::open(&self.path.join("params.safetensors"))?;
        let layout = agent.network().layout().clone();
        snapshot.read(&layout, "", agent.network_mut().params_mut())
    }

    /// Which hidden units fired on the states of the task that phase `phase` trained.
    pub fn fired(&self, phase: usize, agent: &Dqn) -> Result<Vec<bool>, SnapshotError> {
        let snapshot = Snapshot::open(&self.consolidation(phase))?;
        let hidden = agent.network().architecture().hidden();
        let flags = hidden.iter().map(|layer| snapshot.flags(&format!("fired/{}", layer.name), layer.units));
        Ok(flags.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Whether phase `phase` ended, so that there is what was kept of it.
    pub fn is_consolidated(&self, phase: usize) -> bool {
        self.consolidation(phase).exists()
    }

    fn consolidation(&self, phase: usize) -> PathBuf {
        self.path.join(format!("consolidations/{phase}.safetensors"))
    }
}

fn save(path: &Path, network: &dyn QNetwork, step: u64) -> Result<(), SinkError> {
    let tensors = snapshot::by_name(network.layout(), "", network.params());
    snapshot::write(path, network.layout(), step, &tensors).map_err(|cause| SinkError::new(path, cause))
}

fn automatic_name(config: &Config) -> String {
    let time = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S");
    format!("{}__{}__{}__{time}", config.name, config.method.name.as_str(), config.seed)
}

/// Makes the folder; one that exists is taken only if it is empty.
fn make(path: &Path) -> Result<PathBuf, RunDirectoryError> {
    let wrap = |cause| RunDirectoryError::Write { path: path.to_owned(), cause };
    fs::create_dir_all(path).map_err(wrap)?;
    if fs::read_dir(path).map_err(wrap)?.next().is_some() {
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
            result => return result.map(|()| candidate).map_err(wrap),
        }
    }
    Err(RunDirectoryError::Exists(path.to_owned()))
}
