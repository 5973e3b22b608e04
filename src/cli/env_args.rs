//! What can be written after `engram env`, and the help texts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::args::{from_one, from_zero};
use super::output::Output;
use crate::animation::{FRAMES_PER_SECOND, MOST_FRAMES_PER_SECOND};
use crate::recording::MOST_STEPS;

/// What can be done with environments.
#[derive(Debug, Subcommand)]
pub(super) enum EnvCommand {
    /// Lists the environments: id, what is seen, number of actions, step limit, the returns that scores refer to
    #[command(after_help = "Example:\n  engram env list")]
    List(Output),
    /// Checks that an environment behaves: seeds, spaces, saving in mid-episode, endings, pictures, speed
    #[command(after_help = "\
The exit code is 1 if a check failed.

Examples:
  engram env check CartPole-v1
  engram env check Addition/2 --option tasks=5 --option cue=false")]
    Check {
        /// The environment's id
        #[arg(value_name = "ID")]
        id: String,
        /// Sets an option of the environment; may be given many times
        #[arg(long, value_name = "KEY=VALUE")]
        option: Vec<String>,
        /// How the result is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Replays a recorded trace and names the first difference
    #[command(after_help = "\
A trace is a text of one JSON object a line: what a reference implementation drew, did and saw. The exit code is 1 if \
the environment departs from it, 2 if the trace is none.

Example:
  engram env verify Catch envs/tests/golden/catch.jsonl")]
    Verify {
        /// The environment's id
        #[arg(value_name = "ID")]
        id: String,
        /// The trace
        #[arg(value_name = "TRACE.jsonl")]
        trace: PathBuf,
        /// How the result is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Writes the file of a new environment from a template that works
    New(NewArgs),
    /// Plays a game in the terminal with the keyboard, or shows a policy at play
    Play(PlayArgs),
    /// Records a game as an animated GIF, played at random or by the policy of a run
    Record(RecordArgs),
}

/// Arguments of `engram env new`.
#[derive(Debug, Args)]
#[command(after_help = NEW_HELP)]
pub(super) struct NewArgs {
    /// The environment's id: letters and digits, the first a capital
    #[arg(value_name = "NAME")]
    pub name: String,
}

const NEW_HELP: &str = "\
In the root of this project's tree the file goes to envs/src, in a crate of your own to src. The lines that make it \
known are printed; docs/add-an-environment.md tells the rest.

Example:
  engram env new DeepSea";

/// Arguments of `engram env play`.
#[derive(Debug, Args)]
#[command(after_help = PLAY_HELP)]
pub(super) struct PlayArgs {
    /// The environment's id
    #[arg(value_name = "ID")]
    pub id: String,
    /// Sets an option of the environment; may be given many times
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "run")]
    pub option: Vec<String>,
    /// The seed of the episodes [default: 0, or the run's]
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Shows a policy that plays at random
    #[arg(long)]
    pub random: bool,
    /// Shows the greedy policy of a finished run, on the task of its curriculum with this id
    #[arg(long, value_name = "RUN_DIR", conflicts_with = "random")]
    pub run: Option<PathBuf>,
    /// Which of the run's tasks, by its index from 0, where several have this id
    #[arg(long, value_name = "K", requires = "run")]
    pub task: Option<usize>,
    /// Steps a second; with the keyboard, lets time pass without a key [default: 10 for a policy; one step a key]
    #[arg(long, value_name = "N", value_parser = frames_per_second, allow_negative_numbers = true)]
    pub fps: Option<u16>,
}

const PLAY_HELP: &str = "\
Arrow keys and the space bar play the actions that are called so, digits and letters all others; the screen names them. \
q, Esc or Ctrl-C ends the game. With --fps the game goes on by itself from the first key on.

Examples:
  engram env play Catch
  engram env play MinAtar/Breakout-v1 --fps 8
  engram env play CartPole-v1 --run runs/RUN";

/// Arguments of `engram env record`.
#[derive(Debug, Args)]
#[command(after_help = RECORD_HELP)]
pub(super) struct RecordArgs {
    /// An environment's id, or the directory of a finished run
    #[arg(value_name = "ID|RUN_DIR")]
    pub subject: String,
    /// The recording
    #[arg(long, value_name = "FILE.gif")]
    pub out: PathBuf,
    /// Sets an option of the environment; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    pub option: Vec<String>,
    /// Episodes, of each task
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = from_one, allow_negative_numbers = true)]
    pub episodes: u64,
    /// One task of the run, by its index from 0, in place of all one after the other
    #[arg(long, value_name = "K")]
    pub task: Option<usize>,
    /// The seed of the episodes [default: 0, or the run's]
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Pictures a second
    #[arg(long, value_name = "N", default_value_t = FRAMES_PER_SECOND, value_parser = frames_per_second,
        allow_negative_numbers = true)]
    pub fps: u16,
    /// Steps of an episode at most
    #[arg(long, value_name = "N", default_value_t = MOST_STEPS, value_parser = from_one, allow_negative_numbers = true)]
    pub steps: u64,
}

const RECORD_HELP: &str = "\
An environment is played at random; a run's agent plays greedily, the same episodes as in its evaluations.

Examples:
  engram env record Acrobot-v1 --out acrobot.gif --fps 30
  engram env record runs/RUN --out tasks.gif --episodes 2
  engram env record runs/RUN --task 1 --out task.gif";

fn frames_per_second(text: &str) -> Result<u16, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_FRAMES_PER_SECOND).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from 1 to {MOST_FRAMES_PER_SECOND}"))
}
