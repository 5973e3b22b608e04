//! The numbers of a report as one JSON object.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{MEASURES, PAIR_RESAMPLES, Report};
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
    let groups = &comparison.groups;
    let document = Document {
        preset: &comparison.preset,
        tasks: &comparison.envs,
        intervals: name(report.resampling),
        confidence: CONFIDENCE,
        groups: report.groups().map(|(_, group, summary)| group_record(group, summary, &comparison.envs)).collect(),
        pairs: report
            .pairs
            .iter()
            .map(|pair| PairRecord {
                group: &groups[pair.group].label,
                over: &groups[pair.over].label,
                resamples: [pair.group, pair.over]
                    .map(|index| Bootstrap::new(groups[index].runs.len(), PAIR_RESAMPLES, 0).resamples())
                    .into_iter()
                    .min()
                    .unwrap_or_default(),
                probability: pair.probability.into(),
            })
            .collect(),
        profiles: Profiles {
            thresholds: &report.thresholds,
            groups: groups
                .iter()
                .zip(&report.profiles)
                .map(|(group, profile)| ProfileRecord {
                    label: &group.label,
                    resamples: Bootstrap::new(group.runs.len(), PAIR_RESAMPLES, 0).resamples(),
                    share_above: profile.iter().copied().map(Number::from).collect(),
                })
                .collect(),
        },
        unfinished: comparison
            .unfinished
            .iter()
            .map(|left_out| UnfinishedRecord { run: left_out.path.display().to_string(), state: &left_out.state })
            .collect(),
    };
    // Plain data with text keys: it cannot fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn group_record<'a>(group: &'a crate::figure::Group, summary: &super::Summary, envs: &'a [String]) -> GroupRecord<'a> {
    let scores = &summary.scores;
    let tasks = summary.tasks.iter().zip(envs);
    GroupRecord {
        label: &group.label,
        method: &group.method,
        resamples: Bootstrap::new(group.runs.len(), RESAMPLES, 0).resamples(),
        scores: BTreeMap::from([
            ("mean", scores.mean.into()),
            ("median", scores.median.into()),
            ("iqm", scores.interquartile_mean.into()),
            ("optimality_gap", scores.optimality_gap.into()),
        ]),
        metrics: MEASURES
            .iter()
            .zip(summary.measures)
            .map(|(measure, averages)| {
                let both = averages.map(|averages| {
                    BTreeMap::from([("mean", averages.mean.into()), ("iqm", averages.interquartile_mean.into())])
                });
                (measure.key, both)
            })
            .collect(),
        tasks: tasks
            .map(|(scores, env)| TaskRecord {
                env,
                learned: scores.learned.map(Number::from),
                r#final: scores.last.map(Number::from),
            })
            .collect(),
        runs: group
            .runs
            .iter()
            .zip(&summary.values)
            .map(|(run, values)| RunRecord {
                run: run.path.display().to_string(),
                seed: run.seed,
                metrics: MEASURES.iter().map(|measure| measure.key).zip(*values).collect(),
            })
            .collect(),
    }
}
