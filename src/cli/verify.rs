//! `engram verify`: whether a run, made again, gives the same files to the bit.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
    process::ExitCode,
};

use anyhow::Context as _;
use engram_envs::Registry;
use serde::Serialize;

use super::{
    BadInput, Exit, VerifyArgs, distill, fork, resume,
    training::{CheckpointPeriod, Training, Ways},
    weights::Weights,
};
use crate::{
    config::{self, Overrides, Source},
    event_file,
    position::{Position, Stage},
    run_directory::{Outputs, Place, RunDirectory},
    sink::{Sink as _, Start, status::State},
    stop::{Due, Stop},
    trainer::{Ending, Trainer, TrainerState},
};

/// Runs the command.
pub fn run(registry: &Registry, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let directory = RunDirectory::open_to_write(&args.run)?;
    let shown = args.run.display();
    if directory.path().join(fork::ORIGIN).exists() {
        return Err(BadInput(format!("{shown} is a fork: its config.toml alone does not give its first part")).into());
    }
    if directory.path().join(distill::ORIGIN).exists() {
        return Err(BadInput(format!(
            "{shown} is a student: its config.toml alone does not give it; make it again by the `engram distill` that its \
             {} tells of, with another --into, and compare",
            distill::ORIGIN
        ))
        .into());
    }
    let config = config::read(&Source::File(directory.config()), &Overrides::default(), registry)?.resolve();
    let finished = directory.status()?.is_some_and(|status| status.state == State::Finished);
    let stored = if finished { None } else { resume::latest(&directory)? };
    let checkpoint = stored.as_ref().map(crate::checkpoint::Stored::read).transpose()?;
    if !finished && checkpoint.is_none() {
        return Err(BadInput(format!("{shown} has neither finished nor a checkpoint to be compared with")).into());
    }

    let resolved = config::to_toml(&config)?;
    let folder = tempfile::tempdir().context("no folder for the run that is made again")?;
    let place = Place { path: Some(folder.path().join("again")), ..Place::default() };
    let again = RunDirectory::create(&place, &config, &resolved)?;
    let weights = Weights::of(&config, registry)?;
    let mut trainer = Trainer::new(&config, registry)?;
    if let Some(weights) = &weights {
        weights.begin(&mut trainer)?;
    }
    let ways = Ways { checkpoint_period: CheckpointPeriod::Never, quiet: true, output: args.output };
    let mut training = Training::new(trainer, &again, (&config, &resolved), Start::New, ways)?;
    let due = checkpoint.as_ref().map_or(Due::Never, |checkpoint| moment(&checkpoint.trainer.position));
    let ending = training.trainer.run_until(due, &mut training.sinks, &Stop::on_signals()?)?;
    if let Ending::Stopped(signal) = ending {
        return Ok(Exit::Signal(signal as u8).into());
    }
    if finished {
        again.save_params(training.trainer.agent(), training.trainer.step())?;
    }
    training.sinks.flush()?;

    let recorded = checkpoint.as_ref().map(|checkpoint| &checkpoint.outputs);
    let mut difference = compare(directory.path(), again.path(), recorded)?;
    if let (Ok(bytes), Some(checkpoint)) = (&difference, &checkpoint) {
        let (then, now) = (encoded(&checkpoint.trainer)?, encoded(&training.trainer.save()?)?);
        difference = if then == now {
            Ok(bytes + then.len() as u64)
        } else {
            Err("what the checkpoint holds: agent, replay buffer, environments or random streams".into())
        };
    }
    let step = training.trainer.step();
    let verdict = Verdict {
        run: shown.to_string(),
        same: difference.is_ok(),
        step,
        bytes: difference.as_ref().ok().copied(),
        difference: difference.err(),
    };
    args.output.show(&verdict)?;
    Ok(if verdict.same { Exit::Done } else { Exit::CheckFailed }.into())
}

