//! The table behind a figure: what each method ends with, learns and forgets.

use std::fmt::Write;

use super::Comparison;
use super::two_decimals;
use crate::metrics::{Metrics, PerformanceMatrix};
use crate::statistics::{Bootstrap, CONFIDENCE, RESAMPLES, mean};

/// The mean of the last row over the tasks that were trained, but not in the last phase; None where there are none.
///
/// It is what is left of the past, apart from how well the last task was learned.
pub fn old_tasks(matrix: &PerformanceMatrix) -> Option<f64> {
    let last = matrix.rows.last()?;
    let trained = |task: usize| matrix.rows.iter().any(|row| row.trained.is_some_and(|trained| trained.task == task));
    let in_last_phase = |task: usize| last.trained.is_some_and(|trained| trained.task == task);
    let scores: Vec<f64> = last
        .normalized
        .iter()
        .enumerate()
        .filter(|&(task, _)| trained(task) && !in_last_phase(task))
        .map(|(_, score)| *score)
        .collect();
    (!scores.is_empty()).then(|| mean(&scores))
}

impl Comparison {
    /// A Markdown table, a line a group: the number of runs, and over these the mean of the final average performance,
    /// learning and forgetting (see [`Metrics`]) and of [`old_tasks`].
    ///
    /// In brackets: 95 % bootstrap intervals over whole runs.
    pub fn table(&self) -> String {
        let mut table =
            String::from("| method | runs | final | learning | forgetting | old tasks |\n|---|---:|---|---|---|---|\n");
        for group in &self.groups {
            let bootstrap = Bootstrap::new(group.runs.len(), RESAMPLES, 0);
            let metrics: Vec<Metrics> = group.runs.iter().map(|run| Metrics::of(&run.matrix)).collect();
            let cell = |values: Option<Vec<f64>>| cell(values.as_deref(), &bootstrap);
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} |",
                group.label,
                group.runs.len(),
                cell(metrics.iter().map(|metrics| Some(metrics.average_performance)).collect()),
                cell(metrics.iter().map(|metrics| metrics.learning).collect()),
                cell(metrics.iter().map(|metrics| metrics.forgetting).collect()),
                cell(group.runs.iter().map(|run| old_tasks(&run.matrix)).collect()),
            );
        }
        table
    }
}

/// A mean and its interval; without an interval for one run, which says nothing about others.
fn cell(values: Option<&[f64]>, bootstrap: &Bootstrap) -> String {
    match values {
        None => "n/a".into(),
        Some([value]) => two_decimals(*value),
        Some(values) => {
            let interval = bootstrap.mean_interval(values, CONFIDENCE);
            let [mean, low, high] = [mean(values), interval.low, interval.high].map(two_decimals);
            format!("{mean} [{low}, {high}]")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::runs::tests::run;
    use super::*;

    #[test]
    fn old_tasks_are_those_before_the_last_phase() {
        let mut run = run("ewc", 1, [[0.0, 0.25], [1.0, 0.5], [0.75, 0.875]]);
        assert_eq!(old_tasks(&run.matrix), Some(0.75));
        // The first task again: the second was never trained, so nothing is old.
        run.matrix.rows[2].trained = run.matrix.rows[1].trained;
        assert_eq!(old_tasks(&run.matrix), None);
        assert_eq!(old_tasks(&PerformanceMatrix::default()), None);
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

    /// P21. Fails if the scores of a run are resampled task by task: two tasks that always agree tell no more than one,
    /// so the interval of their mean has the width of one task's.
    #[test]
    fn p21_perfectly_correlated_tasks_narrow_no_interval() {
        let runs = [0.0, 0.25, 0.5, 0.625, 1.0]
            .into_iter()
            .enumerate()
            .map(|(seed, score)| run("ewc", seed as u64, [[0.0, 0.0], [score, 0.0], [score, score]]));
        let table = Comparison::new(runs.collect()).unwrap().table();
        let cells: Vec<&str> = table.lines().last().unwrap().split(" | ").collect();
        assert_eq!(cells[2], cells[5].trim_end_matches(" |"), "final and old tasks: {table}");
        assert!(cells[2].contains('['));
    }
}
