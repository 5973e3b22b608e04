//! How fast this machine is: the figures behind `engram bench`.

use std::hint::black_box;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use engram_agents::{
    AgentError,
    continual::{MethodName, quadratic::Quadratic},
    fisher::{self, FisherConfig, Likelihood},
    network::Implementation,
    optimizer::{Optimizer, OptimizerConfig},
    replay::Batch,
    workload::{self, Workload},
};
use engram_envs::{Entry, Options, Registry};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use serde::Serialize;

use crate::{
    config::{self, Config, Overrides, Source},
    error::TrainError,
    run_directory::{Place, RunDirectory},
    sink::{Sink, SinkError},
    stop::{Due, Stop},
    trainer::Trainer,
};

/// A measurement: the median of five.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// How much it is.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
}

/// How often each thing is measured.
const REPEATS: usize = 5;

/// How long one measurement takes at least.
const LEAST: Duration = Duration::from_millis(50);

/// A name, a preset with its steps between updates, and the environment steps of the shorter and of the longer training
/// whose difference is a rate: both go beyond the warm-up.
const TRAININGS: [(&str, &str, u64, [u64; 2]); 3] = [
    ("cartpole-dqn", "cartpole-dqn", 10, [20_000, 120_000]),
    ("minatar-dqn", "minatar-dqn", 1, [6_000, 12_000]),
    ("minatar-dqn, an update in four steps", "minatar-dqn", 4, [6_000, 18_000]),
];

/// A name, a preset, the steps after which its replay buffer is full, and what is set besides.
const CHECKPOINTS: [(&str, &str, u64, &[&str]); 4] = [
    ("catch-5", "catch-5", 7_000, &[]),
    ("minatar2", "minatar2", 50_000, &[]),
    ("minatar-dqn", "minatar-dqn", 100_000, &[]),
    (
        "minatar-dqn on Seaquest",
        "minatar-dqn",
        100_000,
        &["curriculum.tasks=[{ env = 'MinAtar/Seaquest-v0', reference = { single = 1.0 } }]"],
    ),
];

/// Measures everything in turn and hands each figure to `show`. Only what has `filter` in its name is measured.
pub fn run(registry: &Registry, filter: &str, mut show: impl FnMut(Figure)) -> Result<(), TrainError> {
    let mut figure = |name: String, unit, measure: &mut dyn FnMut() -> Result<f64, TrainError>| {
        if name.contains(filter) {
            let value = measure()?;
            show(Figure { name, value, unit });
        }
        Ok::<_, TrainError>(())
    };
    for entry in registry.local() {
        figure(format!("steps of {}", entry.example), "steps/s", &mut || environment(registry, entry))?;
    }
    for workload in Workload::ALL {
        let name = workload.name();
        let fused = |method| workload.agent(Implementation::Fused, method);
        figure(format!("update, {name}"), "us", &mut || {
            let (mut agent, observation) = fused(MethodName::FineTune)?;
            microseconds(|| Ok(workload::update(&mut agent, &observation)?))
        })?;
        figure(format!("update under EWC, {name}"), "us", &mut || {
            let (mut agent, observation) = fused(MethodName::Ewc)?;
            agent.consolidate(&mut Pcg64::seed_from_u64(5))?;
            microseconds(|| Ok(workload::update(&mut agent, &observation)?))
        })?;
        figure(format!("action, {name}"), "us", &mut || {
            let (mut agent, observation) = fused(MethodName::FineTune)?;
            microseconds(|| {
                black_box(agent.greedy(black_box(&observation), 0)?);
                Ok(())
            })
        })?;
        figure(format!("replay, {name}"), "us", &mut || {
            let (agent, _) = fused(MethodName::FineTune)?;
            let (mut slots, mut batch, mut generator) = (Vec::new(), Batch::default(), Pcg64::seed_from_u64(8));
            microseconds(|| {
                let replay = agent.replay(0).ok_or(AgentError::EmptyReplay { task: 0 })?;
                replay.draw(workload.batch_size(), None, &mut generator, &mut slots);
                replay.gather(&slots, &mut batch);
                Ok(())
            })
        })?;
        let likelihoods = [("", Likelihood::Gaussian), (", of the action taken alone", Likelihood::GaussianTaken)];
        for (states, (which, likelihood)) in [1024, 4096].into_iter().flat_map(|n| likelihoods.map(|which| (n, which)))
        {
            figure(format!("Fisher of {states} states{which}, {name}"), "ms", &mut || {
                let (agent, _) = fused(MethodName::FineTune)?;
                let mut network = agent.network().duplicate()?;
                let config = FisherConfig { states, likelihood, leak: 0.0, ..FisherConfig::default() };
                let (actions, mut generator) = (network.architecture().actions(), Pcg64::seed_from_u64(7));
                let estimate = || {
                    let replay = agent.replay(0).ok_or(AgentError::EmptyReplay { task: 0 })?;
                    fisher::estimate(&config, network.as_mut(), replay, 0, actions, &mut generator)?;
                    Ok(())
                };
                Ok(microseconds(estimate)? / 1e3)
            })?;
        }
    }
    for past_tasks in [0, 1, 10, 100] {
        figure(format!("optimizer step, {past_tasks} past tasks"), "us", &mut || optimizer(past_tasks))?;
    }
    for (name, preset, frames, set) in CHECKPOINTS {
        let measure = || checkpoint(registry, preset, frames, set);
        figure(format!("checkpoint, {name}"), "ms", &mut || Ok(measure()?.0))?;
        figure(format!("size of a checkpoint, {name}"), "kB", &mut || Ok(measure()?.1))?;
    }
    for (name, preset, period, steps) in TRAININGS {
        figure(format!("training, {name}"), "steps/s", &mut || training(registry, preset, period, steps))?;
    }
    Ok(())
}

