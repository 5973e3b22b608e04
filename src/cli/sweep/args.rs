//! What can be written after `sweep` and `compare`.

use std::{num::NonZeroUsize, path::PathBuf, thread};

use clap::{Args, Subcommand};
use engram_agents::continual::MethodName;
use toml::Table;

use super::slurm::ClusterArgs;
use crate::{
    cli::{
        args::{from_one, from_zero},
        output::Output,
        train_args::{checkpoint_period, folder_name},
        training::CheckpointPeriod,
    },
    config::{Source, parse_value},
    sweep::{FIRST_REPORTED_SEED, Plan},
};

/// How the runs of a sweep are trained.
#[derive(Debug, Args)]
pub struct SweepWays {
    /// The folder in which the sweep's folder is made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
    /// The name of the sweep's folder
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub name: Option<String>,
    /// Runs trained at a time, each with one thread [default: one a core; on a cluster as many as it has room for]
    #[arg(long, value_name = "N", visible_alias = "jobs", value_parser = workers)]
    pub workers: Option<usize>,
    /// How often each run saves everything: steps, or a time such as 90s, 10m, 2h; 0 for never but where it is stopped
    #[arg(long, value_name = "STEPS|TIME", default_value = "5m", value_parser = period)]
    pub checkpoint_period: String,
    /// Only says how many runs there are, and about how much time and disk they need
    #[arg(long)]
    pub dry_run: bool,
    /// Prints nothing but failures
    #[arg(long)]
    pub quiet: bool,
    /// How what has become of the runs is printed.
    #[command(flatten)]
    pub output: Output,
}

impl SweepWays {
    /// The sweep's folder, which has this name unless another is given.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.runs.join(self.name.as_deref().unwrap_or(name))
    }

    /// How many runs are trained at a time.
    pub fn worker_count(&self) -> usize {
        self.workers.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }
}

/// Arguments of `engram sweep`.
#[derive(Debug, Args)]
#[command(after_help = SWEEP_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SweepArgs {
    /// What is done with a sweep that has begun.
    #[command(subcommand)]
    pub command: Option<SweepCommand>,
    /// The plan
    #[arg(value_name = "PLAN.toml", required = true)]
    pub plan: Option<PathBuf>,
    /// How it is trained.
    #[command(flatten)]
    pub ways: SweepWays,
    /// And where.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

const SWEEP_HELP: &str = "\
A plan names an experiment, methods and seeds, and may vary any key of the config:
  experiment = \"catch-5\"                    # a preset, or the path of a config
  methods = [\"fine-tune\", \"ewc\"]
  seeds = 10                                # 100 to 109, or from `first_seed` on
  steps_per_task = 4000                     # these and all below may be left out
  [set]
  agent.optimizer.learning_rate = 3e-4
  [grid]
  method.ewc.lambda = [0.1, 1, 10]          # every combination, under the methods that a key makes a difference to

The same command again trains what is missing, goes on with what was cut off, and begins again what has failed. A plan that \
grows keeps the runs it had. The folder runs/NAME holds the plan, the list of its runs (runs.csv) and a run directory a run.

Examples:
  engram sweep plan.toml --dry-run
  engram sweep plan.toml --workers 4
  engram sweep plan.toml --on slurm --jobs 50 --time 2h
  engram sweep status runs/plan
  engram report runs/plan";

/// What is done with a sweep.
#[derive(Debug, Subcommand)]
pub enum SweepCommand {
    /// Says how far the runs of a sweep are, and which have failed
    Status(StatusArgs),
}

/// Arguments of `engram sweep status`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  engram sweep status runs/classic2-compared")]
pub struct StatusArgs {
    /// The sweep's folder
    #[arg(value_name = "SWEEP_DIR")]
    pub folder: PathBuf,
    /// How it is printed.
    #[command(flatten)]
    pub output: Output,
}

/// The experiment of which many runs are made.
#[derive(Debug, Args)]
pub struct ExperimentArgs {
    /// The experiment: a preset's name, or the path of a TOML file (it contains a slash or ends in .toml)
    #[arg(value_name = "PRESET|CONFIG.toml")]
    pub experiment: String,
    /// Sets any key of the config; may be given many times, and the last one wins
    #[arg(long, value_name = "KEY=VALUE", value_parser = set)]
    pub set: Vec<(String, toml::Value)>,
    /// Environment steps of every phase, in place of what the experiment says
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true)]
    pub steps_per_task: Option<u64>,
}

