//! The table behind a figure: what each method ends with, learns and forgets.

use std::fmt::Write;

use super::runs::{Comparison, Run};
use crate::metrics::PerformanceMatrix;
use crate::statistics::{Bootstrap, CONFIDENCE, RESAMPLES, mean};

/// The normalised scores of one run in four numbers. None where there is nothing to average.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Mean over all tasks of the last row of the performance matrix.
    pub last: Option<f64>,
    /// Mean over tasks of the score right after the task's last phase.
    pub learning: Option<f64>,
    /// Mean over the tasks not trained in the last phase of (maximum over earlier rows - last row).
    pub forgetting: Option<f64>,
    /// Mean of the last row over the tasks not trained in the last phase.
    pub old_tasks: Option<f64>,
}

impl Summary {
    /// Sums up a performance matrix `R[row][task]`.
    pub fn new(matrix: &PerformanceMatrix) -> Self {
        let Some((last, earlier)) = matrix.rows.split_last() else { return Self::default() };
        let tasks = 0..last.normalized.len();
        let old = tasks.clone().filter(|&task| last.trained.is_none_or(|trained| trained.task != task));
        let learned = |task: usize| {
            let row = matrix.rows.iter().rfind(|row| row.trained.is_some_and(|trained| trained.task == task))?;
            row.normalized.get(task).copied()
        };
        let best = |task: usize| earlier.iter().filter_map(|row| row.normalized.get(task).copied()).reduce(f64::max);
        Self {
            last: average(last.normalized.iter().copied()),
            learning: average(tasks.filter_map(learned)),
            forgetting: average(old.clone().filter_map(|task| Some(best(task)? - last.normalized[task]))),
            old_tasks: average(old.map(|task| last.normalized[task])),
        }
    }
}

fn average(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| mean(&values))
}

impl Comparison {
    /// A Markdown table, a line a method: number of runs, and the mean of each part of [`Summary`] over runs with its
    /// 95 % bootstrap interval over whole runs.
    pub fn table(&self) -> String {
        let mut table =
            String::from("| method | runs | final | learning | forgetting | old tasks |\n|---|---:|---|---|---|---|\n");
        for group in &self.groups {
            let bootstrap = Bootstrap::new(group.runs.len(), RESAMPLES, 0);
            let cell = |part: fn(&Summary) -> Option<f64>| cell(&group.runs, part, &bootstrap);
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} |",
                group.method,
                group.runs.len(),
                cell(|summary| summary.last),
                cell(|summary| summary.learning),
                cell(|summary| summary.forgetting),
                cell(|summary| summary.old_tasks),
            );
        }
        table
    }
}

fn cell(runs: &[Run], part: fn(&Summary) -> Option<f64>, bootstrap: &Bootstrap) -> String {
    let values: Option<Vec<f64>> = runs.iter().map(|run| part(&Summary::new(&run.matrix))).collect();
    match values {
        None => "n/a".into(),
        Some(values) if values.len() == 1 => number(values[0]),
        Some(values) => {
            let interval = bootstrap.mean_interval(&values, CONFIDENCE);
            format!("{} [{}, {}]", number(mean(&values)), number(interval.low), number(interval.high))
        }
    }
}

/// Two decimals, without the sign of a zero.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    if text == "-0.00" { "0.00".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::run;
    use super::*;

    #[test]
    fn a_summary_by_hand() {
        let run = run("ewc", 1, [[0.0, 0.25], [1.0, 0.5], [0.75, 0.875]]);
        let expected = Summary {
            last: Some((0.75 + 0.875) / 2.0),
            learning: Some((1.0 + 0.875) / 2.0),
            forgetting: Some(0.25),
            old_tasks: Some(0.75),
        };
        assert_eq!(Summary::new(&run.matrix), expected);
        assert_eq!(Summary::new(&PerformanceMatrix::default()), Summary::default());
    }

    #[test]
    fn a_task_that_recurs_was_learned_in_its_last_phase() {
        let mut run = run("ewc", 1, [[0.0, 0.0], [0.5, 0.0], [1.0, 0.25]]);
        run.matrix.rows[2].trained = run.matrix.rows[1].trained;
        let summary = Summary::new(&run.matrix);
        assert_eq!((summary.learning, summary.old_tasks), (Some(1.0), Some(0.25)));
        assert_eq!(summary.forgetting, Some(-0.25));
    }

    #[test]
    fn the_table_has_intervals_where_there_are_several_runs() {
        let scores = |old: f64| [[0.0, 0.0], [1.0, 0.0], [old, 1.0]];
        let runs = vec![run("ewc", 1, scores(0.5)), run("ewc", 2, scores(1.0)), run("l2", 1, scores(1.001))];
        let table = Comparison::new(runs).unwrap().table();
        let lines: Vec<_> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| l2 | 1 | 1.00 | 1.00 | 0.00 | 1.00 |",
                "| ewc | 2 | 0.88 [0.75, 1.00] | 1.00 [1.00, 1.00] | 0.25 [0.00, 0.50] | 0.75 [0.50, 1.00] |",
            ]
        );
    }

    #[test]
    fn one_task_has_nothing_to_forget() {
        let mut single = run("ewc", 1, [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]);
        single.matrix.rows.iter_mut().for_each(|row| row.normalized.truncate(1));
        single.matrix.rows.truncate(2);
        assert!(Comparison::new(vec![single]).unwrap().table().contains("| ewc | 1 | 1.00 | 1.00 | n/a | n/a |"));
    }
}
