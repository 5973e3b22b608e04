//! `engram paper`: the figures of Kirkpatrick et al. 2017, and a table of Rusu et al. 2015, on games that a laptop learns. One
//! file each.

mod addition;
mod arrows;
mod distill;
mod landscape;
mod noise;
mod overlap;
mod permuted;
mod plane;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use engram_agents::continual::MethodName;
use engram_envs::Registry;

use super::{
    BadInput, Exit,
    output::print_json,
    print, shell,
    sweep::{SweepOutcome, Sweeper, args::SweepWays},
};
use crate::{
    snapshot,
    sweep::{FIRST_REPORTED_SEED, Plan, Sweep},
};

/// What can be drawn.
#[derive(Debug, Subcommand)]
pub(super) enum PaperCommand {
    /// The experiment of 1989 with sums: what is left of the first ones while the next are learnt
    Addition(PaperArgs),
    /// Figure 1: where a second game takes the parameters, in the plane of real runs
    Arrows(PaperArgs),
    /// Figure 2: ten permuted games in sequence, the first three one by one and all together
    Permuted(PaperArgs),
    /// Figure 2C: on which layers two games count alike, by how many pixels of the second are shuffled
    Overlap(PaperArgs),
    /// The noise test: how an agent plays with noise on its parameters, where these are unimportant or anywhere
    Noise(PaperArgs),
    /// The table of Policy Distillation: the share of their teachers' play that students have, by loss and by size
    Distill(PaperArgs),
}

/// Arguments of `engram paper`.
#[derive(Debug, Args)]
#[command(after_help = PAPER_HELP)]
pub(super) struct PaperArgs {
    /// Fewer seeds and shorter training: seconds, and a rougher figure
    #[arg(long)]
    pub quick: bool,
    /// The folder for the figure, its data and the commands behind it, made where it is missing [default: the sweep's own]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How it is trained.
    #[command(flatten)]
    pub ways: SweepWays,
}

const PAPER_HELP: &str = "\
It says first about how long it takes, trains what is missing (the same command again goes on with what was cut off), and \
writes the figure as SVG and PNG, or the table as Markdown, its data as CSV, and the commands that make it.

Examples:
  engram paper addition
  engram paper arrows
  engram paper permuted --quick
  engram paper overlap
  engram paper noise
  engram paper permuted --out docs/figures
  engram paper distill";

/// The methods that the paper's figures compare.
const METHODS: [MethodName; 3] = [MethodName::FineTune, MethodName::L2, MethodName::Ewc];

impl PaperCommand {
    /// What is drawn, and how.
    fn figure(&self) -> (&'static str, &PaperArgs) {
        match self {
            Self::Addition(args) => ("addition", args),
            Self::Arrows(args) => ("arrows", args),
            Self::Permuted(args) => ("permuted", args),
            Self::Overlap(args) => ("overlap", args),
            Self::Noise(args) => ("noise", args),
            Self::Distill(args) => ("distill", args),
        }
    }
}

/// Runs the command.
pub(super) fn run(registry: &Registry, command: &PaperCommand, python: Option<&Path>) -> anyhow::Result<ExitCode> {
    let (name, args) = command.figure();
    let (sweeper, quick) = (Sweeper::new(registry, &args.ways, python)?, args.quick);
    let plans = match command {
        PaperCommand::Addition(_) => addition::plans(quick)?.into(),
        PaperCommand::Arrows(_) => vec![("", arrows::plan(quick)?)],
        PaperCommand::Permuted(_) => vec![("", permuted::plan(quick))],
        PaperCommand::Overlap(_) => vec![("", overlap::plan(quick)?)],
        PaperCommand::Noise(_) => vec![("", noise::plan(quick)?)],
        PaperCommand::Distill(_) => vec![("", distill::plan(quick)?)],
    };
    let Some(paper) = Paper::train(&sweeper, name, &plans, args)? else { return Ok(Exit::Done.into()) };
    paper.finish(|sweeps, out| {
        let sweep = sweeps.first().context("the figure has no sweep")?;
        match command {
            PaperCommand::Addition(_) => addition::write(sweeps, out),
            PaperCommand::Arrows(_) => arrows::write(&sweeper, sweep, out),
            PaperCommand::Permuted(_) => permuted::write(sweep, out),
            PaperCommand::Overlap(_) => overlap::write(&sweeper, sweep, out),
            PaperCommand::Noise(_) => noise::write(&sweeper, sweep, out),
            PaperCommand::Distill(_) => distill::write(&sweeper, quick, sweep, out),
        }
    })
}