impl ExperimentArgs {
    /// What the experiment is called in the names of folders.
    pub fn short_name(&self) -> String {
        match Source::from(self.experiment.as_str()) {
            Source::Preset(name) => name.replace('/', "-"),
            Source::File(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// A plan of so many seeds.
    pub fn plan(&self, methods: Vec<MethodName>, first_seed: u64, seeds: u64, grid: Table) -> Plan {
        Plan {
            experiment: self.experiment.clone(),
            methods,
            seeds,
            first_seed,
            steps_per_task: self.steps_per_task,
            set: self.set.iter().cloned().collect(),
            grid,
        }
    }
}

/// Arguments of `engram compare`.
#[derive(Debug, Args)]
#[command(after_help = COMPARE_HELP)]
pub struct CompareArgs {
    /// What is compared.
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    /// The methods, with the strengths that the experiment has for them; `all` for all there are
    #[arg(long, value_name = "NAME,NAME", value_parser = methods, default_value = "fine-tune,l2,ewc,online-ewc")]
    pub methods: Methods,
    /// How many seeds
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true, default_value = "5")]
    pub seeds: u64,
    /// The first seed; those below 100 are for choosing settings, those from 100 on for results
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true,
          default_value_t = FIRST_REPORTED_SEED)]
    pub first_seed: u64,
    /// Varies a key of the config: every combination is trained, under the methods that the key makes a difference to
    #[arg(long, value_name = "KEY=VALUE,VALUE", value_parser = grid)]
    pub grid: Vec<(String, Vec<toml::Value>)>,
    /// How it is trained.
    #[command(flatten)]
    pub ways: SweepWays,
    /// And where.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

const COMPARE_HELP: &str = "\
It is `engram sweep` with a plan made of these arguments, which is kept in the sweep's folder. The same command again \
trains what is missing, goes on with what was cut off, and begins again what has failed; with more seeds or methods it \
trains those.

Examples:
  engram compare classic2 --methods fine-tune,l2,ewc --seeds 5
  engram report runs/classic2-compared
  engram compare catch-5 --methods ewc --grid method.ewc.lambda=0.1,1,10 --first-seed 0";

impl CompareArgs {
    /// The plan that they make.
    pub fn plan(&self) -> Plan {
        let mut grid = Table::new();
        for (key, values) in &self.grid {
            let all = grid.entry(key).or_insert_with(|| toml::Value::Array(Vec::new()));
            all.as_array_mut().into_iter().for_each(|all| all.extend(values.iter().cloned()));
        }
        self.experiment.plan(self.methods.0.clone(), self.first_seed, self.seeds, grid)
    }
}

fn workers(text: &str) -> Result<usize, String> {
    let number = usize::try_from(from_one(text)?).ok().filter(|number| *number <= 1024);
    number.ok_or_else(|| "it must be at most 1024".into())
}

/// A period as runs take it; kept as text, to be handed on.
fn period(text: &str) -> Result<String, String> {
    checkpoint_period(text).map(|_: CheckpointPeriod| text.to_owned())
}

pub fn method(text: &str) -> Result<MethodName, String> {
    MethodName::ALL.into_iter().find(|method| method.as_str() == text).ok_or_else(|| {
        let known = MethodName::ALL.map(MethodName::as_str).join(", ");
        format!("the methods are {known}")
    })
}

/// Some methods, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(pub Vec<MethodName>);

fn methods(text: &str) -> Result<Methods, String> {
    let names = text.split(',').map(method).collect::<Result<_, _>>();
    if text == "all" { Ok(Methods(MethodName::ALL.to_vec())) } else { names.map(Methods) }
}

fn set(text: &str) -> Result<(String, toml::Value), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE, as in method.ewc.lambda=10")?;
    Ok((key.trim().to_owned(), parse_value(value)))
}

/// A key and the values between commas; commas within brackets separate nothing.
fn grid(text: &str) -> Result<(String, Vec<toml::Value>), String> {
    let (key, values) = text.split_once('=').ok_or("it must be KEY=VALUE,VALUE, as in method.ewc.lambda=1,10,100")?;
    let values = match parse_value(&format!("[{values}]")) {
        toml::Value::Array(values) => values,
        _ => values.split(',').map(parse_value).collect(),
    };
    if values.is_empty() { Err("it has no value".into()) } else { Ok((key.trim().to_owned(), values)) }
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;

    #[test]
    fn grids_are_lists_of_toml_values_or_texts() {
        let values = |text: &str| grid(text).map(|(key, values)| (key, Value::Array(values).to_string()));
        for (text, key, list) in [
            ("method.ewc.lambda=1,10.5", "method.ewc.lambda", "[1, 10.5]"),
            ("agent.network.hidden=[64],[64,64]", "agent.network.hidden", "[[64], [64, 64]]"),
            ("agent.loss=huber,squared", "agent.loss", "[\"huber\", \"squared\"]"),
        ] {
            assert_eq!(values(text), Ok((key.into(), list.into())));
        }
        assert!(grid("method.ewc.lambda").is_err());
        assert!(grid("method.ewc.lambda=").is_err());
    }

    #[test]
    fn an_unknown_method_is_told_the_known_ones() {
        assert_eq!(method("online-ewc"), Ok(MethodName::OnlineEwc));
        assert!(
            method("EWC").unwrap_err().starts_with("the methods are fine-tune, reset, frozen, l2, ewc, online-ewc, ")
        );
        assert_eq!(methods("all").map(|all| all.0.len()), Ok(MethodName::ALL.len()));
        assert_eq!(methods("ewc,l2"), Ok(Methods(vec![MethodName::Ewc, MethodName::L2])));
        assert!(methods("ewc,all").is_err());
    }
}
