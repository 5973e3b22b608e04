//! The numbers of a report as one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;

use super::summary::{Aggregates, Averages, TaskScores};
use super::{MEASURES, PAIR_RESAMPLES, Pair, Report, Summary};
use crate::figure::{Group, Run, Unfinished};
use crate::statistics::{Bootstrap, CONFIDENCE, Estimate, RESAMPLES, Resampling};

#[derive(Serialize)]
struct Document<'a> {
    preset: &'a str,
    tasks: &'a [String],
    intervals: &'static str,
    confidence: f64,
    groups: Vec<GroupRecord<'a>>,
    pairs: Vec<PairRecord<'a>>,
    profiles: Profiles<'a>,
    unfinished: Vec<UnfinishedRecord<'a>>,
}

#[derive(Serialize)]
struct GroupRecord<'a> {
    label: &'a str,
    method: &'a str,
    resamples: usize,
    /// Of the final scores of all runs and tasks.
    scores: BTreeMap<&'static str, Number>,
    /// Over runs, the mean and the interquartile mean of each metric.
    metrics: BTreeMap<&'static str, Option<BTreeMap<&'static str, Number>>>,
    tasks: Vec<TaskRecord<'a>>,
    runs: Vec<RunRecord>,
}

#[derive(Serialize)]
struct TaskRecord<'a> {
    env: &'a str,
    learned: Option<Number>,
    r#final: Option<Number>,
}

#[derive(Serialize)]
struct RunRecord {
    run: String,
    seed: u64,
    metrics: BTreeMap<&'static str, Option<f64>>,
}

#[derive(Serialize)]
struct PairRecord<'a> {
    group: &'a str,
    over: &'a str,
    resamples: usize,
    probability: Number,
}

#[derive(Serialize)]
struct Profiles<'a> {
    thresholds: &'a [f64],
    groups: Vec<ProfileRecord<'a>>,
}

#[derive(Serialize)]
struct ProfileRecord<'a> {
    label: &'a str,
    resamples: usize,
    share_above: Vec<Number>,
}

#[derive(Serialize)]
struct UnfinishedRecord<'a> {
    run: String,
    state: &'a str,
}

/// A value and the ends of its interval; what is no number is null.
#[derive(Serialize)]
struct Number {
    value: f64,
    low: f64,
    high: f64,
}

impl From<Estimate> for Number {
    fn from(Estimate { value, interval }: Estimate) -> Self {
        Self { value, low: interval.low, high: interval.high }
    }
}

/// The name of a way to resample, as the command line takes it.
pub fn name(resampling: Resampling) -> &'static str {
    match resampling {
        Resampling::WholeRuns => "whole-run",
        Resampling::Stratified => "stratified",
    }
}

/// The whole object, indented.
pub fn text(report: &Report) -> String {
    let comparison = report.comparison;
    let profiles = comparison.groups.iter().zip(&report.profiles);
    let document = Document {
        preset: &comparison.preset,
        tasks: &comparison.envs,
        intervals: name(report.resampling),
        confidence: CONFIDENCE,
        groups: report.groups().map(|(_, group, summary)| GroupRecord::new(group, summary)).collect(),
        pairs: report.pairs.iter().map(|pair| PairRecord::new(pair, &comparison.groups)).collect(),
        profiles: Profiles {
            thresholds: &report.thresholds,
            groups: profiles.map(|(group, profile)| ProfileRecord::new(group, profile)).collect(),
        },
        unfinished: comparison.unfinished.iter().map(UnfinishedRecord::from).collect(),
    };
    // Plain data with text keys: it cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn resamples(group: &Group, most: usize) -> usize {
    Bootstrap::new(group.runs.len(), most, 0).resamples()
}

impl<'a> GroupRecord<'a> {
    fn new(group: &'a Group, summary: &Summary) -> Self {
        let Aggregates { mean, median, interquartile_mean, optimality_gap } = summary.scores;
        let both =
            |averages: Averages| [("mean", averages.mean.into()), ("iqm", averages.interquartile_mean.into())].into();
        let metrics = MEASURES.iter().zip(summary.measures);
        let envs = group.runs.first().map_or(&[][..], |run| &run.envs);
        Self {
            label: &group.label,
            method: &group.method,
            resamples: resamples(group, RESAMPLES),
            scores: [
                ("mean", mean.into()),
                ("median", median.into()),
                ("iqm", interquartile_mean.into()),
                ("optimality_gap", optimality_gap.into()),
            ]
            .into(),
            metrics: metrics.map(|(measure, averages)| (measure.key, averages.map(both))).collect(),
            tasks: summary.tasks.iter().zip(envs).map(TaskRecord::from).collect(),
            runs: group.runs.iter().zip(&summary.values).map(RunRecord::from).collect(),
        }
    }
}

impl<'a> From<(&TaskScores, &'a String)> for TaskRecord<'a> {
    fn from((scores, env): (&TaskScores, &'a String)) -> Self {
        Self { env, learned: scores.learned.map(Number::from), r#final: scores.last.map(Number::from) }
    }
}

impl From<(&Run, &[Option<f64>; MEASURES.len()])> for RunRecord {
    fn from((run, values): (&Run, &[Option<f64>; MEASURES.len()])) -> Self {
        let metrics = MEASURES.iter().map(|measure| measure.key).zip(*values).collect();
        Self { run: run.path.display().to_string(), seed: run.seed, metrics }
    }
}

impl<'a> PairRecord<'a> {
    fn new(pair: &Pair, groups: &'a [Group]) -> Self {
        let [group, over] = [pair.group, pair.over].map(|index| &groups[index]);
        Self {
            group: &group.label,
            over: &over.label,
            resamples: resamples(group, PAIR_RESAMPLES).min(resamples(over, PAIR_RESAMPLES)),
            probability: pair.probability.into(),
        }
    }
}

impl<'a> ProfileRecord<'a> {
    fn new(group: &'a Group, profile: &[Estimate]) -> Self {
        Self {
            label: &group.label,
            resamples: resamples(group, PAIR_RESAMPLES),
            share_above: profile.iter().copied().map(Number::from).collect(),
        }
    }
}

impl<'a> From<&'a Unfinished> for UnfinishedRecord<'a> {
    fn from(left_out: &'a Unfinished) -> Self {
        Self { run: left_out.path.display().to_string(), state: &left_out.state }
    }
}
