//! What can be written after `train`, `resume`, `fork` and `verify`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use engram_envs::Registry;

use super::{
    args::{from_one, from_zero},
    output::Output,
    training::{CheckpointPeriod, Ways},
};
use crate::{
    config::{self, Config, ConfigError, Overrides, Source, WeightsConfig},
    presets,
    run_directory::Place,
};

/// Where a new run directory is to lie.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The folder in which the run directory is made
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
    /// The name of the run directory, in place of one made of preset, method, seed and time
    #[arg(long, value_name = "NAME", value_parser = folder_name)]
    pub name: Option<String>,
    /// The run directory itself, in place of --runs and --name; it must be new or empty
    #[arg(long, value_name = "PATH", conflicts_with_all = ["runs", "name"])]
    pub run_dir: Option<PathBuf>,
}

impl PlaceArgs {
    /// The same for the run directory.
    pub fn place(&self) -> Place {
        Place { runs: self.runs.clone(), name: self.name.clone(), path: self.run_dir.clone() }
    }
}

/// Arguments of `engram train`.
#[derive(Debug, Args)]
#[command(after_help = TRAIN_HELP)]
pub struct TrainArgs {
    /// The experiment: a preset's name, or the path of a TOML file (it contains a slash or ends in .toml)
    #[arg(value_name = "PRESET|CONFIG.toml", default_value = presets::DEFAULT)]
    pub experiment: String,
    /// The method against forgetting, with the strength that the config has for it: fine-tune, reset, frozen, l2, ewc,
    /// online-ewc, huszar, si, mas, l2-init, shrink-perturb, replay, a-gem, clear, distill, packnet, progress-compress
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,
    /// The seed of all randomness: the same config and seed give the same files
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Environment steps of every phase, in place of what the config says
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true)]
    pub steps_per_task: Option<u64>,
    /// Makes one phase of all, in which the tasks are played in turns, each with a replay buffer of its own: multi-task
    /// training, without a method unless --method names one
    #[arg(long, value_name = "joint", value_parser = ["joint"])]
    pub curriculum: Option<String>,
    /// Environment steps between recordings of every task as animated GIFs, at evaluations that fall on it; 0 for none
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true)]
    pub record_period: Option<u64>,
    /// Begins with the hidden layers of a finished run that has the same ones, in place of drawn ones; output layers are new
    #[arg(long, value_name = "RUN_DIR")]
    pub weights: Option<PathBuf>,
    /// Sets any key of the config; may be given many times, and the last one wins
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where it is to lie.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// How it is trained.
    #[command(flatten)]
    pub ways: Ways,
}

const TRAIN_HELP: &str = "\
Without arguments it trains the preset catch-5. `engram preset list` names all presets; `engram preset show NAME` prints \
one with the reasons for its settings, ready to be edited.

A run directory holds the config with every key there is and every default spelled out (config.toml, which reproduces \
the run), status.json, the parameters, CSV files of episodes, evaluations, updates and the performance matrix, and \
TensorBoard's events. The first Ctrl-C ends a run in order and saves it, a second one ends it at once; `engram resume` \
goes on with it.

Examples:
  engram train
  engram train classic2 --method fine-tune --seed 3
  engram train --set agent.optimizer.learning_rate=3e-4 --set method.ewc.lambda=3
  engram train catch-3 --curriculum joint
  engram train catch-3 --set curriculum.tasks.2.env=PermutedCatch/b-1
  engram train catch-5 --weights runs/student
  engram train my.toml --steps-per-task 2000 --runs /tmp/runs --quiet";

impl TrainArgs {
    /// The experiment with all that is set over it, validated and resolved.
    pub fn config(&self, registry: &Registry) -> Result<Config, ConfigError> {
        let overrides = Overrides {
            set: self.set.clone(),
            method: self.method.clone(),
            seed: self.seed,
            steps_per_task: self.steps_per_task,
            record_period: self.record_period,
            joint: self.curriculum.is_some(),
        };
        let config = config::read(&Source::from(self.experiment.as_str()), &overrides, registry)?.resolve();
        let weights = self.weights.as_ref().map(|run| WeightsConfig { run: run.display().to_string(), hash: None });
        Ok(Config { weights: weights.or_else(|| config.weights.clone()), ..config })
    }
}

