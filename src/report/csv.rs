//! The numbers of a report as CSV files: a header, then a line a number, floats in the shortest form that reads back.

use super::{MEASURES, Report};
use crate::figure::Group;
use crate::statistics::Estimate;

/// A value and the ends of its interval.
fn numbers(Estimate { value, interval }: Estimate) -> [String; 3] {
    [value, interval.low, interval.high].map(|number| format!("{number:?}"))
}

fn file(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let lines = std::iter::once(header.iter().map(|&name| name.to_owned()).collect()).chain(rows);
    for line in lines {
        // Writing to memory cannot fail, and every line has as many fields as the header.
        let _ = writer.write_record(line);
    }
    writer.into_inner().unwrap_or_default()
}

fn line(group: &Group, words: &[&str], estimate: Estimate) -> Vec<String> {
    let runs = group.runs.len().to_string();
    let words = [group.label.as_str(), &group.method, &runs].into_iter().chain(words.iter().copied());
    words.map(str::to_owned).chain(numbers(estimate)).collect()
}

/// Aggregates of the final scores over runs and tasks (`scores`), and averages over runs of each metric.
pub fn summary(report: &Report) -> Vec<u8> {
    let rows = report.groups().flat_map(|(_, group, summary)| {
        let scores = &summary.scores;
        let of_scores = [
            ("mean", scores.mean),
            ("median", scores.median),
            ("iqm", scores.interquartile_mean),
            ("optimality_gap", scores.optimality_gap),
        ];
        let of_scores = of_scores.map(|(statistic, estimate)| line(group, &["scores", statistic], estimate));
        let of_runs = MEASURES.iter().zip(summary.measures).filter_map(|(measure, averages)| {
            let averages = averages?;
            let both = [("mean", averages.mean), ("iqm", averages.interquartile_mean)];
            Some(both.map(|(statistic, estimate)| line(group, &[measure.key, statistic], estimate)))
        });
        of_scores.into_iter().chain(of_runs.flatten()).collect::<Vec<_>>()
    });
    file(&["group", "method", "runs", "metric", "statistic", "value", "low", "high"], rows)
}

/// The mean score on each task at the end (`final`) and right after its last training (`learned`).
pub fn tasks(report: &Report) -> Vec<u8> {
    let rows = report.groups().flat_map(|(_, group, summary)| {
        let tasks = summary.tasks.iter().zip(&report.comparison.envs).enumerate();
        let lines = tasks.flat_map(|(task, (scores, env))| {
            let moments = [("learned", scores.learned), ("final", scores.last)];
            moments.map(|(moment, estimate)| Some(line(group, &[&task.to_string(), env, moment], estimate?)))
        });
        lines.flatten().collect::<Vec<_>>()
    });
    file(&["group", "method", "runs", "task", "env", "moment", "mean", "low", "high"], rows)
}

/// The learning curves.
pub fn curves(report: &Report, curves: &[Vec<Vec<Estimate>>]) -> Vec<u8> {
    let rows = report.comparison.groups.iter().zip(curves).flat_map(|(group, curve)| {
        let moments = group.runs[0].evaluations.iter().zip(curve);
        moments.flat_map(move |(at, estimates)| {
            let tasks = estimates.iter().zip(&report.comparison.envs).enumerate();
            let line = move |(task, (estimate, env)): (usize, (&Estimate, &String))| {
                let [step, phase, task] = [at.step, at.phase as u64, task as u64].map(|number| number.to_string());
                line(group, &[&step, &phase, &task, env], *estimate)
            };
            tasks.map(line)
        })
    });
    file(&["group", "method", "runs", "step", "phase", "task", "env", "mean", "low", "high"], rows)
}

/// The probabilities of improvement.
pub fn pairs(report: &Report) -> Vec<u8> {
    let label = |index: usize| report.comparison.groups[index].label.clone();
    let rows = report
        .pairs
        .iter()
        .map(|pair| [label(pair.group), label(pair.over)].into_iter().chain(numbers(pair.probability)).collect());
    file(&["group", "over", "probability", "low", "high"], rows)
}

/// The performance profiles.
pub fn profiles(report: &Report) -> Vec<u8> {
    let rows = report.comparison.groups.iter().zip(&report.profiles).flat_map(|(group, profile)| {
        let points = report.thresholds.iter().zip(profile);
        points.map(move |(threshold, estimate)| line(group, &[&format!("{threshold:?}")], *estimate))
    });
    file(&["group", "method", "runs", "threshold", "share_above", "low", "high"], rows)
}