/// Whether a run is the same again.
#[derive(Debug, Serialize)]
struct Verdict {
    run: String,
    same: bool,
    /// Environment steps that were made again.
    step: u64,
    /// How many bytes were compared, where all are the same.
    bytes: Option<u64>,
    /// The first difference.
    difference: Option<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, step, .. } = self;
        match &self.difference {
            None => writeln!(f, "{run}: the same to step {step}, {} bytes compared", self.bytes.unwrap_or_default()),
            Some(first) => writeln!(f, "{run}: not the same; the first difference is {first}"),
        }
    }
}

/// When a run that is made again stands where a checkpoint does. An evaluation that was cut short has not begun.
fn moment(position: &Position) -> Due {
    if let Stage::Boundary = position.stage { Due::Boundary(position.phase) } else { Due::Step(position.step) }
}

fn encoded(state: &TrainerState<'_>) -> anyhow::Result<Vec<u8>> {
    Ok(postcard::to_stdvec(state)?)
}

/// How many bytes are the same, or the first difference. Of a run that has not finished, what it had `recorded` counts.
fn compare(run: &Path, again: &Path, recorded: Option<&Outputs>) -> anyhow::Result<Result<u64, String>> {
    let (ours, theirs) = (read(run, recorded)?, read(again, None)?);
    // Tables first: they say when it happened.
    let mut names: Vec<_> = ours.keys().chain(theirs.keys()).filter(|name| !event_file::is_name(name)).collect();
    names.sort_by_key(|name| (Path::new(name).extension().is_none_or(|extension| extension != "csv"), *name));
    names.dedup();
    let mut bytes = 0;
    for name in names {
        let (Some(one), Some(other)) = (ours.get(name), theirs.get(name)) else {
            return Ok(Err(format!("{name}, which only one of them has")));
        };
        if one != other {
            return Ok(Err(place(name, one, other)));
        }
        bytes += other.len() as u64;
    }
    let records = |outputs: &BTreeMap<String, Vec<u8>>, run: &Path| {
        let mut records = Vec::new();
        for (name, bytes) in outputs.iter().filter(|(name, _)| event_file::is_name(name)) {
            let read = event_file::read(bytes);
            records.extend(read.map_err(|problem| anyhow::anyhow!("{}: {problem}", run.join(name).display()))?);
        }
        Ok::<_, anyhow::Error>(records)
    };
    let (one, other) = (records(&ours, run)?, records(&theirs, again)?);
    let differs = one.iter().zip(&other).find(|(one, other)| one != other);
    Ok(match differs {
        Some((one, _)) => Err(format!("TensorBoard's record of {} at step {}", one.tags.join(", "), one.step)),
        None if one.len() != other.len() => Err(format!("{} of TensorBoard's records, not {}", one.len(), other.len())),
        None => Ok(bytes),
    })
}

/// The outputs of a run, or as much of each as it had recorded.
fn read(run: &Path, recorded: Option<&Outputs>) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut outputs = BTreeMap::new();
    for (name, path) in RunDirectory::outputs(run)? {
        let len = recorded.map_or(Some(&u64::MAX), |recorded| recorded.get(&name));
        if let Some(len) = len {
            let mut bytes = Vec::new();
            File::open(path)?.take(*len).read_to_end(&mut bytes)?;
            outputs.insert(name, bytes);
        }
    }
    Ok(outputs)
}

/// Where two files differ: the line of a text, or the byte.
fn place(name: &str, one: &[u8], other: &[u8]) -> String {
    let at = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let binary = [".safetensors", ".gif"].iter().any(|ending| name.ends_with(ending));
    if binary {
        return format!("byte {at} of {name}");
    }
    let number = one[..at].split(|byte| *byte == b'\n').count() - 1;
    let line = |text: &[u8]| {
        let line = text.split(|byte| *byte == b'\n').nth(number).unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    };
    format!("line {} of {name}: {:?}, and again {:?}", number + 1, line(one), line(other))
}