/// Arguments of `engram resume`.
#[derive(Debug, Args)]
#[command(after_help = RESUME_HELP)]
pub struct ResumeArgs {
    /// The directory of a run that has not finished
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// Environment steps of every phase that has not ended: at least as many as it has
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true)]
    pub steps_per_task: Option<u64>,
    /// How it is trained.
    #[command(flatten)]
    pub ways: Ways,
}

const RESUME_HELP: &str = "\
It goes on at the latest checkpoint, after cutting the outputs back to it, and ends with the same files, bit for bit, as \
a run that was never interrupted. Phases that have not ended may be made longer; with other changes use `engram fork`.

Examples:
  engram resume runs/RUN
  engram resume runs/RUN --steps-per-task 20000";

/// Arguments of `engram fork`.
#[derive(Debug, Args)]
#[command(after_help = FORK_HELP)]
pub struct ForkArgs {
    /// The directory of a run with a checkpoint: one that was stopped, was killed, or still runs
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// The method against forgetting from there on
    #[arg(long, value_name = "NAME")]
    pub method: Option<String>,
    /// The seed of episodes and evaluations from there on, and of all else in the phases to come
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Sets any key of the config that the part already played does not depend on; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where it is to lie.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// How it is trained.
    #[command(flatten)]
    pub ways: Ways,
}

const FORK_HELP: &str = "\
The new run has the outputs of the other one up to its latest checkpoint, and notes in fork.json where it comes from and \
what was changed. The other run stays as it is.

Examples:
  engram fork runs/RUN --set agent.optimizer.learning_rate=1e-4
  engram fork runs/RUN --set method.ewc.lambda=10 --run-dir runs/stronger";

/// Arguments of `engram verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct VerifyArgs {
    /// The run directory
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

const VERIFY_HELP: &str = "\
It trains from the run's config.toml into a folder for the time being and compares: every CSV file, the parameters, \
consolidations and recordings byte by byte, TensorBoard's events but for their wall times and charts/SPS. A run that has \
not finished is compared up to its latest checkpoint, and with all that the checkpoint holds. Exit code 1 and the first \
difference where there is one: another version of the program, or a processor with other features, may round otherwise.

Example:
  engram verify runs/RUN";

pub(super) fn folder_name(text: &str) -> Result<String, String> {
    config::check_name(text).map(|()| text.to_owned())
}

/// A period as `--checkpoint-period` takes it.
pub(super) fn checkpoint_period(text: &str) -> Result<CheckpointPeriod, String> {
    let expected = || "it must be a number of steps, or a time such as 90s, 10m or 2h; 0 for never".to_owned();
    let (digits, unit) = match text.char_indices().next_back() {
        Some((last, 's')) => (&text[..last], Some(1)),
        Some((last, 'm')) => (&text[..last], Some(60)),
        Some((last, 'h')) => (&text[..last], Some(3600)),
        _ => (text, None),
    };
    let number: u64 = digits.parse().map_err(|_| expected())?;
    Ok(match unit {
        _ if number == 0 => CheckpointPeriod::Never,
        None => CheckpointPeriod::Steps(number),
        Some(seconds) => CheckpointPeriod::Time(Duration::from_secs(number.saturating_mul(seconds))),
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Cli, Command};
    use super::*;

    #[test]
    fn train_needs_no_argument() {
        let Command::Train(args) = Cli::parse_from(["engram", "train"]).command else { panic!("not train") };
        let config = args.config(&Registry::standard()).unwrap();
        assert_eq!((config.name.as_str(), config.curriculum.phases.len()), (presets::DEFAULT, 5));
    }

    #[test]
    fn periods_are_steps_or_times() {
        let time = |seconds| Ok(CheckpointPeriod::Time(Duration::from_secs(seconds)));
        assert_eq!(checkpoint_period("2000"), Ok(CheckpointPeriod::Steps(2000)));
        assert_eq!(
            [checkpoint_period("90s"), checkpoint_period("10m"), checkpoint_period("2h")],
            [90, 600, 7200].map(time)
        );
        assert_eq!(
            [checkpoint_period("0"), checkpoint_period("0m")],
            [Ok(CheckpointPeriod::Never), Ok(CheckpointPeriod::Never)]
        );
        for text in ["", "m", "-5", "5 m", "1.5h", "10x", "\u{e4}", "99999999999999999999"] {
            assert!(checkpoint_period(text).is_err(), "{text}");
        }
    }
}
