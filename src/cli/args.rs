//! What can be written on the command line, and the help texts.

use std::num::IntErrorKind;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::distill::DistillArgs;
use super::env_args::EnvCommand;
use super::fisher::args::FisherArgs;
use super::output::Output;
use super::paper::PaperCommand;
use super::sweep::args::{CompareArgs, SweepArgs};
use super::train_args::{ForkArgs, ResumeArgs, TrainArgs, VerifyArgs};
use super::tune::TuneArgs;
use crate::evaluate::MOST_EPISODES;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("ENGRAM_COMMIT"), ")");

/// Continual reinforcement learning: one DQN agent plays a sequence of games, under a method against forgetting such as
/// elastic weight consolidation (EWC).
#[derive(Debug, Parser)]
#[command(name = "engram", version = VERSION, after_help = MAIN_HELP, max_term_width = 120)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// The Python interpreter for environments of Gymnasium [default: what `ENGRAM_PYTHON` names, or python3]
    #[arg(long, value_name = "PATH", global = true)]
    pub python: Option<PathBuf>,
}

const MAIN_HELP: &str = "\
Examples:
  engram train                              five games in sequence under EWC
  engram train catch-5 --method fine-tune   the same without any protection
  tensorboard --logdir runs                 curves, also while it trains
  engram evaluate runs/RUN                  what a run still knows of each game
  engram figure runs/catch-5__* --out a.svg the runs of an experiment compared
  engram report runs/catch-5__* --out report the same as a page, with statistics over whole runs
  engram env play Catch                     a game in the terminal, with the arrow keys
  engram env record runs/RUN --out play.gif what the run's agent does, as a GIF
  engram preset show catch-5 > my.toml      a config of your own to begin with
  engram train my.toml

Exit codes:
  0    done
  1    a check or verification failed
  2    bad input: nothing was begun, and no run directory is left behind
  3    training diverged or a run could not go on, of a sweep any of its runs: what was learnt is kept
  4    an external environment was lost
  130  stopped by SIGINT (Ctrl-C), 143 by SIGTERM, 138 by SIGUSR1, after saving: engram resume goes on";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Trains an agent on an experiment's sequence of games and writes a run directory
    Train(TrainArgs),
    /// Goes on with a run that was stopped or killed, as if nothing had happened
    Resume(ResumeArgs),
    /// Begins a new run at another one's checkpoint, with other settings from there on
    Fork(ForkArgs),
    /// Runs a run again and says whether it gives the same files, bit for bit
    Verify(VerifyArgs),
    /// Trains an experiment under several methods and seeds, side by side
    Compare(CompareArgs),
    /// Trains all runs of a plan, or says how far they are
    Sweep(SweepArgs),
    /// Chooses a method's strength on seeds of its own, and tries it on fresh ones
    Tune(TuneArgs),
    /// Draws the figures of the paper on elastic weight consolidation, and the table of another, on games that a laptop learns
    #[command(subcommand)]
    Paper(PaperCommand),
    /// Teaches one student by the agents of finished runs, and says how much of their play it has
    Distill(DistillArgs),
    /// Plays the policies of runs on every task of their curriculum
    Evaluate(EvaluateArgs),
    /// Lists and shows the experiments that come with the program
    #[command(subcommand)]
    Preset(PresetCommand),
    /// Lists, checks, verifies, plays and records environments
    #[command(subcommand)]
    Env(EnvCommand),
    /// Lists and measures the returns that scores refer to: of random play, and of an agent trained on one game alone
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// Says which weights a run's tasks count on, whether on the same ones, and whether the others may move
    Fisher(FisherArgs),
    /// Draws the learning curves of runs, and prints the table behind them
    Figure(FigureArgs),
    /// Compares runs with intervals over whole runs: tables, and on request a page with all figures
    Report(ReportArgs),
    /// Measures how fast this machine is: environments, updates, Fisher information, whole trainings
    Bench(BenchArgs),
    /// Prints what a shell needs to complete the commands and their options
    Completions(CompletionsArgs),
    /// Writes manual pages, one a command
    Manual(ManualArgs),
}

/// Arguments of `engram completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  engram completions bash > ~/.local/share/bash-completion/completions/engram\n  \
                        engram completions fish > ~/.config/fish/completions/engram.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Arguments of `engram manual`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  engram manual ~/.local/share/man/man1")]
