//! `engram tune`: a method's strength, chosen on seeds of its own and then tried on fresh ones.

mod found;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    slice,
};

use clap::Args;
use engram_agents::continual::MethodName;
use engram_envs::Registry;

use found::Found;

use super::{
    BadInput, Exit,
    args::{from_one, from_zero},
    complain,
    output::print_json,
    print,
    sweep::{
        Sweeper,
        args::{ExperimentArgs, SweepWays, method},
    },
};
use crate::{
    config::{self, Overrides, Source},
    figure::{self, Comparison},
    sweep::{FIRST_REPORTED_SEED, PLAN, Plan, Sweep, tuning::Edge},
};

/// Arguments of `engram tune`.
#[derive(Debug, Args)]
#[command(after_help = TUNE_HELP)]
pub(super) struct TuneArgs {
    /// What is tuned.
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    /// The method whose lambda is chosen
    #[arg(long, value_name = "NAME", value_parser = method, default_value = "ewc")]
    pub method: MethodName,
    /// The strengths to begin with [default: decades around those in use]
    #[arg(long, value_name = "LAMBDA,LAMBDA", value_delimiter = ',', value_parser = strength)]
    pub strengths: Vec<f64>,
    /// How many seeds it is tuned on; fewer than five tell no strength from the best
    #[arg(long, value_name = "N", value_parser = from_one, allow_negative_numbers = true, default_value = "5")]
    pub seeds: u64,
    /// The first of them; all must lie below 100, where the seeds of results begin
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, default_value = "0")]
    pub first_seed: u64,
    /// How many fresh seeds, from 100 on, the recommended strength is then tried on; 0 for none
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, default_value = "5")]
    pub fresh_seeds: u64,
    /// How it is trained.
    #[command(flatten)]
    pub ways: SweepWays,
}

const TUNE_HELP: &str = "\
It trains every strength on the tuning seeds, goes a decade further where the best is the smallest or the largest, and \
recommends the strength with the highest mean average performance, with its reason: what each strength keeps of old \
games (stability), how well it learns new ones (plasticity), and which strengths these seeds do not tell from the best. \
A score that was chosen for being high is too high: what is worth reporting is what the fresh seeds give, which had no \
part in the choice.

Examples:
  engram tune catch-5 --method ewc
  engram tune my.toml --method l2 --strengths 0.001,0.01,0.1 --seeds 5";

/// How often the strengths are continued by a decade.
const CONTINUATIONS: usize = 2;

/// Runs the command.
pub(super) fn run(registry: &Registry, args: &TuneArgs, python: Option<&Path>) -> anyhow::Result<ExitCode> {
    let tuning = Tuning::new(args)?;
    let sweeper = Sweeper::new(registry, &args.ways, python)?;
    let mut strengths = tuning.strengths()?;
    for continuation in 0..=CONTINUATIONS {
        let plan = tuning.plan(&strengths, args.first_seed, args.seeds);
        let Some((sweep, outcome)) = sweeper.complete(&plan, &tuning.folder(""))? else {
            complain(&tuning.further());
            break;
        };
        if let Exit::Signal(_) = outcome.exit() {
            outcome.report(&sweep, &args.ways)?;
            return Ok(outcome.exit().into());
        }
        let found = Found::read(&sweep, args.method, &tuning.key, &strengths, args.seeds)?;
        // Beyond a strength that broke, there is nothing to look for.
        let further = continuation < CONTINUATIONS && found.broken.is_empty();
        match found.recommendation.at_edge().filter(|_| further) {
            Some(Edge::Smallest) => strengths.insert(0, strengths[0] / 10.0),
            Some(Edge::Largest) => strengths.push(strengths[strengths.len() - 1] * 10.0),
            None => return tuning.finish(&sweeper, &found, &sweep),
        }
    }
    Ok(Exit::Done.into())
}

/// What is tuned.
struct Tuning<'a> {
    args: &'a TuneArgs,
    /// The key of the strength.
    key: String,
}

impl<'a> Tuning<'a> {
    fn new(args: &'a TuneArgs) -> Result<Self, BadInput> {
        let method = args.method.as_str();
        let Some(strength) = args.method.strength() else {
            let others = MethodName::ALL.into_iter().filter(|other| other.strength().is_some()).map(MethodName::as_str);
            let others = others.collect::<Vec<_>>().join(", ");
            return Err(BadInput(format!("{method} has no strength; give --method one of {others}")));
        };
        let last = args.first_seed.saturating_add(args.seeds - 1);
        if last >= FIRST_REPORTED_SEED {
            return Err(BadInput(format!(
                "seed {last} is one of those that results are reported on, from {FIRST_REPORTED_SEED} on: nothing is tuned on \
                 them; give --first-seed and --seeds that stay below"
            )));
        }
        Ok(Self { args, key: format!("method.{method}.{strength}") })
    }

    /// The folder of a sweep; what it is for stands at the end.
    fn folder(&self, end: &str) -> PathBuf {
        let name = format!("{}-{}-tuned", self.args.experiment.short_name(), self.args.method.as_str());
        let name = self.args.ways.name.as_deref().unwrap_or(&name);
        self.args.ways.runs.join(format!("{name}{end}"))
    }