/// A plan of the paper's methods.
fn plan_of(experiment: &str, seeds: u64) -> Plan {
    Plan {
        experiment: experiment.into(),
        methods: METHODS.to_vec(),
        seeds,
        first_seed: FIRST_REPORTED_SEED,
        steps_per_task: None,
        set: toml::Table::new(),
        grid: toml::Table::new(),
    }
}

/// A figure whose runs have been trained.
struct Paper<'a> {
    name: &'static str,
    args: &'a PaperArgs,
    /// The figure's folder, and the sweeps in it.
    folder: PathBuf,
    sweeps: Vec<Sweep>,
    /// How the last of them has ended.
    outcome: SweepOutcome,
}

impl<'a> Paper<'a> {
    /// Trains the sweeps that the figure needs; nothing where only a preview is asked for. Where there are several, each has
    /// a folder of its own name in the figure's.
    fn train(
        sweeper: &Sweeper<'_>,
        name: &'static str,
        plans: &[(&str, Plan)],
        args: &'a PaperArgs,
    ) -> anyhow::Result<Option<Self>> {
        if let Some(out) = args.out.as_ref().filter(|out| !args.ways.dry_run && fs::create_dir_all(out).is_err()) {
            // Found now, and not after all has been trained.
            return Err(BadInput(format!("cannot make the folder {}; --out must be one, or new", out.display())).into());
        }
        let folder = args.ways.folder(&format!("paper-{name}{}", if args.quick { "-quick" } else { "" }));
        let (mut sweeps, mut last) = (Vec::new(), None);
        for (part, plan) in plans {
            let own = if part.is_empty() { folder.clone() } else { folder.join(part) };
            let Some((sweep, outcome)) = sweeper.complete(plan, &own)? else { continue };
            sweeps.push(sweep);
            if last.insert(outcome).exit() != Exit::Done {
                break;
            }
        }
        Ok(last.map(|outcome| Self { name, args, folder, sweeps, outcome }))
    }

    /// Writes the figure's files by `write`, which says their names, and the commands behind them.
    fn finish(self, write: impl FnOnce(&[Sweep], &Path) -> anyhow::Result<Vec<PathBuf>>) -> anyhow::Result<ExitCode> {
        if let (Some(sweep), true) = (self.sweeps.last(), self.outcome.exit() != Exit::Done) {
            self.outcome.report(sweep, &self.args.ways)?;
            return Ok(self.outcome.exit().into());
        }
        let out = self.args.out.as_deref().unwrap_or(&self.folder);
        let mut files = write(&self.sweeps, out)?;
        files.push(self.commands(out)?);
        if self.args.ways.output.json {
            print_json(&serde_json::json!({ "folder": self.folder, "files": files }))?;
        } else if !self.args.ways.quiet {
            files.iter().try_for_each(|file| print(&format!("{}\n", file.display())))?;
        }
        Ok(Exit::Done.into())
    }

    /// The commands that make the figure, and each run by itself.
    fn commands(&self, out: &Path) -> anyhow::Result<PathBuf> {
        let path = out.join(format!("{}-commands.txt", self.name));
        let quick = if self.args.quick { " --quick" } else { "" };
        let (runs, name) = (self.folder.parent(), self.folder.file_name());
        let [runs, name] =
            [runs.map(Path::as_os_str), name].map(|part| shell::quoted(Path::new(part.unwrap_or_default())));
        let out = shell::quoted(out);
        let mut text = format!("engram paper {}{quick} --runs {runs} --name {name} --out {out}\n", self.name);
        text.push_str("\n# Each of its runs by itself, for a look at it:\n");
        let paths = |sweep: &'_ Sweep| sweep.runs.iter().map(|entry| sweep.folder.join(&entry.run)).collect::<Vec<_>>();
        for run in self.sweeps.iter().flat_map(paths) {
            let run = shell::quoted(&run);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "engram train {run}/config.toml --run-dir {run}-again");
        }
        snapshot::replace(&path, text.as_bytes()).with_context(|| path.display().to_string())?;
        Ok(path)
    }
}
