//! The table behind a figure: what each method ends with, learns and forgets.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::{Comparison, Group, two_decimals};
use crate::metrics::{Metrics, PerformanceMatrix};
use crate::statistics::{Bootstrap, CONFIDENCE, RESAMPLES, mean};

/// The mean of the last row over the tasks that were trained, but not in the last phase; None where there are none.
///
/// It is what is left of the past, apart from how well the last task was learned.
pub fn old_tasks(matrix: &PerformanceMatrix) -> Option<f64> {
    let last = matrix.rows.last()?;
    let trained = |task: usize| matrix.rows.iter().any(|row| row.trained.is_some_and(|trained| trained.is(task)));
    let in_last_phase = |task: usize| last.trained.is_some_and(|trained| trained.is(task));
    let scores: Vec<f64> = last
        .normalized
        .iter()
        .enumerate()
        .filter(|&(task, _)| trained(task) && !in_last_phase(task))
        .map(|(_, score)| *score)
        .collect();
    (!scores.is_empty()).then(|| mean(&scores))
}

/// What a group of runs ends with, learns and forgets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The method and, where its runs make several groups, the settings in which these differ.
    pub label: String,
    /// The method.
    pub method: String,
    /// The seeds of its runs, in ascending order.
    pub seeds: Vec<u64>,
    /// The average performance at the end, see [`Metrics`].
    #[serde(rename = "final")]
    pub at_end: Option<MeanOverRuns>,
    /// See [`Metrics`].
    pub learning: Option<MeanOverRuns>,
    /// See [`Metrics`].
    pub forgetting: Option<MeanOverRuns>,
    /// See [`old_tasks`].
    pub old_tasks: Option<MeanOverRuns>,
}

/// A mean over runs and its 95 % bootstrap interval over whole runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanOverRuns {
    /// The mean.
    pub mean: f64,
    /// The lower end of the interval; None for one run, which says nothing about others.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

impl Comparison {
    /// The groups in numbers.
    pub fn summaries(&self) -> Vec<Summary> {
        self.groups.iter().map(Summary::of).collect()
    }

    /// As [`table`].
    pub fn table(&self) -> String {
        table(&self.summaries())
    }
}

impl Summary {
    fn of(group: &Group) -> Self {
        let bootstrap = Bootstrap::new(group.runs.len(), RESAMPLES, 0);
        let estimate = |values: Option<Vec<f64>>| Some(MeanOverRuns::of(&values?, &bootstrap));
        let metrics: Vec<Metrics> = group.runs.iter().map(|run| Metrics::of(&run.matrix)).collect();
        Self {
            label: group.label.clone(),
            method: group.method.clone(),
            seeds: group.runs.iter().map(|run| run.seed).collect(),
            at_end: estimate(metrics.iter().map(|metrics| Some(metrics.average_performance)).collect()),
            learning: estimate(metrics.iter().map(|metrics| metrics.learning).collect()),
            forgetting: estimate(metrics.iter().map(|metrics| metrics.forgetting).collect()),
            old_tasks: estimate(group.runs.iter().map(|run| old_tasks(&run.matrix)).collect()),
        }
    }
}

impl MeanOverRuns {
    fn of(values: &[f64], bootstrap: &Bootstrap) -> Self {
        let interval = (values.len() > 1).then(|| bootstrap.mean_interval(values, CONFIDENCE));
        Self {
            mean: mean(values),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        }
    }
}

impl fmt::Display for MeanOverRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&two_decimals(self.mean))?;
        match self.low.zip(self.high) {
            Some((low, high)) => write!(f, " [{}, {}]", two_decimals(low), two_decimals(high)),
            None => Ok(()),
        }
    }
}

/// A Markdown table, a line a group: the number of runs, and over these the mean of the final average performance,
/// learning, forgetting and of [`old_tasks`]. In brackets: the intervals.
pub fn table(groups: &[Summary]) -> String {
    let mut table =
        String::from("| method | runs | final | learning | forgetting | old tasks |\n|---|---:|---|---|---|---|\n");
    let cell = |estimate: Option<MeanOverRuns>| estimate.map_or("n/a".into(), |estimate| estimate.to_string());
    for group in groups {
        let cells = [group.at_end, group.learning, group.forgetting, group.old_tasks].map(cell).join(" | ");
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {} | {} | {cells} |", group.label, group.seeds.len());
    }
    table
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