    /// The strengths to begin with, from the smallest on: those given, or decades as they are used, which for importance of
    /// mean 1 lie lower than for the Fisher information as it comes.
    fn strengths(&self) -> anyhow::Result<Vec<f64>> {
        let mut given = self.args.strengths.clone();
        given.sort_by(f64::total_cmp);
        given.dedup();
        if !given.is_empty() {
            return Ok(given);
        }
        let set = self.args.experiment.set.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let source = Source::from(self.args.experiment.experiment.as_str());
        let fisher = config::load(&source, &Overrides { set, ..Overrides::default() })?.method.fisher;
        Ok(match self.args.method {
            MethodName::L2 => vec![0.001, 0.01, 0.1, 1.0],
            _ if fisher.is_normalized() => vec![0.001, 0.01, 0.1, 1.0, 10.0],
            _ => vec![0.01, 0.1, 1.0, 10.0, 100.0],
        })
    }

    /// Those strengths, and for comparison no protection at all.
    fn plan(&self, strengths: &[f64], first_seed: u64, seeds: u64) -> Plan {
        let strengths: Vec<toml::Value> = strengths.iter().map(|strength| (*strength).into()).collect();
        let grid = [(self.key.clone(), strengths.into())].into_iter().collect();
        self.args.experiment.plan(vec![MethodName::FineTune, self.args.method], first_seed, seeds, grid)
    }

    /// What may come after the first strengths, in words.
    fn further(&self) -> String {
        let (seeds, fresh) = (self.args.seeds, 2 * self.args.fresh_seeds);
        format!("then up to {CONTINUATIONS} further strengths, {seeds} runs each, and {fresh} runs on fresh seeds")
    }

    /// Draws what was found and reports it, with what the recommended strength gets on fresh seeds.
    fn finish(&self, sweeper: &Sweeper<'_>, found: &Found, sweep: &Sweep) -> anyhow::Result<ExitCode> {
        let files = match figure::stability_plasticity(&found.comparison)? {
            Some(figure) => figure.write(&sweep.folder, "stability-plasticity")?,
            // A single task leaves nothing to keep.
            None => Vec::new(),
        };
        let (fresh, exit) = self.fresh(sweeper, found.best())?;
        if self.args.ways.output.json {
            print_json(&found.document(&files, fresh.as_ref()))?;
        } else if !self.args.ways.quiet {
            print(&found.text(&files, fresh.as_ref()))?;
            if exit != Exit::Done {
                print("the runs on fresh seeds are not all at their end: the same command again goes on with them\n")?;
            }
        }
        Ok(exit.into())
    }

    /// The recommended strength, and no protection, on seeds that had no part in choosing it; nothing if there are none, or if
    /// they are not all at their end.
    fn fresh(&self, sweeper: &Sweeper<'_>, best: f64) -> anyhow::Result<(Option<Comparison>, Exit)> {
        if self.args.fresh_seeds == 0 {
            return Ok((None, Exit::Done));
        }
        let folder = self.folder("-fresh");
        let plan = self.plan(&[best], FIRST_REPORTED_SEED, self.args.fresh_seeds);
        let earlier = Sweep::read_plan(&folder.join(PLAN));
        if earlier.is_ok_and(|earlier| earlier.grid != plan.grid) {
            complain(
                "warning: another strength was tried on these fresh seeds before: to choose between the two by what these \
                 seeds say is to tune on them",
            );
        }
        let Some((sweep, outcome)) = sweeper.complete(&plan, &folder)? else { return Ok((None, Exit::Done)) };
        Ok(match outcome.exit() {
            Exit::Done => (Some(Comparison::read(slice::from_ref(&sweep.folder))?), Exit::Done),
            exit => (None, exit),
        })
    }
}

fn strength(text: &str) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "it must be a number above 0".into())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: TuneArgs,
    }

    fn args(arguments: &[&str]) -> TuneArgs {
        Line::parse_from([&["tune"], arguments].concat()).args
    }

    #[test]
    fn nothing_is_tuned_on_seeds_of_results() {
        let refused = |arguments: &[&str]| Tuning::new(&args(arguments)).err().map(|error| error.to_string());
        assert_eq!(refused(&["catch-3", "--first-seed=95"]), None);
        let error = refused(&["catch-3", "--first-seed=96"]).unwrap();
        assert!(error.starts_with("seed 100 is one of those that results are reported on"), "{error}");
        assert!(refused(&["catch-3", "--method=fine-tune"]).unwrap().contains("has no strength"));
    }

    #[test]
    fn strengths_begin_where_the_importance_has_its_scale() {
        let strengths = |arguments: &[&str]| Tuning::new(&args(arguments)).unwrap().strengths().unwrap();
        assert_eq!(strengths(&["catch-3"]), [0.01, 0.1, 1.0, 10.0, 100.0]);
        assert_eq!(strengths(&["catch-3", "--set=method.fisher.likelihood=softmax"])[0], 0.001);
        assert_eq!(strengths(&["catch-3", "--method=l2"])[3], 1.0);
        assert_eq!(strengths(&["catch-3", "--strengths=3,1,3"]), [1.0, 3.0]);
    }
}
