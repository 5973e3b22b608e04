//! What `engram fisher` can be asked.

use std::path::PathBuf;

use clap::Args;

use crate::cli::{args::from_zero, output::Output};

/// Arguments of `engram fisher`.
#[derive(Debug, Args)]
#[command(after_help = FISHER_HELP)]
pub struct FisherArgs {
    /// The directory of a run whose method weighs parameters, such as ewc
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// How many of the greatest weights of each phase are listed
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, default_value = "10")]
    pub top: u64,
    /// Also plays with noise on the parameters: of covariance (F + cI)^-1, uniform, and in the null space of F alone, all of
    /// the same length
    #[arg(long)]
    pub noise: bool,
    /// How often each noise is drawn
    #[arg(long, value_name = "N", value_parser = draws, allow_negative_numbers = true, requires = "noise", default_value = "20")]
    pub draws: u64,
    /// c as a share of the mean importance
    #[arg(long, value_name = "X", value_parser = damping, allow_negative_numbers = true, requires = "noise", default_value_t = DAMPING)]
    pub damping: f64,
    /// Draws the overlap by layer, and with --noise the scores under noise, into this file, an SVG or a PNG
    #[arg(long, value_name = "FILE.svg|png")]
    pub figure: Option<PathBuf>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: Output,
}

/// `c` of the noise test, as a share of the mean importance.
pub const DAMPING: f64 = 0.01;

/// More draws than these tell no more.
const MOST_DRAWS: u64 = 10_000;

const FISHER_HELP: &str = "\
It prints the Fisher overlap of every two phases, layer by layer (1: they count on the same weights in the same proportions, 0: on \
none in common), and the weights that count most. docs/fisher.md has the equations.

Examples:
  engram fisher runs/RUN
  engram fisher runs/RUN --top 3 --noise --figure fisher.svg
  engram fisher runs/RUN --json | jq '.overlaps[] | [.phases, .all]'";

fn draws(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_DRAWS).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from 1 to {MOST_DRAWS}"))
}

fn damping(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "it must be a number greater than 0".into())
}