pub(super) struct ManualArgs {
    /// The folder in which the pages are written
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// Arguments of `engram bench`.
#[derive(Debug, Args)]
#[command(after_help = BENCH_HELP)]
pub(super) struct BenchArgs {
    /// Measures only what has this in its name
    #[arg(value_name = "TEXT")]
    pub only: Option<String>,
    /// Prints a JSON object a line: name, value, unit
    #[arg(long)]
    pub json: bool,
}

const BENCH_HELP: &str = "\
Each figure is the median of five measurements on one thread; absolute times move with the machine and its neighbours. \
All together take about two minutes.

Examples:
  engram bench
  engram bench update
  engram bench --json > machine.jsonl";

/// Arguments of `engram evaluate`.
#[derive(Debug, Args)]
#[command(after_help = EVALUATE_HELP)]
pub struct EvaluateArgs {
    /// The directories of finished runs
    #[arg(value_name = "RUN_DIR", required = true)]
    pub runs: Vec<PathBuf>,
    /// Episodes a task; games with few starts play each start once instead [default: as in the run's config]
    #[arg(long, value_name = "N", value_parser = episodes, allow_negative_numbers = true)]
    pub episodes: Option<usize>,
    /// Also plays with those units silenced that never fired on the task when it ended: if that restores the score, it was
    /// lost to dead units that woke up, not to a drift of the living ones; n/a for a task that never ended
    #[arg(long)]
    pub silence_dead: bool,
    /// Draws the scores without and with the silenced units into this file, an SVG or a PNG
    #[arg(long, value_name = "FILE", requires = "silence_dead")]
    pub out: Option<PathBuf>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

const EVALUATE_HELP: &str = "\
For each task it prints the mean return with a 95 % interval over episodes, and the score: 0 is a random policy's \
return, 1 that of an agent trained on the task alone.

Examples:
  engram evaluate runs/RUN
  engram evaluate runs/RUN --episodes 100 --silence-dead
  engram evaluate runs/classic2__* --silence-dead --out silenced.svg";

/// What can be done with presets.
#[derive(Debug, Subcommand)]
pub(super) enum PresetCommand {
    /// Lists the presets: name, number of tasks, what it shows
    #[command(after_help = "Example:\n  engram preset list")]
    List(Output),
    /// Prints a preset as TOML, comments included
    #[command(after_help = "Example:\n  engram preset show catch-5 > my.toml\n  engram train my.toml")]
    Show {
        /// The preset
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// What can be done with reference returns.
#[derive(Debug, Subcommand)]
pub(super) enum ReferenceCommand {
    /// Lists the returns on record, with where each comes from
    #[command(after_help = "Example:\n  engram reference list")]
    List(Output),
    /// Measures the return of random play and of an agent trained on one environment alone
    Measure(MeasureArgs),
}

/// Arguments of `engram reference measure`.
#[derive(Debug, Args)]
#[command(after_help = MEASURE_HELP)]
pub(super) struct MeasureArgs {
    /// The environments' ids
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Sets an option of the environments; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    pub option: Vec<String>,
    /// Whose settings the agent has [default: the first preset that plays the environment]
    #[arg(long, value_name = "PRESET|CONFIG.toml")]
    pub experiment: Option<String>,
    /// Sets any key of the experiment; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Environment steps of training, in place of what the experiment says
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true)]
    pub steps_per_task: Option<u64>,
    /// Episodes of random play
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true, default_value = "1000")]
    pub episodes: u64,
    /// Greedy episodes of each trained agent
    #[arg(long, value_name = "N", value_parser = episodes, allow_negative_numbers = true, default_value = "100")]
    pub evaluation_episodes: usize,
    /// How many agents are trained, each with the seed that follows
    #[arg(long, value_name = "N", value_parser = count, allow_negative_numbers = true, default_value = "5")]
    pub seeds: u64,
    /// The first seed
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, default_value = "0")]
    pub seed: u64,
    /// Trains no agent
    #[arg(long)]
    pub random_only: bool,
    /// A file of references in which the entry is renewed or added
    #[arg(long, value_name = "FILE.toml")]
    pub into: Option<PathBuf>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

