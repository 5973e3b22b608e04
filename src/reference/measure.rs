//! Measuring reference returns: random play, and an agent trained on one task alone.

use engram_envs::{EnvError, Registry};
use rand::Rng as _;

use crate::{
    config::{Config, TaskConfig},
    error::TrainError,
    seeds,
    sink::Sink,
    statistics,
    stop::Stop,
    trainer::{Ending, Trainer},
};

/// How much random play is played, whichever limit comes first; at least one episode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Episodes.
    pub episodes: u64,
    /// Steps of all episodes together.
    pub steps: u64,
    /// Steps after which an episode is cut.
    pub episode_steps: u64,
}

/// A mean over episodes or over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The mean.
    pub mean: f64,
    /// Its standard error `s / √n`; NaN where there is one value only.
    pub standard_error: f64,
    /// How many values it is the mean of.
    pub count: usize,
}

impl Measured {
    fn of(values: &[f64]) -> Self {
        let standard_error = statistics::standard_deviation(values) / (values.len() as f64).sqrt();
        Self { mean: statistics::mean(values), standard_error, count: values.len() }
    }
}

/// The mean return of a uniformly random policy.
pub fn random(registry: &Registry, task: &TaskConfig, seed: u64, budget: Budget) -> Result<Measured, EnvError> {
    let mut env = registry.make(&task.env, &task.options)?;
    let actions = env.spec().actions.len();
    let (mut returns, mut steps) = (Vec::new(), 0);
    for episode in 0..budget.episodes {
        let mut chance = seeds::stream(seed, "reference", 0, episode);
        env.reset(&mut chance)?;
        let mut episode_return = 0.0;
        for _ in 0..budget.episode_steps {
            let action = chance.random_range(0..actions);
            let outcome = env.step(action, &mut chance)?;
            episode_return += f64::from(outcome.reward);
            steps += 1;
            if outcome.end.is_some() {
                break;
            }
        }
        returns.push(episode_return);
        if steps >= budget.steps {
            break;
        }
    }
    Ok(Measured::of(&returns))
}

/// The mean return, over seeds, of an agent trained on this task alone as `experiment` trains: without a penalty, for its
/// steps a task, evaluated greedily when these are over.
pub fn single(
    registry: &Registry,
    experiment: &Config,
    seeds: &[u64],
    stop: &Stop,
    mut progress: impl FnMut(u64, f64),
) -> Result<Measured, TrainError> {
    let mut returns = Vec::new();
    for &seed in seeds {
        let config = Config { seed, ..experiment.clone() };
        let mut trainer = Trainer::new(&config, registry)?;
        let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
        if let Ending::Stopped(signal) = trainer.run(&mut sinks, stop)? {
            return Err(TrainError::Stopped(signal));
        }
        let last = trainer.matrix().rows.last().and_then(|row| row.returns.first()).copied().unwrap_or(f64::NAN);
        progress(seed, last);
        returns.push(last);
    }
    Ok(Measured::of(&returns))
}

#[cfg(test)]
mod tests {
    use engram_envs::Options;

    use super::*;
    use crate::config::{Overrides, Source, read};

    #[test]
    fn random_play_is_cut_at_each_limit() {
        let registry = Registry::standard();
        let task = TaskConfig { env: "MountainCar-v0".into(), options: Options::new(), reference: None };
        let play = |episodes, steps, episode_steps| {
            let measured = random(&registry, &task, 0, Budget { episodes, steps, episode_steps }).unwrap();
            (measured.count, measured.mean)
        };
        assert_eq!(play(3, u64::MAX, 1000), (3, -200.0));
        assert_eq!(play(9, 201, 1000), (2, -200.0));
        assert_eq!(play(9, 1, 30), (1, -30.0));
    }

    #[test]
    fn an_agent_alone_learns_catch() {
        let registry = Registry::standard();
        let set = vec!["curriculum.tasks=[{ env = 'Catch' }]".into(), "method.name=fine-tune".into()];
        let config = read(&Source::from("catch-3"), &Overrides { set, ..Overrides::default() }, &registry);
        let config = config.unwrap().resolve();
        let mut seen = Vec::new();
        let measured = single(&registry, &config, &[0, 1], &Stop::default(), |seed, _| seen.push(seed)).unwrap();
        assert_eq!((seen, measured.count), (vec![0, 1], 2));
        assert!(measured.mean > 0.9, "{measured:?}");
    }
}
