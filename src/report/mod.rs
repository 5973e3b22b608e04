//! A report on a set of runs: what `engram report` prints, and the page, tables and figures that it writes.
//!
//! `summary.rs` has all numbers, `tables.rs` says which of them stand together; the other files write that down, each in
//! one format. The same runs give the same bytes.

mod commands;
mod csv;
mod html;
mod inline_svg;
mod json;
mod markdown;
mod notes;
mod overview;
mod pictures;
mod summary;
pub mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use crate::figure::{Comparison, FigureError, Group, learning_curve};
use crate::statistics::{Estimate, Resampling, Scores, improvement, profile};
use crate::{parallel, snapshot};

pub use summary::{MEASURES, Measure, Summary};

/// Resamples of the probabilities of improvement and of the profiles, as rliable takes: there are many of them.
pub const PAIR_RESAMPLES: usize = 2_000;

/// Groups beyond which no probabilities of improvement are worked out: that would be hundreds of pairs.
const MOST_COMPARED: usize = 24;

/// Thresholds of a performance profile.
const THRESHOLDS: usize = 101;

/// All numbers of a report.
pub struct Report<'a> {
    /// The runs.
    pub comparison: &'a Comparison,
    /// How intervals over runs and tasks are drawn.
    pub resampling: Resampling,
    /// One a group, in its order.
    pub summaries: Vec<Summary>,
    /// Of every group over every other one; empty for a single group, and for more than 24.
    pub pairs: Vec<Pair>,
    /// The thresholds of the profiles.
    pub thresholds: Vec<f64>,
    /// The performance profile of each group.
    pub profiles: Vec<Vec<Estimate>>,
}

/// The probability that a run of one group has a higher final score on a task than a run of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index of the group that may be better.
    pub group: usize,
    /// Index of the group that it is compared with.
    pub over: usize,
    /// The probability; it and that of the reverse add up to 1.
    pub probability: Estimate,
}

impl<'a> Report<'a> {
    /// Works out everything but the figures.
    pub fn new(comparison: &'a Comparison, resampling: Resampling) -> Self {
        let groups = &comparison.groups;
        let summaries = parallel::map(groups, |group| Summary::new(group, resampling));
        let scores: Vec<Scores> = groups.iter().map(summary::final_scores).collect();
        let compared = if (2..=MOST_COMPARED).contains(&groups.len()) { groups.len() } else { 0 };
        let ordered = (0..compared).flat_map(|over| (over + 1..compared).map(move |group| (group, over)));
        let pairs = parallel::map(&ordered.collect::<Vec<_>>(), |&(group, over)| {
            let probability = improvement(&scores[group], &scores[over], resampling, PAIR_RESAMPLES);
            Pair { group, over, probability }
        });
        let thresholds = thresholds(groups);
        let profiles = parallel::map(&scores, |scores| profile(scores, &thresholds, resampling, PAIR_RESAMPLES));
        let pairs = pairs.into_iter().flat_map(|pair| [pair, pair.reverse()]).collect();
        Self { comparison, resampling, summaries, pairs, thresholds, profiles }
    }

    /// Writes the page, the tables and the figures into the folder `out`, which is made if it is missing, and returns
    /// their paths. `given` is what names the runs on the command line.
    pub fn write(&self, out: &Path, given: &[PathBuf]) -> Result<Vec<PathBuf>, FigureError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| FigureError::Write { path, cause }
        };
        fs::create_dir_all(out).map_err(failed(out))?;
        let curves = parallel::map(&self.comparison.groups, learning_curve);
        let pictures = pictures::draw(self, &curves)?;
        let commands = commands::commands(self, given);
        let config = self.example_config()?;
        let mut files: Vec<(String, Vec<u8>)> = vec![
            ("report.html".into(), html::page(self, &pictures, &commands, &config).into_bytes()),
            ("report.md".into(), markdown::page(self, &pictures, &commands).into_bytes()),
            ("summary.csv".into(), csv::summary(self)),
            ("tasks.csv".into(), csv::tasks(self)),
            ("curves.csv".into(), csv::curves(self, &curves)),
            ("pairs.csv".into(), csv::pairs(self)),
            ("profiles.csv".into(), csv::profiles(self)),
        ];
        for picture in pictures {
            files.push((format!("{}.svg", picture.name), picture.figure.svg.into_bytes()));
            files.push((format!("{}.png", picture.name), picture.figure.png.bytes));
        }
        let mut written = Vec::with_capacity(files.len());
        for (name, bytes) in files {
            let path = out.join(name);
            snapshot::replace(&path, &bytes).map_err(failed(&path))?;
            written.push(path);
        }
        Ok(written)
    }

    /// The numbers as JSON.
    pub fn json(&self) -> String {
        json::text(self)
    }

    /// The index, the runs and the numbers of each group.
    pub fn groups(&self) -> impl Iterator<Item = (usize, &Group, &Summary)> {
        let groups = self.comparison.groups.iter().zip(&self.summaries).enumerate();
        groups.map(|(index, (group, summary))| (index, group, summary))
    }

    /// How many runs there are in all groups.
    pub fn runs(&self) -> usize {
        self.comparison.groups.iter().map(|group| group.runs.len()).sum()
    }

    fn example_config(&self) -> Result<String, FigureError> {
        let Some(run) = self.comparison.example() else { return Ok(String::new()) };
        let path = run.path.join("config.toml");
        fs::read_to_string(&path).map_err(|cause| FigureError::Read { path, cause })
    }
}

impl Pair {
    /// The other group over the one: `P(Y > X) = 1 - P(X > Y)`, since ties count half.
    fn reverse(self) -> Self {
        let Estimate { value, interval } = self.probability;
        let interval = crate::statistics::Interval { low: 1.0 - interval.high, high: 1.0 - interval.low };
        Self { group: self.over, over: self.group, probability: Estimate { value: 1.0 - value, interval } }
    }
}

/// Checks that a report can be written to `out`, so that a typing error is found before any run is read.
pub fn check_output(out: &Path) -> Result<(), FigureError> {
    if out.exists() && !out.is_dir() { Err(FigureError::NoFolder { path: out.to_owned() }) } else { Ok(()) }
}

/// Evenly spaced thresholds from the lowest final score, or 0, to the highest, or 1.
fn thresholds(groups: &[Group]) -> Vec<f64> {
    let rows = groups.iter().flat_map(|group| &group.runs).filter_map(|run| run.matrix.rows.last());
    let scores = rows.flat_map(|row| &row.normalized).copied().filter(|score| score.is_finite());
    let (low, high) = scores.fold((0.0, 1.0), |(low, high): (f64, f64), score| (low.min(score), high.max(score)));
    (0..THRESHOLDS).map(|index| low + (high - low) * index as f64 / (THRESHOLDS - 1) as f64).collect()
}