const MEASURE_HELP: &str = "\
An entry is printed as TOML, with where its numbers come from. Its two returns can stand in a config, too:
  tasks = [{ env = \"ID\", reference = { random = R, single = S } }]

Examples:
  engram reference measure Acrobot-v1
  engram reference measure my-games/Maze-v0 --experiment my.toml --seeds 3
  engram reference measure MinAtar/Breakout-v1 --random-only --option sticky=0.0";

/// Arguments of `engram figure`.
#[derive(Debug, Args)]
#[command(after_help = FIGURE_HELP)]
pub(super) struct FigureArgs {
    /// Directories of finished runs of one experiment, of any methods and seeds, or sweep folders
    #[arg(value_name = "RUNS", required = true)]
    pub runs: Vec<PathBuf>,
    /// The figure; its ending says the format
    #[arg(long, value_name = "FILE.svg|png")]
    pub out: PathBuf,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

const FIGURE_HELP: &str = "\
One panel a task, a colour a method: the mean score over seeds with its 95 % bootstrap interval, shaded where the \
panel's own task is trained. The table with the numbers is printed as Markdown. Runs of one method with different \
settings are not averaged: each setting gets a curve and says what it is. Runs of different curricula are refused.

Example:
  for seed in 0 1 2; do
    engram train catch-3 --method fine-tune --seed $seed
    engram train catch-3 --method ewc --seed $seed
  done
  engram figure runs/catch-3__* --out catch-3.svg";

/// Arguments of `engram report`.
#[derive(Debug, Args)]
#[command(after_help = REPORT_HELP)]
pub(super) struct ReportArgs {
    /// Directories of finished runs of one experiment, of any methods and seeds, or sweep folders
    #[arg(value_name = "RUNS", required = true)]
    pub runs: Vec<PathBuf>,
    /// Writes a page, its tables and its figures into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How the numbers are printed.
    #[command(flatten)]
    pub output: Output,
    /// What a bootstrap draws: runs with all their scores, or runs for each task apart, as rliable does
    #[arg(long, value_name = "WHAT", value_enum, default_value = "whole-run")]
    pub intervals: Intervals,
}

/// What a bootstrap draws.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Intervals {
    /// Runs with all their scores.
    WholeRun,
    /// Runs for each task apart.
    Stratified,
}

const REPORT_HELP: &str = "\
It prints final scores, learning, forgetting and transfer of each group of runs, their interquartile mean and optimality \
gap, and the probability that one group does better than another, all with 95 % bootstrap intervals. With --out it \
writes report.html, a page that needs nothing but itself, report.md, CSV files, and every figure as SVG and PNG. Runs of a \
sweep that are not finished are left out and listed.

Examples:
  engram report runs/catch-5__*
  engram report runs/my-sweep --out report
  engram report runs/my-sweep --json --intervals stratified > numbers.json";

pub(super) fn from_zero(text: &str) -> Result<u64, String> {
    at_least(0, text)
}

/// A number of repetitions.
fn count(text: &str) -> Result<u64, String> {
    episodes(text).map(|count| count as u64)
}

pub(super) fn from_one(text: &str) -> Result<u64, String> {
    at_least(1, text)
}

fn episodes(text: &str) -> Result<usize, String> {
    let number = usize::try_from(from_one(text)?).ok().filter(|number| *number <= MOST_EPISODES);
    number.ok_or_else(|| format!("it must be at most {MOST_EPISODES}"))
}

/// A whole number as TOML can hold it, in 64 bits with a sign.
fn at_least(least: u64, text: &str) -> Result<u64, String> {
    match text.parse::<i64>() {
        Ok(number) if number >= least as i64 => Ok(number as u64),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => Err("it is too large".into()),
        _ => Err(format!("it must be a whole number, {least} or greater")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name} says nothing");
            if command.has_subcommands() {
                command.get_subcommands().for_each(check);
            } else {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Example"), "{name} has no example");
            }
        }
        Cli::command().get_subcommands().for_each(check);
    }

    /// Commands that print no result, and why each does not.
    const WITHOUT_JSON: [(&str, &str); 6] = [
        ("preset show", "prints a config, which is TOML"),
        ("env new", "writes a file, and prints lines to be copied"),
        ("env play", "shows a game"),
        ("env record", "writes a recording"),
        ("completions", "prints a script"),
        ("manual", "writes pages"),
    ];

    #[test]
    fn every_command_that_prints_a_result_prints_it_as_json_too() {
        fn check(command: &clap::Command, parents: &str, without: &mut Vec<String>) {
            let name = format!("{parents}{}", command.get_name());
            if command.has_subcommands() {
                command.get_subcommands().for_each(|command| check(command, &format!("{name} "), without));
            } else if command.get_arguments().all(|argument| argument.get_id() != "json") {
                without.push(name);
            }
        }
        let mut without = Vec::new();
        Cli::command().get_subcommands().for_each(|command| check(command, "", &mut without));
        assert_eq!(without.len(), WITHOUT_JSON.len(), "{without:?}");
        for (name, reason) in WITHOUT_JSON {
            assert!(without.iter().any(|without| without == name), "{name} has --json, although it {reason}");
        }
    }

    #[test]
    fn episodes_have_a_bound() {
        assert_eq!(episodes("1000000"), Ok(MOST_EPISODES));
        for text in ["1000001", "9223372036854775807"] {
            assert_eq!(episodes(text), Err("it must be at most 1000000".into()), "{text}");
        }
    }

    #[test]
    fn numbers_say_what_would_be_right() {
        assert_eq!(at_least(1, "7"), Ok(7));
        assert_eq!(at_least(0, "9223372036854775807"), Ok(i64::MAX as u64));
        assert_eq!(at_least(0, "9223372036854775808"), Err("it is too large".into()));
        for text in ["-5", "0", "1.5", "ten", ""] {
            assert_eq!(at_least(1, text), Err("it must be a whole number, 1 or greater".into()), "{text}");
        }
    }
}
