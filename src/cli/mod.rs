//! The command line, one file a command.
//!
//! A crate with environments of its own adds them to a registry and calls [`run`]: the same commands then know them.
//!
//! ```no_run
//! use engram_envs::Registry;
//!
//! fn main() -> std::process::ExitCode {
//!     let mut registry = Registry::standard();
//!     // registry.add(Entry::new("MyGame-v0", "what it is about", |_| Ok(Box::new(MyGame::new()))));
//!     engram::cli::run(&registry)
//! }
//! ```

mod args;
mod bench;
mod distill;
mod env;
mod env_args;
mod env_list;
mod evaluate;
mod evaluation;
mod exit;
mod figure;
mod fisher;
mod fork;
mod manual;
mod new;
mod one_thread;
mod outcome;
mod output;
mod paper;
mod play;
mod preset;
mod record;
mod reference;
mod report;
mod resume;
mod saved_policy;
mod shell;
mod sweep;
mod table;
mod train;
mod train_args;
mod training;
mod tune;
mod verify;
mod weights;

use std::io::{self, Write as _};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use engram_envs::{Registry, gymnasium};

pub use args::EvaluateArgs;
use args::{Cli, Command};
pub use exit::{BadInput, Exit};
pub use output::Output;
pub use train_args::{ForkArgs, ResumeArgs, TrainArgs, VerifyArgs};
pub use training::CheckpointPeriod;

/// Runs the command that the process was called with. Errors are one line on stderr; [`Exit`] lists the codes.
pub fn run(registry: &Registry) -> ExitCode {
    one_thread::ensure();
    let Cli { command, python } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error).into(),
    };
    let mut registry = registry.clone();
    if let Some(python) = &python {
        gymnasium::add_to(&mut registry, Some(python));
    }
    // A panic is a defect of the program, which has then said where; the caller learns that the run broke.
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| dispatch(&registry, command, python.as_deref())));
    let Ok(outcome) = outcome else { return Exit::Broken.into() };
    outcome.unwrap_or_else(|error| {
        let exit = exit::of(&error);
        if exit != Exit::Done {
            complain(&format!("error: {}", exit::one_line(&error)));
        }
        exit.into()
    })
}

fn dispatch(registry: &Registry, command: Command, python: Option<&Path>) -> anyhow::Result<ExitCode> {
    match command {
        Command::Train(args) => train::run(registry, &args),
        Command::Resume(args) => resume::run(registry, &args),
        Command::Fork(args) => fork::run(registry, &args),
        Command::Verify(args) => verify::run(registry, &args),
        Command::Compare(args) => sweep::compare(registry, &args, python),
        Command::Sweep(args) => sweep::run(registry, &args, python),
        Command::Tune(args) => tune::run(registry, &args, python),
        Command::Paper(command) => paper::run(registry, &command, python),
        Command::Distill(args) => distill::run(registry, &args),
        Command::Evaluate(args) => evaluate::run(registry, &args),
        Command::Preset(command) => preset::run(&command),
        Command::Env(command) => env::run(registry, &command),
        Command::Reference(command) => reference::run(registry, &command),
        Command::Fisher(args) => fisher::run(registry, &args),
        Command::Figure(args) => figure::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Bench(args) => bench::run(registry, &args),
        Command::Completions(args) => manual::completions(&args),
        Command::Manual(args) => manual::pages(&args),
    }
}

/// Prints a help text that was asked for; of a usage error, what matters in one line.
fn refuse(error: &clap::Error) -> Exit {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // The reader may have gone, which is no error.
            let _ = error.print();
            return Exit::Done;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
        }
        _ => complain(&usage_line(&text.to_string())),
    }
    Exit::BadInput
}

/// The paragraphs of a usage error that say what is wrong, as one line.
fn usage_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wanted = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    wanted.collect::<Vec<_>>().join(" ")
}

/// Prints to stdout. That its reader has gone is an error like any other here, never a panic.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints a line to stderr, or nothing where that is closed.
fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(args: &[&str]) -> String {
        usage_line(&Cli::try_parse_from(args).unwrap_err().render().to_string())
    }

    #[test]
    fn usage_errors_are_one_line() {
        let line = usage(&["engram", "train", "--steps-per-task", "-5"]);
        assert!(line.starts_with("error: invalid value '-5' for '--steps-per-task <N>'"), "{line}");
        assert!(line.contains("a whole number, 1 or greater"), "{line}");
        let line = usage(&["engram", "trian"]);
        assert!(line.contains("'trian'") && line.contains("'train'"), "{line}");
        let line = usage(&["engram", "figure", "runs/a"]);
        assert!(line.contains("--out <FILE.svg|png>") && !line.contains('\n'), "{line}");
    }
}
