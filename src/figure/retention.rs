//! Forgetting curves: how the score on a task goes on once its training has ended.

use std::collections::BTreeMap;

use super::colors::colors;
use super::curves::{RESAMPLES, legend, seeds};
use super::header::Header;
use super::line_chart::LineChart;
use super::panel::{Line, Point, score_axis, thousands};
use super::{Comparison, Group, Run};
use crate::statistics::{Bootstrap, CONFIDENCE, mean};

/// Lays out the mean score on tasks by the steps since their training ended; None if no task is ever left.
pub fn chart(comparison: &Comparison) -> Option<LineChart> {
    let colors = colors(comparison.groups.iter().map(|group| group.method.as_str()));
    let lines: Vec<Line> =
        comparison.groups.iter().zip(colors).map(|(group, color)| Line { color, points: points(group) }).collect();
    lines.iter().any(|line| line.points.len() > 1).then(|| LineChart {
        header: Header {
            title: format!("{}: score on a task after its training has ended", comparison.preset),
            subtitle: format!("{}.", seeds(comparison)),
            legend: legend(comparison),
        },
        x_names: Vec::new(),
        x_label: "environment steps since the task was left (thousands)",
        y_label: "score, mean over tasks left so long",
        y: score_axis(lines.iter()),
        lines,
    })
}

fn points(group: &Group) -> Vec<Point> {
    let curves: Vec<BTreeMap<u64, f64>> = group.runs.iter().map(retention).collect();
    let Some(first) = curves.first() else { return Vec::new() };
    let distances: Vec<u64> = first.keys().copied().collect();
    let scores: Vec<f64> = curves.iter().flat_map(|curve| curve.values()).copied().collect();
    let bootstrap = Bootstrap::new(curves.len(), RESAMPLES, 0);
    let intervals = bootstrap.mean_intervals(&scores, distances.len(), CONFIDENCE);
    let point = |(index, (distance, interval))| {
        let column: Vec<f64> = scores.iter().copied().skip(index).step_by(distances.len()).collect();
        Point { x: thousands(distance), y: mean(&column), band: (curves.len() > 1).then_some(interval) }
    };
    let points = distances.iter().copied().zip(intervals).enumerate().map(point);
    points.filter(|point| point.y.is_finite()).collect()
}

/// The mean score of a run by steps since a task was left, in whole evaluation periods.
fn retention(run: &Run) -> BTreeMap<u64, f64> {
    let steps = run.evaluations.array_windows().map(|[one, other]| other.step - one.step);
    let period = steps.filter(|&steps| steps > 0).min().unwrap_or(1);
    let mut scores: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    let rows = &run.matrix.rows;
    // The task of the last phase is not left.
    for (index, row) in rows.iter().enumerate().take(rows.len().saturating_sub(1)) {
        // What a joint phase trains is never left.
        let Some(left) = row.trained.and_then(|trained| trained.task) else { continue };
        let again = rows[index + 1..].iter().position(|later| later.trained.is_some_and(|at| at.is(left)));
        if again == Some(0) {
            continue;
        }
        // The phase that trains it again begins where the row before ends.
        let until = again.map_or(u64::MAX, |offset| rows[index + offset].step);
        for at in run.evaluations.iter().filter(|at| (row.step..=until).contains(&at.step)) {
            // Phases need not be whole periods long.
            let periods = (at.step - row.step + period / 2) / period;
            scores.entry(periods * period).or_default().push(at.normalized[left]);
        }
    }
    scores.into_iter().map(|(distance, scores)| (distance, mean(&scores))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Evaluation;
    use super::super::runs::tests::run;
    use super::*;
    use crate::metrics::{Row, Trained};

    /// A run of phases of two evaluation periods each, in which task `t` has the score `10 t + i` at evaluation `i`.
    fn schedule(phases: &[usize]) -> Run {
        let scores = |index: usize| [0, 1, 2].map(|task| (10 * task + index) as f64).to_vec();
        let row = |index: usize| Row {
            step: 200 * index as u64,
            trained: index.checked_sub(1).map(|phase| Trained { phase, task: Some(phases[phase]) }),
            returns: scores(2 * index),
            normalized: scores(2 * index),
        };
        let evaluation = |index: usize| Evaluation {
            step: 100 * index as u64,
            phase: index.saturating_sub(1) / 2,
            returns: scores(index),
            normalized: scores(index),
        };
        let mut run = run("ewc", 0, [[0.0; 2]; 3]);
        run.matrix.rows = (0..=phases.len()).map(row).collect();
        run.evaluations = (0..=2 * phases.len()).map(evaluation).collect();
        run
    }

    fn points(phases: &[usize]) -> Vec<(u64, f64)> {
        retention(&schedule(phases)).into_iter().collect()
    }

    #[test]
    fn tasks_count_from_their_last_evaluation_in_training() {
        // Task 0 is left at evaluation 2, task 1 at 4, and the run ends at 6.
        let expected =
            [(0, [2.0, 14.0]), (100, [3.0, 15.0]), (200, [4.0, 16.0])].map(|(at, scores)| (at, mean(&scores)));
        assert_eq!(points(&[0, 1, 2]), [&expected[..], &[(300, 5.0), (400, 6.0)]].concat());
    }

    #[test]
    fn a_task_that_returns_is_left_again() {
        // Task 0 is away from evaluation 2 to 4, task 1 from 4 to the end at 6.
        let expected =
            [(0, [2.0, 14.0]), (100, [3.0, 15.0]), (200, [4.0, 16.0])].map(|(at, scores)| (at, mean(&scores)));
        assert_eq!(points(&[0, 1, 0]), expected);
        assert_eq!(points(&[0, 0]), [], "two phases in a row are no absence");
        assert_eq!(points(&[0]), []);
    }
}
