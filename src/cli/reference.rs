//! `engram reference`: the returns that scores refer to, listed and measured.

use std::{fmt, process::ExitCode};

use engram_agents::continual::MethodName;
use engram_envs::{Options, Registry};
use serde::Serialize;

use super::args::{MeasureArgs, ReferenceCommand};
use super::output::print_json;
use super::table::table;
use super::{BadInput, Exit, complain, env, print};
use crate::config::{self, Config, Overrides, ReferenceConfig, Source, TaskConfig};
use crate::error::TrainError;
use crate::presets;
use crate::reference::measure::{self, Budget, Measured};
use crate::reference::{Record, Records};
use crate::stop::Stop;

/// Runs the command.
pub(super) fn run(registry: &Registry, command: &ReferenceCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReferenceCommand::List(output) => {
            output.show(&Listing::of(Records::shipped().iter()))?;
            Ok(Exit::Done.into())
        }
        ReferenceCommand::Measure(args) => match measure(registry, args) {
            Err(error) => match error.downcast_ref() {
                Some(TrainError::Stopped(signal)) => Ok(Exit::Signal(*signal as u8).into()),
                _ => Err(error),
            },
            Ok(()) => Ok(Exit::Done.into()),
        },
    }
}

/// Returns on record.
#[derive(Debug, Serialize)]
struct Listing<'a> {
    references: Vec<Line<'a>>,
}

/// A record, with every key there is.
#[derive(Debug, Serialize)]
struct Line<'a> {
    env: &'a str,
    options: &'a Options,
    random: f64,
    random_source: &'a str,
    single: Option<f64>,
    single_source: Option<&'a str>,
}

impl<'a> Listing<'a> {
    fn of(records: impl Iterator<Item = &'a Record>) -> Self {
        let line = |record: &'a Record| Line {
            env: &record.env,
            options: &record.options,
            random: record.random,
            random_source: &record.random_source,
            single: record.single,
            single_source: record.single_source.as_deref(),
        };
        Self { references: records.map(line).collect() }
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![["id", "options", "random", "from", "single", "from"].map(str::to_owned)];
        rows.extend(self.references.iter().map(|line| {
            let options: Vec<_> = line.options.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            [
                line.env.to_owned(),
                options.join(", "),
                line.random.to_string(),
                line.random_source.to_owned(),
                line.single.map_or("-".into(), |single| single.to_string()),
                line.single_source.unwrap_or_default().to_owned(),
            ]
        }));
        f.write_str(&table(&rows))
    }
}

fn measure(registry: &Registry, args: &MeasureArgs) -> anyhow::Result<()> {
    let options = env::options(&args.option)?;
    let stop = Stop::on_signals()?;
    // What is wrong with any of them is said before hours are spent on the first.
    let mut experiments = Vec::new();
    for id in &args.ids {
        registry.make(id, &options)?;
        experiments.push(if args.random_only { None } else { Some(experiment(registry, args, id, &options)?) });
    }
    let mut records = args.into.as_deref().map(Records::open).transpose()?;
    let mut measured = Vec::new();
    for (id, experiment) in args.ids.iter().zip(&experiments) {
        let task = TaskConfig { env: id.clone(), options: options.clone(), reference: None };
        let record = record(registry, args, task, experiment.as_ref(), &stop)?;
        if !args.output.json {
            // Each as soon as it is known: the next may take hours.
            let mut one = Records::default();
            one.insert(record.clone());
            print(&one.to_toml()?)?;
        }
        measured.push(record.clone());
        if let (Some(records), Some(path)) = (&mut records, &args.into) {
            records.insert(record);
            records.save(path)?;
        }
    }
    if args.output.json { print_json(&Listing::of(measured.iter())) } else { Ok(()) }
}

fn record(
    registry: &Registry,
    args: &MeasureArgs,
    task: TaskConfig,
    experiment: Option<&Config>,
    stop: &Stop,
) -> anyhow::Result<Record> {
    // Both returns are taken over the same number of steps.
    let episode_steps = experiment.map_or(EPISODE_STEPS, |config| config.evaluation.step_limit);
    let budget = Budget { episodes: args.episodes, steps: u64::MAX, episode_steps };
    let random = measure::random(registry, &task, args.seed, budget)?;
    let mut record = Record {
        env: task.env,
        options: task.options,
        random: rounded(random.mean),
        random_source: format!("{} episodes, {}", random.count, origin(random)),
        single: None,
        single_source: None,
    };
    if let Some(config) = experiment {
        let seeds: Vec<u64> = (args.seed..args.seed.saturating_add(args.seeds)).collect();
        let progress = |seed, mean_return: f64| complain(&format!("{}, seed {seed}: {mean_return:.2}", record.env));
        let single = measure::single(registry, config, &seeds, stop, progress)?;
        record.single = Some(rounded(single.mean));
        let seeds = match (seeds.first(), seeds.last()) {
            (Some(first), Some(last)) if first < last => format!("seeds {first} to {last}"),
            _ => format!("seed {}", args.seed),
        };
        record.single_source = Some(format!(
            "{seeds} of {} for {} steps, {}",
            config.name,
            config.curriculum.steps_per_task,
            origin(single)
        ));
    }
    Ok(record)
}

/// Steps after which an episode of random play is cut: some games need not end.
const EPISODE_STEPS: u64 = 10_000;

fn origin(measured: Measured) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let error = match measured.standard_error {
        error if error.is_nan() => String::new(),
        error => format!("standard error {error:.2}, "),
    };
    format!("{error}engram {version}, {day}")
}

/// Four digits are more than any standard error leaves.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// The settings under which an agent learns this environment alone.
fn experiment(registry: &Registry, args: &MeasureArgs, id: &str, options: &Options) -> anyhow::Result<Config> {
    let source = match &args.experiment {
        Some(experiment) => Source::from(experiment.as_str()),
        None => Source::Preset(preset_with(id)?),
    };
    let overrides = Overrides { set: args.set.clone(), steps_per_task: args.steps_per_task, ..Overrides::default() };
    let mut config = config::load(&source, &overrides)?;
    // Any two numbers do: returns are reported raw.
    let reference = Some(ReferenceConfig { random: Some(0.0), single: 1.0 });
    config.curriculum.tasks = vec![TaskConfig { env: id.into(), options: options.clone(), reference }];
    (config.curriculum.phases, config.curriculum.cycles) = (Vec::new(), 1);
    config.agent.observation_scale.retain(|env, _| env == id);
    config.method.name = MethodName::FineTune;
    // Only the last evaluation counts.
    config.evaluation.period = config.curriculum.steps_per_task;
    config.evaluation.episodes = args.evaluation_episodes;
    config::validate(&config, registry)?;
    Ok(config.resolve())
}

/// The first preset that plays this environment.
fn preset_with(id: &str) -> anyhow::Result<String> {
    for preset in presets::all() {
        let config = config::load(&Source::Preset(preset.name.to_string()), &Overrides::default())?;
        if config.curriculum.tasks.iter().any(|task| task.env == id) {
            return Ok(config.name);
        }
    }
    let message = format!(
        "no preset plays `{id}`: name one whose settings suit it by --experiment, or measure random play only by \
         --random-only"
    );
    Err(BadInput(message).into())
}
