//! The probability of improvement.

use super::bootstrap::percentiles;
use super::{Bootstrap, CONFIDENCE, Estimate, Resampling, Scores};

/// The probability that a run of `x` has a higher score than a run of `y` on a task, with its 95 % interval.
///
/// `P(X > Y) = Σ_t U_t / (n m) / K` over the `K` tasks, with Mann and Whitney's `U_t` the number of pairs of one of the
/// `n` runs of `x` and one of the `m` runs of `y` in which `x` is higher, ties counted half. Runs of `x` and of `y` are
/// drawn independently of each other. NaN if a score is, if there are no runs, or if the tasks are not as many in both.
pub fn improvement(x: &Scores, y: &Scores, resampling: Resampling, resamples: usize) -> Estimate {
    let unusable = |scores: &Scores| scores.values.is_empty() || scores.values.iter().any(|score| score.is_nan());
    if x.tasks != y.tasks || unusable(x) || unusable(y) {
        return Estimate { value: f64::NAN, interval: percentiles(Vec::new(), CONFIDENCE) };
    }
    let mut duels = Duels::new(x, y);
    let bootstraps = [Bootstrap::new(x.runs, resamples, 0), Bootstrap::new(y.runs, resamples, 1)];
    let [mut of_x, mut of_y] = bootstraps.map(|bootstrap| bootstrap.draws(x.tasks, resampling));
    let resamples = bootstraps[0].resamples().min(bootstraps[1].resamples());
    let resampled = (0..resamples).map(|_| duels.probability(of_x.next(), of_y.next())).collect();
    Estimate { value: duels.probability(&x.once(), &y.once()), interval: percentiles(resampled, CONFIDENCE) }
}

/// Who beats whom, worked out once for all resamples.
struct Duels {
    tasks: usize,
    /// Runs of `x` and of `y`.
    runs: [usize; 2],
    /// The cells of `y`, task by task, in ascending order of their scores.
    ascending: Vec<u32>,
    /// For every cell of `x`: where in `ascending` the scores of its task begin that are not lower, and that are higher.
    ranks: Vec<[u32; 2]>,
    /// How many draws of a resample stand before each place of `ascending`.
    before: Vec<u64>,
}

impl Duels {
    fn new(x: &Scores, y: &Scores) -> Self {
        let tasks = x.tasks;
        let of_task = |task| y.ascending.iter().filter(move |&&cell| cell as usize % tasks == task);
        let ascending: Vec<u32> = (0..tasks).flat_map(of_task).copied().collect();
        let rank = |(cell, &score): (usize, &f64)| {
            let begin = cell % tasks * y.runs;
            let rivals = &ascending[begin..begin + y.runs];
            let rival = |cell: u32| y.values[cell as usize];
            let not_lower = rivals.partition_point(|&cell| rival(cell) < score);
            let higher = rivals.partition_point(|&cell| rival(cell) <= score);
            [not_lower, higher].map(|place| (begin + place) as u32)
        };
        let ranks = x.values.iter().enumerate().map(rank).collect();
        Self { tasks, runs: [x.runs, y.runs], before: vec![0; ascending.len() + 1], ascending, ranks }
    }

    /// The probability on a resample, in which every task has as many draws as there are runs.
    fn probability(&mut self, of_x: &[u32], of_y: &[u32]) -> f64 {
        let mut sum = 0;
        for (before, &cell) in self.before[1..].iter_mut().zip(&self.ascending) {
            sum += u64::from(of_y[cell as usize]);
            *before = sum;
        }
        let [n, m] = self.runs;
        let wins =
            self.ranks.chunks_exact(self.tasks).zip(of_x.chunks_exact(self.tasks)).flat_map(|(ranks, counts)| {
                ranks.iter().zip(counts).enumerate().map(|(task, ([not_lower, higher], &count))| {
                    let of_earlier_tasks = (task * m) as u64;
                    // Twice the runs of `y` that are beaten: those below count fully, those equal half.
                    let beaten =
                        self.before[*not_lower as usize] + self.before[*higher as usize] - 2 * of_earlier_tasks;
                    u64::from(count) * beaten
                })
            });
        wins.sum::<u64>() as f64 / (2 * n * m * self.tasks) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::Interval;
    use super::*;

    fn value(x: &[[f64; 2]], y: &[[f64; 2]]) -> f64 {
        improvement(&Scores::new(x), &Scores::new(y), Resampling::WholeRuns, 20).value
    }

    #[test]
    fn pairs_are_counted_task_by_task() {
        let x = [[0.5, 1.0], [0.7, 1.0], [0.1, 3.0]];
        let y = [[0.5, 2.0], [0.2, 1.0]];
        // First task: .5 beats .2 and ties .5, .7 beats both, .1 none: 3.5 of 6. Second: 0.5 + 0.5 + 2 = 3 of 6.
        assert_eq!([value(&x, &y), value(&y, &x)], [6.5 / 12.0, 5.5 / 12.0]);
        assert_eq!(value(&x, &x), 0.5);
    }

    #[test]
    fn resamples_are_counted_as_if_they_were_written_out() {
        let x = Scores::new(&[[0.5, 1.0], [0.7, 1.0], [0.1, 3.0]]);
        let y = Scores::new(&[[0.5, 2.0], [0.2, 1.0]]);
        let drawn = Duels::new(&x, &y).probability(&[2, 2, 1, 1, 0, 0], &[0, 0, 2, 2]);
        assert_eq!(drawn, value(&[[0.5, 1.0], [0.5, 1.0], [0.7, 1.0]], &[[0.2, 1.0], [0.2, 1.0]]));
        let stratified = Duels::new(&x, &y).probability(&[3, 1, 0, 1, 0, 1], &[1, 2, 1, 0]);
        assert_eq!(stratified, value(&[[0.5, 1.0], [0.5, 1.0], [0.5, 3.0]], &[[0.5, 2.0], [0.2, 2.0]]));
    }

    #[test]
    fn samples_are_drawn_independently() {
        // Equal samples: were both drawn alike, every resample would tie at one half.
        let scores = Scores::new(&[[0.0], [1.0], [2.0], [3.0]]);
        let Interval { low, high } = improvement(&scores, &scores, Resampling::WholeRuns, 2_000).interval;
        assert!(low < 0.25 && 0.75 < high, "{low} {high}");
        let certain = improvement(&Scores::new(&[[2.0], [3.0]]), &Scores::new(&[[0.0]]), Resampling::Stratified, 50);
        assert_eq!(certain, Estimate { value: 1.0, interval: Interval { low: 1.0, high: 1.0 } });
    }

    #[test]
    fn what_cannot_be_compared_has_no_probability() {
        let one = Scores::new(&[[1.0, 2.0]]);
        for other in [Scores::new(&[[1.0]]), Scores::new::<[f64; 2]>(&[]), Scores::new(&[[f64::NAN, 1.0]])] {
            assert!(improvement(&one, &other, Resampling::WholeRuns, 10).value.is_nan());
        }
    }
}
