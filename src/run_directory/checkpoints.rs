//! The checkpoints of a run: the latest ones are kept, until the run has finished.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use engram_agents::dqn::Dqn;

use super::{RunDirectory, outputs, save};
use crate::{
    checkpoint::{self, Checkpoint},
    error::TrainError,
    sink::{SinkError, status::cpu},
    snapshot,
    trainer::Trainer,
};

/// How many checkpoints are kept: the latest, and one before it in case the latest is damaged.
const CHECKPOINTS_KEPT: usize = 2;
const CHECKPOINT_EXTENSION: &str = "checkpoint";
const PARAMS_EXTENSION: &str = "safetensors";

impl RunDirectory {
    /// Saves the parameters as they were when training could not go on, below `checkpoints`.
    pub fn save_last_params(&self, agent: &Dqn, step: u64) -> Result<PathBuf, SinkError> {
        let path = self.checkpoint(step, PARAMS_EXTENSION)?;
        save(&path, agent, step)?;
        Ok(path)
    }

    /// Saves everything that decides the run's future, and drops the checkpoints that this makes superfluous. The sinks
    /// have been flushed. Returns how many bytes the checkpoint has.
    pub fn save_checkpoint(&self, trainer: &mut Trainer<'_>, config: &str) -> Result<u64, TrainError> {
        let path = self.checkpoint(trainer.step(), CHECKPOINT_EXTENSION)?;
        let failed = |cause| SinkError::new(&path, cause);
        let checkpoint = Checkpoint {
            config: config.to_owned(),
            cpu: cpu(),
            outputs: outputs::sync(&self.path).map_err(failed)?,
            trainer: trainer.save()?,
        };
        let bytes = checkpoint::write(&path, &checkpoint).map_err(failed)?;
        for superfluous in self.checkpoints().map_err(failed)?.into_iter().skip(CHECKPOINTS_KEPT) {
            fs::remove_file(superfluous).map_err(failed)?;
        }
        Ok(bytes)
    }

    /// The checkpoints that there are, the latest first.
    pub fn checkpoints(&self) -> io::Result<Vec<PathBuf>> {
        self.by_step(CHECKPOINT_EXTENSION)
    }

    /// Drops the checkpoints that are later than the one at `path`: they were of no use, and the run goes on from there.
    pub fn drop_later(&self, path: &Path) -> Result<(), SinkError> {
        let failed = |cause| SinkError::new(path, cause);
        let mut later = self.checkpoints().map_err(failed)?.into_iter().take_while(|other| other != path);
        later.try_for_each(fs::remove_file).map_err(failed)
    }

    /// Drops all checkpoints and parameters of failures: a run that has ended has no future.
    pub fn drop_checkpoints(&self) -> Result<(), SinkError> {
        let folder = self.path.join("checkpoints");
        let drop = |extension| self.by_step(extension)?.iter().try_for_each(fs::remove_file);
        drop(CHECKPOINT_EXTENSION)
            .and_then(|()| drop(PARAMS_EXTENSION))
            .map_err(|cause| SinkError::new(&folder, cause))?;
        // What else lies there stays, and then so does the folder.
        let _ = fs::remove_dir(&folder);
        Ok(())
    }

    /// The files below `checkpoints` that are named by a step, the latest first.
    fn by_step(&self, extension: &str) -> io::Result<Vec<PathBuf>> {
        let folder = self.path.join("checkpoints");
        let mut found = Vec::new();
        for entry in if folder.is_dir() { Some(fs::read_dir(folder)?) } else { None }.into_iter().flatten() {
            let path = entry?.path();
            let step = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            if path.extension().is_some_and(|own| own == extension) {
                found.extend(step.map(|step| (step, path)));
            }
        }
        found.sort();
        Ok(found.into_iter().rev().map(|(_, path)| path).collect())
    }

    fn checkpoint(&self, step: u64, extension: &str) -> Result<PathBuf, SinkError> {
        let folder = self.path.join("checkpoints");
        snapshot::folder(&folder).map_err(|cause| SinkError::new(&folder, cause))?;
        Ok(folder.join(format!("{step}.{extension}")))
    }
}
