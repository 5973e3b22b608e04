//! The performance matrix and the metrics of continual learning, defined by phase so that tasks may recur.

use serde::{Deserialize, Serialize};

/// Row `i` holds the scores of every task after phase `i - 1`; row 0 those of the untrained network.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PerformanceMatrix {
    /// The rows, oldest first.
    pub rows: Vec<Row>,
}

/// The scores of every task at one boundary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Environment steps so far.
    pub step: u64,
    /// The phase that just ended and its task; None in row 0.
    pub trained: Option<Trained>,
    /// Mean raw return of each task.
    pub returns: Vec<f64>,
    /// Normalised score of each task: 0 as the random policy, 1 as a single-task agent.
    pub normalized: Vec<f64>,
}

/// Which phase a row follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trained {
    /// Index of the phase.
    pub phase: usize,
    /// Index of the phase's task; None where all were trained at once.
    pub task: Option<usize>,
}

impl Trained {
    /// Whether this task was trained.
    pub fn is(&self, task: usize) -> bool {
        self.task.is_none_or(|own| own == task)
    }
}

/// Metrics on normalised scores `R[row][task]`. None where there is nothing to average.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Metrics {
    /// Mean over all tasks of the last row.
    pub average_performance: f64,
    /// Mean over tasks not trained in the last phase of (maximum over earlier rows - last row).
    pub forgetting: Option<f64>,
    /// Mean over tasks not trained in the last phase of (last row - row after the task's last phase).
    pub backward_transfer: Option<f64>,
    /// Mean over tasks of the score right after their last phase: plasticity.
    pub learning: Option<f64>,
    /// Mean over tasks, but the first trained, of (row before the task's first phase - row 0): zero-shot transfer.
    pub forward_transfer: Option<f64>,
}

impl Metrics {
    /// The metrics on a matrix of at least one row.
    ///
    /// With `p(j)` the row after task `j`'s last phase and `L` the last row, over the tasks `j` not trained in the last
    /// phase: forgetting is the mean of `max_{i < L} R[i][j] - R[L][j]`, the maximum over all earlier
    /// rows, row 0 included; backward transfer is the mean of `R[L][j] - R[p(j)][j]` (Lopez-Paz and Ranzato
    /// 2017, by phase). Learning is the mean of `R[p(j)][j]` over trained tasks. Forward transfer is the mean of
    /// `R[q(j)][j] - R[0][j]`, `q(j)` the row before the task's first phase, over tasks first trained after row 0.
    pub fn of(matrix: &PerformanceMatrix) -> Self {
        let rows = &matrix.rows;
        let Some(last) = rows.last() else { return Self::default() };
        let score = |row: usize, task: usize| rows[row].normalized[task];
        let final_row = rows.len() - 1;
        let tasks = 0..last.normalized.len();
        let trained_rows =
            |task: usize| (0..rows.len()).filter(move |row| rows[*row].trained.is_some_and(|trained| trained.is(task)));
        let in_last = |task: usize| last.trained.is_some_and(|trained| trained.is(task));
        let old = |task: &usize| trained_rows(*task).next().is_some() && !in_last(*task);
        let forgetting = tasks.clone().filter(old).map(|task| {
            let best = (0..final_row).map(|row| score(row, task)).fold(f64::NEG_INFINITY, f64::max);
            best - score(final_row, task)
        });
        let transfer = tasks
            .clone()
            .filter(old)
            .filter_map(|task| Some(score(final_row, task) - score(trained_rows(task).next_back()?, task)));
        let learning = tasks.clone().filter_map(|task| Some(score(trained_rows(task).next_back()?, task)));
        let forward = tasks.clone().filter_map(|task| {
            let first = trained_rows(task).next()?;
            (first > 1).then(|| score(first - 1, task) - score(0, task))
        });
        Self {
            average_performance: mean(last.normalized.iter().copied()).unwrap_or(f64::NAN),
            forgetting: mean(forgetting),
            backward_transfer: mean(transfer),
            learning: mean(learning),
            forward_transfer: mean(forward),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(phases: &[usize], scores: &[&[f64]]) -> PerformanceMatrix {
        let row = |(index, scores): (usize, &&[f64])| Row {
            step: index as u64 * 10,
            trained: index.checked_sub(1).map(|phase| Trained { phase, task: Some(phases[phase]) }),
            returns: scores.to_vec(),
            normalized: scores.to_vec(),
        };
        PerformanceMatrix { rows: scores.iter().enumerate().map(row).collect() }
    }

    fn close(value: Option<f64>, expected: f64) {
        assert!((value.unwrap() - expected).abs() < 1e-12, "{value:?} {expected}");
    }

    /// P19. Fails if the maximum includes the last row, or if transfer is taken against the maximum.
    #[test]
    fn p19_metrics_by_hand() {
        let metrics =
            Metrics::of(&matrix(&[0, 1, 2], &[&[0.0, 0.1, 0.2], &[0.9, 0.2, 0.1], &[0.6, 0.8, 0.4], &[0.5, 0.9, 1.0]]));
        assert!((metrics.average_performance - 0.8).abs() < 1e-12);
        close(metrics.forgetting, f64::midpoint(0.9 - 0.5, 0.8 - 0.9));
        close(metrics.backward_transfer, f64::midpoint(0.5 - 0.9, 0.9 - 0.8));
        close(metrics.learning, (0.9 + 0.8 + 1.0) / 3.0);
        close(metrics.forward_transfer, f64::midpoint(0.2 - 0.1, 0.4 - 0.2));
    }

    #[test]
    fn a_task_that_recurs_counts_from_its_last_phase() {
        let metrics =
            Metrics::of(&matrix(&[0, 1, 0, 1], &[&[0.0, 0.0], &[1.0, 0.0], &[0.4, 1.0], &[0.9, 0.5], &[0.6, 0.8]]));
        close(metrics.forgetting, 1.0 - 0.6);
        close(metrics.backward_transfer, 0.6 - 0.9);
        close(metrics.learning, f64::midpoint(0.9, 0.8));
    }

    #[test]
    fn before_the_second_task_there_is_nothing_to_forget() {
        let metrics = Metrics::of(&matrix(&[0, 1], &[&[0.0, 0.0], &[1.0, 0.3]]));
        assert_eq!((metrics.forgetting, metrics.backward_transfer), (None, None));
        close(metrics.learning, 1.0);
        let untrained = Metrics::of(&matrix(&[], &[&[0.25, 0.75]]));
        assert!((untrained.average_performance - 0.5).abs() < 1e-12);
        assert_eq!(untrained.learning, None);
    }
}
