//! `engram resume`: goes on with a run that left off, or was killed, as if nothing had happened.

use std::process::ExitCode;

use engram_envs::Registry;

use super::{BadInput, Exit, ResumeArgs, complain, fork, outcome::Outcome, training::Training, weights::Weights};
use crate::{
    checkpoint::{Checkpoint, CheckpointError, Stored},
    config::{self, Config, Overrides, Source},
    position::Stage,
    run_directory::{Outputs, RunDirectory},
    sink::{
        Start,
        status::{State, Status, cpu},
    },
    trainer::Trainer,
};

/// Runs the command.
pub fn run(registry: &Registry, args: &ResumeArgs) -> anyhow::Result<ExitCode> {
    let directory = RunDirectory::open_to_write(&args.run)?;
    let before = directory.status()?;
    if let Some(status) = before.as_ref().filter(|status| status.state == State::Finished) {
        // It may have been killed between its last two acts.
        directory.drop_checkpoints()?;
        if args.ways.output.json {
            args.ways.output.show(&Outcome::read(&args.run, status)?)?;
        } else {
            super::print(&format!("{} has finished already\n", args.run.display()))?;
        }
        return Ok(Exit::Done.into());
    }
    let mut config = config::read(&Source::File(directory.config()), &Overrides::default(), registry)?.resolve();
    let stored = latest(&directory)?;
    let checkpoint = stored.as_ref().map(Stored::read).transpose()?;
    let unfinished = checkpoint.as_ref().map_or(0, unfinished);
    if let (Some(stored), Some(checkpoint)) = (&stored, &checkpoint) {
        unchanged(&config, &stored.config(checkpoint)?, unfinished)?;
        if checkpoint.cpu != cpu() {
            let (then, now) = (&checkpoint.cpu, cpu());
            complain(&format!(
                "warning: the run was on a processor with {then}, this one has {now}; what follows may be rounded otherwise"
            ));
        }
    }
    if let Some(steps) = args.steps_per_task {
        config.extend(unfinished, steps)?;
    }
    let resolved = config::to_toml(&config)?;
    let mut trainer = Trainer::new(&config, registry)?;
    let mut outputs = Outputs::new();
    if let Some(checkpoint) = checkpoint {
        outputs = checkpoint.outputs;
        trainer.load(checkpoint.trainer)?;
    } else {
        refuse_to_begin_again(&directory, before.as_ref())?;
        // A run with a checkpoint has its parameters there, and needs the other run no more.
        if let Some(weights) = Weights::of(&config, registry)? {
            weights.begin(&mut trainer)?;
        }
        // Of a run of a sweep that has not begun yet, there is nothing to say.
        if before.is_some() {
            complain("there is no checkpoint yet: the run begins again at step 0");
        }
    }
    let used = stored.map(|stored| stored.path().to_owned());
    directory.cut_back(&outputs)?;
    if let Some(used) = used {
        directory.drop_later(&used)?;
    }
    directory.save_config(&resolved)?;

    let begun = trainer.step() > 0 || !outputs.is_empty();
    let cost = before.map(|status: Status| status.cost).unwrap_or_default();
    let start = if begun { Start::Resumed { cost } } else { Start::New };
    let mut training = Training::new(trainer, &directory, (&config, &resolved), start, args.ways)?;
    if begun {
        training.resumed()?;
    }
    training.run()
}

/// The latest checkpoint that is whole and whose outputs are still there; None where there is none at all.
pub(super) fn latest(directory: &RunDirectory) -> anyhow::Result<Option<Stored>> {
    let paths = directory.checkpoints()?;
    for path in &paths {
        let problem = match Stored::open(path) {
            Err(error @ CheckpointError::OtherVersion { .. }) => return Err(error.into()),
            Err(error) => error.to_string(),
            Ok(stored) => match stored.read().map(|checkpoint| directory.lost(&checkpoint.outputs)) {
                Ok(None) => return Ok(Some(stored)),
                Ok(Some(lost)) => format!("{} is of no use: {lost}", path.display()),
                Err(error) => error.to_string(),
            },
        };
        complain(&format!("warning: {problem}; trying the checkpoint before it"));
    }
    if paths.is_empty() {
        return Ok(None);
    }
    let folder = directory.path().join("checkpoints");
    Err(BadInput(format!("no checkpoint can be used; remove {} to begin again at step 0", folder.display())).into())
}

/// Only a run that came to no checkpoint begins again: not one that must have had one.
fn refuse_to_begin_again(directory: &RunDirectory, before: Option<&Status>) -> Result<(), BadInput> {
    let run = directory.path().display();
    if directory.path().join(fork::ORIGIN).exists() {
        return Err(BadInput(format!("{run} is a fork that was not completed; remove it and fork again")));
    }
    if before.is_some_and(|status| status.state == State::Stopped) {
        return Err(BadInput(format!(
            "{run} was stopped with a checkpoint, and it is gone; to begin again at step 0, train with its config.toml"
        )));
    }
    Ok(())
}

/// The first phase that has not been played to its end.
fn unfinished(checkpoint: &Checkpoint<'_>) -> usize {
    let position = &checkpoint.trainer.position;
    position.phase + usize::from(matches!(position.stage, Stage::Consolidate))
}

/// Refuses a config that differs from the checkpoint's in more than longer phases.
fn unchanged(config: &Config, earlier: &Config, unfinished: usize) -> anyhow::Result<()> {
    let changed = config.changed_since(earlier, unfinished).map_err(anyhow::Error::msg)?;
    if changed.is_empty() {
        return Ok(());
    }
    let keys = changed.join(", ");
    Err(BadInput(format!(
        "config.toml is not what the run began with: {keys} changed; set back what changed, or start a new run from the \
         checkpoint with `engram fork`"
    ))
    .into())
}
