//! The numbers of one group of runs.

use crate::figure::{Group, Run, old_tasks};
use crate::metrics::{Metrics, PerformanceMatrix};
use crate::statistics::{
    Estimate, RESAMPLES, Resampling, Scores, Statistic, estimates, interquartile_mean, mean_score, median_score,
    optimality_gap,
};

/// A metric of continual learning: one value a run.
pub struct Measure {
    /// Its name in files.
    pub key: &'static str,
    /// Its name in tables.
    pub heading: &'static str,
    /// What it is, in words.
    pub meaning: &'static str,
    /// Its value in a run of this matrix and these metrics; None where there is nothing to average.
    pub of: fn(&PerformanceMatrix, &Metrics) -> Option<f64>,
}

/// The metrics, in the order of tables.
pub const MEASURES: [Measure; 6] = [
    Measure {
        key: "average_performance",
        heading: "final",
        meaning: "mean score over all tasks at the end of the run",
        of: |_, metrics| Some(metrics.average_performance),
    },
    Measure {
        key: "learning",
        heading: "learning",
        meaning: "mean score on each task right after its last training: plasticity",
        of: |_, metrics| metrics.learning,
    },
    Measure {
        key: "forgetting",
        heading: "forgetting",
        meaning: "best earlier score minus final score, mean over the tasks not trained last; lower is better",
        of: |_, metrics| metrics.forgetting,
    },
    Measure {
        key: "backward_transfer",
        heading: "backward",
        meaning: "backward transfer: final score minus score right after training, mean over the tasks not trained last",
        of: |_, metrics| metrics.backward_transfer,
    },
    Measure {
        key: "forward_transfer",
        heading: "forward",
        meaning: "forward transfer: score before a task's first training minus score of the untrained network, mean over \
                  tasks but the first",
        of: |_, metrics| metrics.forward_transfer,
    },
    Measure {
        key: "old_tasks",
        heading: "old tasks",
        meaning: "mean final score on the tasks trained before the last: stability",
        of: |matrix, _| old_tasks(matrix),
    },
];

/// What a group comes to.
pub struct Summary {
    /// Over the final scores of all runs and tasks.
    pub scores: Aggregates,
    /// Over runs, of each of [`MEASURES`]; None where it has no value.
    pub measures: [Option<Averages>; MEASURES.len()],
    /// The values of each run, by run and measure.
    pub values: Vec<[Option<f64>; MEASURES.len()]>,
    /// Of each task.
    pub tasks: Vec<TaskScores>,
}

/// Aggregates of scores over runs and tasks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregates {
    /// See [`mean_score`].
    pub mean: Estimate,
    /// See [`median_score`].
    pub median: Estimate,
    /// See [`interquartile_mean`].
    pub interquartile_mean: Estimate,
    /// See [`optimality_gap`].
    pub optimality_gap: Estimate,
}

/// Two averages over runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Averages {
    /// The mean.
    pub mean: Estimate,
    /// The mean of the middle half.
    pub interquartile_mean: Estimate,
}

/// The scores on one task, over runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaskScores {
    /// The mean right after the task's last training; None if it was never trained.
    pub learned: Option<Estimate>,
    /// The mean at the end.
    pub last: Option<Estimate>,
}

impl Summary {
    /// Works out the numbers of a group of runs.
    pub fn new(group: &Group, resampling: Resampling) -> Self {
        let statistics = [mean_score, median_score, interquartile_mean, optimality_gap];
        let [mean, median, iqm, gap] = final_scores(group).estimates(statistics, resampling, RESAMPLES);
        let of_run = |run: &Run| {
            let metrics = Metrics::of(&run.matrix);
            MEASURES.map(|measure| (measure.of)(&run.matrix, &metrics))
        };
        let values: Vec<_> = group.runs.iter().map(of_run).collect();
        let measures: Vec<_> = (0..MEASURES.len()).map(|index| values.iter().map(|run| run[index]).collect()).collect();
        let averages = over_runs(&measures, [mean_score, interquartile_mean]);
        let averages = |index: usize| {
            let [mean, interquartile_mean] = averages[index]?;
            Some(Averages { mean, interquartile_mean })
        };
        let tasks = 0..group.runs.first().map_or(0, |run| run.envs.len());
        let over_tasks = |score: fn(&PerformanceMatrix, usize) -> Option<f64>| {
            let of_task = |task| group.runs.iter().map(|run| score(&run.matrix, task)).collect();
            over_runs(&tasks.clone().map(of_task).collect::<Vec<_>>(), [mean_score])
        };
        let tasks = over_tasks(learned)
            .into_iter()
            .zip(over_tasks(last))
            .map(|(learned, last)| TaskScores { learned: learned.map(|[mean]| mean), last: last.map(|[mean]| mean) });
        Self {
            scores: Aggregates { mean, median, interquartile_mean: iqm, optimality_gap: gap },
            measures: std::array::from_fn(averages),
            values,
            tasks: tasks.collect(),
        }
    }
}

