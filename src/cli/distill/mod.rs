//! `engram distill`: one student of many finished runs.

mod outcome;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use engram_agents::params::fnv1a;
use engram_envs::Registry;
use serde::Serialize;

use self::outcome::Outcome;
use super::{
    BadInput, Exit, Output,
    args::{from_one, from_zero},
    complain,
    saved_policy::SavedPolicy,
    train_args::folder_name,
};
use crate::{
    config::{self, Config},
    curriculum::Curriculum,
    distill::{self, BETA, Distilled, Lesson, Objective, Recipe, Teacher},
    event::Event,
    metrics::{Metrics, PerformanceMatrix, Row},
    run_directory::{Place, RunDirectory, RunDirectoryError},
    sink::{
        Sink as _, SinkError,
        csv::CsvSink,
        status::{Cost, State, StatusSink},
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
/// More numbers in all memories together would not fit into that of a large machine.
const LARGEST_MEMORY: usize = 1 << 33;

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
    let place = args.runs.join(&args.into);
    if fs::read_dir(&place).is_ok_and(|mut entries| entries.next().is_some()) || place.is_file() {
        return Err(RunDirectoryError::Exists(place).into());
    }
    let stop = Stop::on_signals()?;
    let mut school = School::open(registry, &args.teachers, &recipe)?;
    let config = school.config(&args.into, args.seed, args.hidden.as_deref(), &recipe, registry)?;
    let resolved = config::to_toml(&config)?;
    let curriculum = Curriculum::new(&config, registry)?;
    let distilled = distill::teach(&config, &curriculum, &mut school.teachers, &recipe, &stop)?;
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

/// Finished runs and the tasks that they teach.
pub(super) struct School {
    policies: Vec<SavedPolicy>,
    /// Of each teacher its run, by index, and its task in it.
    seats: Vec<(usize, usize)>,
    /// Parameters of the first teacher's network.
    pub parameters: usize,
    pub teachers: Vec<Teacher>,
    pub taught: Vec<Taught>,
}

/// Which run has taught a task.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Taught {
    pub run: String,
    pub task: usize,
    pub env: String,
    /// The hash of its parameters (FNV-1a of their bytes).
    pub params: String,
}

impl School {
    /// Reads runs that have finished; each task in their phases is taught once, in the order of its first phase.
    pub fn open(registry: &Registry, runs: &[PathBuf], recipe: &Recipe) -> anyhow::Result<Self> {
        let (policies, seats, teachers, taught) = Default::default();
        let mut school = Self { policies, seats, parameters: 0, teachers, taught };
        for run in runs {
            let policy = finished(registry, run)?;
            let SavedPolicy { config, curriculum, agent, .. } = &policy;
            let params = hash(agent.network().params());
            let mut tasks: Vec<usize> = Vec::new();
            let count = curriculum.tasks.len();
            for task in curriculum.phases.iter().flat_map(|phase| phase.task.map_or(0..count, |task| task..task + 1)) {
                if !tasks.contains(&task) {
                    tasks.push(task);
                }
            }
            for task in tasks {
                let teacher = Teacher::new(agent.network(), &config.agent.network, config.device, task)?;
                if recipe.loss == Objective::ActorMimic && !teacher.has_features() {
                    return Err(BadInput(format!(
                        "{} has no hidden layer to be mimicked (agent.network.hidden is empty); use --loss kl",
                        run.display()
                    ))
                    .into());
                }
                school.teachers.push(teacher);
                school.seats.push((school.policies.len(), task));
                let env = curriculum.tasks[task].env.clone();
                school.taught.push(Taught { run: run.display().to_string(), task, env, params: params.clone() });
            }
            if school.policies.is_empty() {
                school.parameters = agent.network().layout().len();
            }
            school.policies.push(policy);
        }
        Ok(school)
    }

    /// The validated and resolved config of their student.
    pub fn config(
        &self,
        name: &str,
        seed: u64,
        hidden: Option<&[usize]>,
        recipe: &Recipe,
        registry: &Registry,
    ) -> anyhow::Result<Config> {
        let lesson = |(policy, task): &(usize, usize)| Lesson { config: &self.policies[*policy].config, task: *task };
        let lessons: Vec<_> = self.seats.iter().map(lesson).collect();
        let config = distill::student(name, seed, &lessons, recipe, hidden).map_err(BadInput)?;
        config::validate(&config, registry)?;
        let config = config.resolve();
        let widest = Curriculum::new(&config, registry)?.set.input.len();
        let numbers = widest.saturating_mul(recipe.states).saturating_mul(lessons.len());
        if numbers > LARGEST_MEMORY {
            return Err(BadInput(format!(
                "--states is {}; of {} tasks with {widest} numbers a state it must be at most {}",
                recipe.states,
                lessons.len(),
                LARGEST_MEMORY / widest.saturating_mul(lessons.len()).max(1)
            ))
            .into());
        }
        Ok(config)
    }
}

/// The agent of a run that has finished.
pub(super) fn finished(registry: &Registry, run: &Path) -> anyhow::Result<SavedPolicy> {
    let shown = run.display();
    match RunDirectory::open(run)?.status()?.map(|status| status.state) {
        Some(State::Finished) => SavedPolicy::load(run, registry),
        Some(State::Running | State::Stopped | State::Failed) => {
            Err(BadInput(format!("{shown} has not finished; go on with it first: engram resume {shown}")).into())
        }
        None => {
            Err(BadInput(format!("{shown} has no status.json, so it cannot have finished; give a finished run")).into())
        }
    }
}

/// The hash of parameters, by which it is known where they were taken from.
pub(super) fn hash(params: &[f32]) -> String {
    format!("{:016x}", fnv1a(params.iter().flat_map(|param| param.to_le_bytes())))
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
        let returns = scores.iter().map(|score| score.mean).collect();
        let normalized = scores.iter().map(|score| score.normalized).collect();
        let row = Row { step, trained: None, returns, normalized };
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
