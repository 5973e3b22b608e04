//! `engram fork`: a new run that begins where another one's checkpoint stands, with other settings from there on.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    process::ExitCode,
};

use engram_envs::Registry;
use serde::{Deserialize, Serialize};

use super::{BadInput, ForkArgs, resume, training::Training};
use crate::{
    config::{self, Config, Overrides, Source, differing, keys},
    event_file,
    position::Position,
    run_directory::{Outputs, RunDirectory},
    sink::{SinkError, Start, tensorboard::OWN},
    snapshot,
    trainer::Trainer,
};

/// Where a fork comes from: `fork.json` in its run directory.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The run directory of the run that was forked, as it was given.
    pub from: String,
    /// Environment steps that the fork has of it.
    pub step: u64,
    /// The keys that were changed, with the old value and the new one; null where there is none.
    pub changed: BTreeMap<String, [Option<String>; 2]>,
}

/// The file's name.
pub(super) const ORIGIN: &str = "fork.json";

/// Runs the command.
pub fn run(registry: &Registry, args: &ForkArgs) -> anyhow::Result<ExitCode> {
    let original = RunDirectory::open(&args.run)?;
    let overrides =
        Overrides { set: args.set.clone(), method: args.method.clone(), seed: args.seed, ..Overrides::default() };
    let config = config::read(&Source::File(original.config()), &overrides, registry)?.resolve();
    let Some(stored) = resume::latest(&original)? else {
        let run = args.run.display();
        return Err(BadInput(format!(
            "{run} has no checkpoint to begin from: they are written at --checkpoint-period and when a run is stopped, \
             and dropped when it has finished"
        ))
        .into());
    };
    let checkpoint = stored.read()?;
    let origin = origin(args, &config, &stored.config(&checkpoint)?, &checkpoint.trainer.position)?;

    let resolved = config::to_toml(&config)?;
    let mut trainer = Trainer::new(&config, registry)?;
    trainer.load(checkpoint.trainer)?;
    let directory = RunDirectory::create(&args.place.place(), &config, &resolved)?;
    // First of all, so that a fork that was not completed is known as one.
    let path = directory.path().join(ORIGIN);
    let text = format!("{:#}\n", serde_json::to_value(origin)?);
    snapshot::replace(&path, text.as_bytes()).map_err(|cause| SinkError::new(&path, cause))?;
    copy(original.path(), directory.path(), &checkpoint.outputs)?;

    let mut training = Training::new(trainer, &directory, (&config, &resolved), Start::Forked, args.ways)?;
    // Before anything is played, so that the fork can be resumed from here on.
    training.save()?;
    training.resumed()?;
    training.run()
}

/// What is changed; what would contradict the part of the run that has been played is refused.
fn origin(args: &ForkArgs, config: &Config, earlier: &Config, position: &Position) -> anyhow::Result<Origin> {
    let (old, new) = (keys(earlier).map_err(anyhow::Error::msg)?, keys(config).map_err(anyhow::Error::msg)?);
    let mut changed = BTreeMap::new();
    for key in differing(&old, &new) {
        let played = (0..=position.phase.min(config.curriculum.phases.len()))
            .any(|phase| key.starts_with(&format!("curriculum.phases.{phase}.")));
        if key.starts_with("curriculum.tasks") || played {
            return Err(BadInput(format!(
                "{key} cannot change in a fork: the run has played by it up to its checkpoint"
            ))
            .into());
        }
        let values = [&old, &new].map(|keys| keys.get(&key).cloned());
        changed.insert(key, values);
    }
    if position.phase > 0 && earlier.method.revisit != config.method.revisit {
        return Err(BadInput(
            "method.revisit cannot change after the first consolidation: under \"add\" the tasks' penalties are not kept apart"
                .into(),
        )
        .into());
    }
    let (was, is) = (earlier.method.name, config.method.name);
    if was != is && !was.keeps_nothing() && position.phase > 0 {
        return Err(BadInput(format!(
            "method.name cannot change from {} to {} after the first consolidation: what they keep is not of one kind",
            was.as_str(),
            is.as_str()
        ))
        .into());
    }
    if let Some(method) = [was, is].into_iter().find(|method| was != is && !method.begins_at_consolidation()) {
        return Err(BadInput(format!(
            "method.name cannot change from {} to {}: what {} keeps has a form of its own from the first step on; train it from there",
            was.as_str(),
            is.as_str(),
            method.as_str()
        ))
        .into());
    }
    Ok(Origin { from: args.run.display().to_string(), step: position.step, changed })
}

/// Copies as much of each output as there was at the checkpoint. What the other run was set to is not copied.
fn copy(from: &Path, to: &Path, outputs: &Outputs) -> Result<(), SinkError> {
    for (name, len) in outputs {
        let (source, path) = (from.join(name), to.join(name));
        let copy = || {
            fs::create_dir_all(path.parent().unwrap_or(to))?;
            let mut source = File::open(&source)?.take(*len);
            if event_file::is_name(name) {
                let mut bytes = Vec::new();
                source.read_to_end(&mut bytes)?;
                return fs::write(&path, event_file::without(&bytes, &OWN).map_err(io::Error::other)?);
            }
            io::copy(&mut source, &mut File::create(&path)?).map(drop)
        };
        copy().map_err(|cause| SinkError::new(&path, cause))?;
    }
    Ok(())
}
