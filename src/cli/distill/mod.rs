//! `engram distill`: one student of many finished runs.

mod outcome;
mod school;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;
use engram_envs::Registry;
use serde::Serialize;

pub(super) use self::school::{School, finished, hash};
use self::{outcome::Outcome, school::Taught};
use super::{
    BadInput, Exit, Output,
    args::{from_one, from_zero},
    complain,
    train_args::folder_name,
};
use crate::{
    config::{self, Config},
    curriculum::Curriculum,
    distill::{self, BETA, Distilled, Objective, Recipe},
    event::{self, Event},
    metrics::{Metrics, PerformanceMatrix},
    run_directory::{Place, RunDirectory, RunDirectoryError},
    sink::{
        Sink as _, SinkError,
        csv::CsvSink,
        status::{Cost, StatusSink},
    },
    snapshot,
    stop::Stop,
};

/// Arguments of `engram distill`.
#[derive(Debug, Args)]
#[command(after_help = DISTILL_HELP)]
pub struct DistillArgs {
    /// The directories of finished runs: each task that a run was trained on is taught by its agent
    #[arg(value_name = "RUN_DIR", required = true)]
    pub teachers: Vec<PathBuf>,
    /// The name of the student's run directory
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub into: String,
    /// The folder in which it is made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
    /// What the student is to agree with its teachers in
    #[arg(long, value_name = "LOSS", value_enum, default_value = "kl")]
    pub loss: Objective,
    /// What the teachers' Q-values are divided by before the softmax: below 1 it sharpens them [default: 0.01, and 1 for
    /// actor-mimic]
    #[arg(long, value_name = "T", value_parser = positive, allow_negative_numbers = true)]
    pub temperature: Option<f64>,
    /// States that each teacher shows of its task
    #[arg(long, value_name = "N", value_parser = states, allow_negative_numbers = true, default_value = "5000")]
    pub states: usize,
    /// Updates of each task
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true, default_value = "5000")]
    pub updates: u64,
    /// Units of the student's hidden layers [default: as in the first teacher's network]
    #[arg(long, value_name = "N,N", value_delimiter = ',', value_parser = units, allow_negative_numbers = true)]
    pub hidden: Option<Vec<usize>>,
    /// The seed of all randomness
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, default_value = "0")]
    pub seed: u64,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

const DISTILL_HELP: &str = "\
Each teacher plays its task, five steps in a hundred at random, and shows its Q-values of every state; the student, with an \
output layer a task, learns to agree with them, tasks in turn, without playing. Both are then evaluated on the same \
episodes. A share is (student - random) / (teacher - random). The student is a run directory like any other: evaluate, \
play and record it, or begin others with its body (engram train --weights).

Examples:
  engram distill runs/catch-5__fine-tune__* --into student
  engram distill runs/breakout runs/freeway --into two-games --loss nll --states 20000 --hidden 64
  engram distill runs/a runs/b runs/c --into mimic --loss actor-mimic --json";

/// The most states a teacher shows: more are a slip of the finger.
const MOST_STATES: u64 = 1_000_000;
fn states(text: &str) -> Result<usize, String> {
    let number = from_one(text)?;
    if number <= MOST_STATES { Ok(number as usize) } else { Err(format!("it must be at most {MOST_STATES}")) }
}

fn units(text: &str) -> Result<usize, String> {
    from_one(text).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

fn positive(text: &str) -> Result<f64, String> {
    // A temperature that is 0 or infinite in 32 bits would divide by it.
    let number = text.parse::<f64>().ok().filter(|number| (*number as f32).is_finite() && *number as f32 > 0.0);
    number.ok_or_else(|| "it must be a finite number greater than 0, such as 0.01".into())
}

/// Runs the command.
pub fn run(registry: &Registry, args: &DistillArgs) -> anyhow::Result<ExitCode> {
    let recipe = Recipe {
        loss: args.loss,
        temperature: args.temperature.unwrap_or(args.loss.temperature()),
        beta: BETA,
        states: args.states,
        updates: args.updates,
    };
    // Found now, and not after all has been taught.
    if args.temperature.is_some() && matches!(args.loss, Objective::Mse | Objective::Nll) {
        return Err(BadInput("--temperature goes with --loss kl and actor-mimic; mse and nll have none".into()).into());
    }
    if let Some((_, twice)) = args.teachers.iter().enumerate().find(|(at, run)| args.teachers[..*at].contains(run)) {
        return Err(BadInput(format!("{} is given twice; each run teaches once", twice.display())).into());
    }
    let place = args.runs.join(&args.into);
    if fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some()) || place.is_file() {
        return Err(RunDirectoryError::Exists(place).into());
    }
    let stop = Stop::on_signals()?;
    let mut school = School::open(registry, &args.teachers, &recipe)?;
    let config = school.config(&args.into, args.seed, args.hidden.as_deref(), &recipe, registry)?;
    let resolved = config::to_toml(&config)?;
    let curriculum = Curriculum::new(&config, registry)?;
    let distilled = distill::teach(&config, &curriculum, &mut school.teachers, &recipe, &stop);
    let distilled = distilled.context("no student was made, and nothing was written")?;
    let place = Place { runs: args.runs.clone(), name: Some(args.into.clone()), path: None };
    let directory = RunDirectory::create(&place, &config, &resolved)?;
    write(&directory, &config, &curriculum, &distilled, &Origin { recipe, teachers: school.taught.clone() })?;
    let outcome = Outcome::new(directory.path(), &recipe, &school.taught, &curriculum, &distilled);
    args.output.show(&outcome)?;
    if outcome.geometric_mean.is_none() {
        complain("warning: a teacher or the student plays no better than at random, so there is no geometric mean");
    }
    Ok(Exit::Done.into())
}

/// Where a student comes from: `distill.json` in its run directory.
#[derive(Debug, Serialize)]
struct Origin {
    #[serde(flatten)]
    recipe: Recipe,
    teachers: Vec<Taught>,
}

/// The file's name.
pub(super) const ORIGIN: &str = "distill.json";

/// Writes the student as a finished run: two rows of the performance matrix, before and after.
fn write(
    directory: &RunDirectory,
    config: &Config,
    curriculum: &Curriculum,
    distilled: &Distilled,
    origin: &Origin,
) -> anyhow::Result<()> {
    let path = directory.path().join(ORIGIN);
    let text = format!("{:#}\n", serde_json::to_value(origin)?);
    snapshot::replace(&path, text.as_bytes()).map_err(|cause| SinkError::new(&path, cause))?;
    let total = curriculum.total_steps();
    let mut matrix = PerformanceMatrix::default();
    let mut csv = CsvSink::new(directory.path(), &curriculum.env_ids())?;
    for (step, scores) in [(0, &distilled.untrained), (total, &distilled.students)] {
        let row = event::row(step, None, scores);
        matrix.rows.push(row.clone());
        csv.record(&Event::Evaluated { step, phase: 0, scores })?;
        csv.record(&Event::Row { row: &row, matrix: &matrix, metrics: &Metrics::of(&matrix) })?;
    }
    csv.flush()?;
    directory.save_params(&distilled.agent, total)?;
    directory.sync_outputs()?;
    // Last: what says that it has finished.
    let mut status = StatusSink::new(directory.path(), config, total, Cost::default())?;
    status.record(&Event::Finished { step: total, matrix: &matrix, metrics: &Metrics::of(&matrix) })?;
    Ok(())
}