/// The median time of one call.
fn microseconds(mut work: impl FnMut() -> Result<(), TrainError>) -> Result<f64, TrainError> {
    let mut times = Vec::new();
    work()?;
    for _ in 0..REPEATS {
        let (begin, mut calls) = (Instant::now(), 0);
        while begin.elapsed() < LEAST {
            work()?;
            calls += 1;
        }
        times.push(begin.elapsed().as_secs_f64() * 1e6 / f64::from(calls));
    }
    Ok(median(times))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Steps of one instance, each observed, with resets.
fn environment(registry: &Registry, entry: &Entry) -> Result<f64, TrainError> {
    const STEPS: usize = 1000;
    let mut env = registry.make(&entry.example, &Options::new())?;
    let mut chance = Pcg64::seed_from_u64(6);
    env.reset(&mut chance)?;
    let (actions, mut observation) = (env.spec().actions.len(), vec![0.0; env.spec().observation.len()]);
    let time = microseconds(|| {
        for step in 0..STEPS {
            if env.step(step % actions, &mut chance)?.end.is_some() {
                env.reset(&mut chance)?;
            }
            env.observe(&mut observation)?;
        }
        Ok(())
    })?;
    Ok(STEPS as f64 / time * 1e6)
}

/// A step of Adam on MinAtar's network over ten planes, under the merged penalty of so many tasks.
fn optimizer(past_tasks: usize) -> Result<f64, TrainError> {
    let (agent, _) = Workload::MinAtar10.agent(Implementation::Fused, MethodName::FineTune)?;
    let mut params = agent.network().params().to_vec();
    let (gradient, importance, anchor) = (vec![1e-3; params.len()], vec![0.1; params.len()], params.clone());
    let mut quadratic = Quadratic::new(1.0, vec![0.0; params.len()], anchor.clone());
    (0..past_tasks).for_each(|_| quadratic.add(&importance, &anchor));
    let penalty = (past_tasks > 0).then_some(&quadratic);
    let mut optimizer = Optimizer::new(OptimizerConfig::default(), agent.network().layout());
    microseconds(|| {
        optimizer.step(&mut params, &gradient, 1e-4, penalty, &[]);
        Ok(())
    })
}

/// Milliseconds to save everything that a run of `preset` holds, once the replay buffer has so many steps, and kilobytes.
fn checkpoint(registry: &Registry, preset: &str, steps: u64, set: &[&str]) -> Result<(f64, f64), TrainError> {
    let quick = [&format!("agent.warmup_steps={steps}"), "evaluation.episodes=1", "evaluation.step_limit=1"];
    let set = quick.iter().chain(set).map(|&text| text.to_owned()).collect();
    let overrides = Overrides { set, steps_per_task: Some(2 * steps), ..Overrides::default() };
    let config = config::read(&Source::Preset(preset.into()), &overrides, registry).map(Config::resolve);
    let Ok(config) = config else { return Ok((f64::NAN, f64::NAN)) };
    let mut trainer = Trainer::new(&config, registry)?;
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    trainer.run_until(Due::Step(steps + 10), &mut sinks, &Stop::default())?;
    let failed = |cause| SinkError::new(Path::new("temporary folder"), cause);
    let folder = tempfile::tempdir().map_err(failed)?;
    let place = Place { path: Some(folder.path().join("run")), ..Place::default() };
    let directory = RunDirectory::create(&place, &config, "").map_err(|cause| failed(io::Error::other(cause)))?;
    let mut bytes = 0;
    let save = || {
        bytes = directory.save_checkpoint(&mut trainer, "")?;
        Ok(())
    };
    let milliseconds = microseconds(save)? / 1e3;
    Ok((milliseconds, bytes as f64 / 1e3))
}

/// Environment steps a second of a whole training, environment and exploration included, once it learns: the difference
/// of a longer and a shorter one, with hardly any evaluation.
fn training(registry: &Registry, preset: &str, period: u64, [short, long]: [u64; 2]) -> Result<f64, TrainError> {
    let seconds = |steps: u64| {
        let set = ["evaluation.episodes=1", "evaluation.step_limit=1", "evaluation.period=1000000000"];
        let set = set.map(str::to_owned).into_iter().chain([format!("agent.train_period={period}")]).collect();
        let overrides = Overrides { set, steps_per_task: Some(steps), ..Overrides::default() };
        let config = config::read(&Source::Preset(preset.into()), &overrides, registry).map(Config::resolve);
        // The presets are part of the program, and tests read them.
        let Ok(config) = config else { return Ok(f64::NAN) };
        let mut trainer = Trainer::new(&config, registry)?;
        let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
        let begin = Instant::now();
        trainer.run(&mut sinks, &Stop::default())?;
        Ok::<_, TrainError>(begin.elapsed().as_secs_f64())
    };
    let mut rates = Vec::new();
    for _ in 0..REPEATS {
        rates.push((long - short) as f64 / (seconds(long)? - seconds(short)?));
    }
    Ok(median(rates))
}
