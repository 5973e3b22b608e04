//! The scores of a set of runs, laid out for statistics.

use super::bootstrap::percentiles;
use super::{Bootstrap, CONFIDENCE, Estimate, Resampling};

/// Scores `x[run, task]`, and their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    pub(super) runs: usize,
    pub(super) tasks: usize,
    /// `[runs, tasks]`, run by run.
    pub(super) values: Vec<f64>,
    /// The indices of `values` in ascending order of their scores.
    pub(super) ascending: Vec<u32>,
}

/// A statistic of scores of which each counts as often as the second argument says, `[runs, tasks]`.
pub type Statistic = fn(&Scores, &[u32]) -> f64;

impl Scores {
    /// A row of scores a run, one score a task.
    ///
    /// # Panics
    /// If the rows are of several lengths.
    pub fn new<Run: AsRef<[f64]>>(rows: &[Run]) -> Self {
        let tasks = rows.first().map_or(0, |row| row.as_ref().len());
        assert!(rows.iter().all(|row| row.as_ref().len() == tasks), "every run has a score of every task");
        let values: Vec<f64> = rows.iter().flat_map(AsRef::as_ref).copied().collect();
        let mut ascending: Vec<u32> = (0..values.len() as u32).collect();
        ascending.sort_by(|&one, &other| values[one as usize].total_cmp(&values[other as usize]));
        Self { runs: rows.len(), tasks, values, ascending }
    }

    /// Counts that take every score once.
    pub fn once(&self) -> Vec<u32> {
        vec![1; self.values.len()]
    }

    /// Several statistics with their 95 % percentile bootstrap intervals, all from the same draws.
    pub fn estimates<const N: usize>(
        &self,
        statistics: [Statistic; N],
        resampling: Resampling,
        resamples: usize,
    ) -> [Estimate; N] {
        let nothing = Estimate { value: f64::NAN, interval: percentiles(Vec::new(), CONFIDENCE) };
        let estimates = estimates(std::slice::from_ref(self), statistics, resampling, resamples);
        estimates.into_iter().next().unwrap_or([nothing; N])
    }
}

/// Several statistics of each of several sets of scores, all from the same draws: the sets are of the same runs, in the
/// same order, and of as many tasks.
///
/// # Panics
/// If the sets are of several shapes.
pub fn estimates<const N: usize>(
    sets: &[Scores],
    statistics: [Statistic; N],
    resampling: Resampling,
    resamples: usize,
) -> Vec<[Estimate; N]> {
    let Some(first) = sets.first() else { return Vec::new() };
    assert!(
        sets.iter().all(|scores| (scores.runs, scores.tasks) == (first.runs, first.tasks)),
        "sets of the same runs"
    );
    let bootstrap = Bootstrap::new(first.runs, resamples, 0);
    let resamples = if first.values.is_empty() { 0 } else { bootstrap.resamples() };
    let mut draws = bootstrap.draws(first.tasks, resampling);
    // [sets, statistics, resamples]
    let mut resampled = vec![vec![Vec::with_capacity(resamples); N]; sets.len()];
    for _ in 0..resamples {
        let counts = draws.next();
        for (scores, values) in sets.iter().zip(&mut resampled) {
            values.iter_mut().zip(statistics).for_each(|(values, of)| values.push(of(scores, counts)));
        }
    }
    let once = first.once();
    let estimate = |(scores, resampled): (&Scores, Vec<Vec<f64>>)| {
        let mut resampled = resampled.into_iter();
        statistics.map(|of| Estimate {
            value: of(scores, &once),
            interval: percentiles(resampled.next().unwrap_or_default(), CONFIDENCE),
        })
    };
    sets.iter().zip(resampled).map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Interval, mean_score, median_score};
    use super::*;

    #[test]
    fn the_interval_of_a_mean_is_that_of_the_bootstrap() {
        let scores = Scores::new(&[[0.0], [0.0], [1.0], [0.0], [0.0]]);
        let [estimate] = scores.estimates([mean_score], Resampling::WholeRuns, 10_000);
        assert_eq!(estimate, Estimate { value: 0.2, interval: Interval { low: 0.0, high: 0.6 } });
    }

    /// P21. Two tasks that always agree tell no more than one, unless they are taken for independent.
    #[test]
    fn p21_correlated_tasks_narrow_only_the_stratified_interval() {
        let rows: Vec<[f64; 2]> = [0.0, 0.25, 0.5, 0.625, 1.0].map(|score| [score; 2]).into();
        let one_task: Vec<[f64; 1]> = rows.iter().map(|row| [row[0]]).collect();
        let width = |scores: &Scores, resampling| {
            let [Estimate { interval, .. }] = scores.estimates([mean_score], resampling, 10_000);
            interval.high - interval.low
        };
        let alone = width(&Scores::new(&one_task), Resampling::WholeRuns);
        assert!((width(&Scores::new(&rows), Resampling::WholeRuns) - alone).abs() < 1e-12);
        assert!(width(&Scores::new(&rows), Resampling::Stratified) < 0.8 * alone);
    }

    #[test]
    fn nothing_and_unknown_scores_have_no_estimate() {
        let nothing = Scores::new::<[f64; 2]>(&[]);
        let unknown = Scores::new(&[[1.0, f64::NAN], [0.5, 0.5]]);
        for scores in [nothing, unknown] {
            for estimate in scores.estimates([mean_score, median_score], Resampling::Stratified, 50) {
                assert!(estimate.value.is_nan() && estimate.interval.low.is_nan() && estimate.interval.high.is_nan());
            }
        }
    }
}