impl Summary {
    /// The mean over runs of each of [`MEASURES`]. The final score is one of all runs and tasks, too, and has the interval of
    /// those where they are drawn task by task.
    pub fn means(&self, resampling: Resampling) -> [Option<Estimate>; MEASURES.len()] {
        let mut means = self.measures.map(|averages| averages.map(|averages| averages.mean));
        if resampling == Resampling::Stratified {
            means[0] = Some(self.scores.mean);
        }
        means
    }
}

/// The scores of every run and task at the end.
pub fn final_scores(group: &Group) -> Scores {
    let last = |run: &Run| run.matrix.rows.last().map(|row| row.normalized.clone()).unwrap_or_default();
    Scores::new(&group.runs.iter().map(last).collect::<Vec<_>>())
}

/// Statistics of columns that have a value a run; None where a run has none.
fn over_runs<const N: usize>(columns: &[Vec<Option<f64>>], statistics: [Statistic; N]) -> Vec<Option<[Estimate; N]>> {
    let scores = |column: &Vec<Option<f64>>| -> Option<Scores> {
        let rows: Vec<[f64; 1]> = column.iter().map(|value| Some([(*value)?])).collect::<Option<_>>()?;
        Some(Scores::new(&rows))
    };
    let whole: Vec<Option<Scores>> = columns.iter().map(scores).collect();
    let present: Vec<Scores> = whole.iter().flatten().cloned().collect();
    let mut estimates = estimates(&present, statistics, Resampling::WholeRuns, RESAMPLES).into_iter();
    whole.iter().map(|scores| scores.as_ref().and_then(|_| estimates.next())).collect()
}

/// The score on a task right after its last training.
fn learned(matrix: &PerformanceMatrix, task: usize) -> Option<f64> {
    let trained = matrix.rows.iter().rfind(|row| row.trained.is_some_and(|trained| trained.is(task)))?;
    trained.normalized.get(task).copied()
}

/// The score on a task at the end.
fn last(matrix: &PerformanceMatrix, task: usize) -> Option<f64> {
    matrix.rows.last()?.normalized.get(task).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Comparison, made_up_run};

    /// Two tasks; the first is learnt fully, and is then kept to the given part.
    fn summary(kept: &[f64], resampling: Resampling) -> Summary {
        let run =
            |(seed, &kept): (usize, &f64)| made_up_run("ewc", seed as u64, [[0.0, 0.25], [1.0, 0.0], [kept, 1.5]]);
        let comparison = Comparison::new(kept.iter().enumerate().map(run).collect()).unwrap();
        Summary::new(&comparison.groups[0], resampling)
    }

    #[test]
    fn metrics_and_aggregates_by_hand() {
        let summary = summary(&[0.25, 0.75], Resampling::WholeRuns);
        let means: Vec<f64> = summary.measures.iter().map(|averages| averages.unwrap().mean.value).collect();
        // Final (.875 + 1.125) / 2, learning (1 + 1.5) / 2, forgetting (.75 + .25) / 2, backward its negative, forward 0 - .25.
        assert_eq!(means, [1.0, 1.25, 0.5, -0.5, -0.25, 0.5]);
        assert_eq!(summary.values[1][2], Some(0.25));
        let Aggregates { mean, median, interquartile_mean, optimality_gap } = summary.scores;
        // .25, .75, 1.5, 1.5 without one at each end.
        assert_eq!([mean, median, interquartile_mean].map(|estimate| estimate.value), [1.0, 1.0, 1.125]);
        assert_eq!(optimality_gap.value, 1.0 - (0.25 + 0.75 + 1.0 + 1.0) / 4.0);
        let TaskScores { learned, last } = summary.tasks[0];
        assert_eq!((learned.unwrap().value, last.unwrap().value), (1.0, 0.5));
        assert_eq!((last.unwrap().interval.low, last.unwrap().interval.high), (0.25, 0.75));
    }

    #[test]
    fn only_what_is_over_tasks_is_drawn_task_by_task() {
        let [whole, apart] =
            [Resampling::WholeRuns, Resampling::Stratified].map(|way| summary(&[0.0, 0.5, 1.0, 0.25], way));
        assert_eq!(whole.measures[2], apart.measures[2]);
        assert_eq!(whole.means(Resampling::WholeRuns)[0], whole.measures[0].map(|averages| averages.mean));
        assert_eq!(apart.means(Resampling::Stratified)[0], Some(apart.scores.mean));
    }

    #[test]
    fn what_has_no_value_in_some_run_has_none_at_all() {
        assert_eq!(over_runs(&[vec![Some(1.0), None], vec![Some(1.0), Some(2.0)]], [mean_score])[0], None);
        let [second] = over_runs(&[vec![Some(1.0), None], vec![Some(1.0), Some(2.0)]], [mean_score])[1].unwrap();
        assert_eq!(second.value, 1.5);
    }
}
