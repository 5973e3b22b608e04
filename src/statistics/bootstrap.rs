//! The bootstrap: intervals from samples that are drawn anew out of the sample at hand (Efron, 1979).

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use super::Interval;

/// Resamples of a bootstrap where nothing else is said.
pub const RESAMPLES: usize = 10_000;

/// Draws of a bootstrap beyond which it takes fewer resamples: with statistics of several tasks, a second's worth.
const MOST_DRAWS: usize = 10_000_000;

/// Resamples that a bootstrap takes of any number of units. The ends of a 95 % interval then still are the fifth of
/// 200 values from either side; and a mean of so many units hardly depends on them.
const FEWEST_RESAMPLES: usize = 200;

/// Columns whose resample means are held at a time: with 10,000 resamples, 20 MB.
const BLOCK: usize = 256;

/// Coverage of the intervals that figures and tables show.
pub const CONFIDENCE: f64 = 0.95;

/// How scores `[runs, tasks]` are drawn anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resampling {
    /// Runs are drawn with all their scores: the tasks of one run are one trajectory.
    #[default]
    WholeRuns,
    /// Runs are drawn for each task apart, as if its scores came from runs of their own (Agarwal et al., 2021).
    Stratified,
}

/// A fixed set of resamples of `n` units, drawn with replacement.
///
/// It is drawn anew for each interval, always the same: kept, the draws of a million episodes would not fit in memory.
///
/// The units are whole runs (or episodes). The scores of one run belong together, whatever their task and step, so one
/// `Bootstrap` serves every task and step of a set of runs: each resample then takes a run with all its scores or not
/// at all.
#[derive(Debug, Clone, Copy)]
pub struct Bootstrap {
    units: usize,
    resamples: usize,
    seed: u64,
}

impl Bootstrap {
    /// `resamples` times `units` draws; the same for the same arguments on every machine.
    ///
    /// Of so many units that this makes more than 10 million draws, it takes the first resamples only, as many as make
    /// 10 million draws, and 200 at least.
    pub fn new(units: usize, resamples: usize, seed: u64) -> Self {
        let affordable = (MOST_DRAWS / units.max(1)).max(FEWEST_RESAMPLES);
        Self { units, resamples: resamples.min(affordable), seed }
    }

    /// How many resamples it takes.
    pub fn resamples(&self) -> usize {
        self.resamples
    }

    /// The draws from their beginning, of units with `tasks` scores each.
    pub fn draws(&self, tasks: usize, resampling: Resampling) -> Draws {
        let tasks = tasks.max(1);
        let generator = Pcg64::seed_from_u64(self.seed);
        Draws { units: self.units, tasks, resampling, generator, counts: vec![0; self.units * tasks] }
    }

    /// The percentile interval of the mean.
    ///
    /// With resample means `m_b = Σᵢ x[d_bi] / n` for `b = 1, …, B` it is `[q((1 - c) / 2), q((1 + c) / 2)]`, where
    /// `c` is `confidence` and `q(p)` the quantile of the `m_b`, linear between order statistics at rank `p (B - 1)`.
    ///
    /// One value gives an interval of width zero: it says nothing about other runs. Both ends are NaN if a value is,
    /// if there are no resamples, or if the number of values is not the number of units.
    pub fn mean_interval(&self, values: &[f64], confidence: f64) -> Interval {
        if values.len() != self.units {
            return Interval { low: f64::NAN, high: f64::NAN };
        }
        self.mean_intervals(values, 1, confidence)[0]
    }

    /// The percentile intervals of the means of many columns of `values`, which has a row of `columns` values a unit.
    ///
    /// Each is the [`mean_interval`](Self::mean_interval) of its column, but the draws are shared.
    pub fn mean_intervals(&self, values: &[f64], columns: usize, confidence: f64) -> Vec<Interval> {
        let starts = (0..columns).step_by(BLOCK);
        starts.flat_map(|from| self.block(values, columns, from..columns.min(from + BLOCK), confidence)).collect()
    }

    fn block(&self, values: &[f64], columns: usize, block: std::ops::Range<usize>, confidence: f64) -> Vec<Interval> {
        let mut draws = self.draws(1, Resampling::WholeRuns);
        let mut means = vec![Vec::with_capacity(self.resamples); block.len()];
        let mut sums = vec![0.0; block.len()];
        for _ in 0..self.resamples {
            sums.fill(0.0);
            for (row, &count) in values.chunks_exact(columns).zip(draws.next()) {
                let count = f64::from(count);
                sums.iter_mut().zip(&row[block.clone()]).for_each(|(sum, value)| *sum += count * value);
            }
            means.iter_mut().zip(&sums).for_each(|(means, sum)| means.push(sum / self.units as f64));
        }
        means.into_iter().map(|means| percentiles(means, confidence)).collect()
    }
}

/// One resample after the other.
#[derive(Debug, Clone)]
pub struct Draws {
    units: usize,
    tasks: usize,
    resampling: Resampling,
    generator: Pcg64,
    counts: Vec<u32>,
}

impl Draws {
    /// How often each score was drawn in the next resample, `[units, tasks]`. Every task has as many draws as there are
    /// units.
    #[expect(clippy::should_implement_trait, reason = "it lends what it holds, which an iterator cannot")]
    pub fn next(&mut self) -> &[u32] {
        let (units, tasks) = (self.units, self.tasks);
        self.counts.fill(0);
        match self.resampling {
            Resampling::WholeRuns => {
                for _ in 0..units {
                    let unit = self.generator.random_range(0..units as u32) as usize;
                    self.counts[unit * tasks] += 1;
                }
                self.counts.chunks_exact_mut(tasks).for_each(|run| run.fill(run[0]));
            }
            Resampling::Stratified => {
                for task in 0..tasks {
                    for _ in 0..units {
                        let unit = self.generator.random_range(0..units as u32) as usize;
                        self.counts[unit * tasks + task] += 1;
                    }
                }
            }
        }
        &self.counts
    }
}

/// The percentile interval of the values that a statistic had on the resamples: see [`Bootstrap::mean_interval`].
pub(super) fn percentiles(mut values: Vec<f64>, confidence: f64) -> Interval {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return Interval { low: f64::NAN, high: f64::NAN };
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence.clamp(0.0, 1.0)) / 2.0;
    Interval { low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) }
}

/// `q(p)` of values in ascending order, of which there is at least one; `p` lies in [0, 1].
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let rank = p * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    below + (above - below) * rank.fract()
}

#[cfg(test)]
mod tests {
    use super::super::mean_interval;
    use super::*;

    #[test]
    fn quantiles_are_linear_between_ranks() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert_eq!(quantile(&sorted, 0.0), 1.0);
        assert_eq!(quantile(&sorted, 0.25), 2.0);
        assert_eq!(quantile(&sorted, 0.875), 12.0);
        assert_eq!(quantile(&sorted, 1.0), 16.0);
    }

    #[test]
    fn interval_has_the_quantiles_of_the_binomial() {
        // The resample mean is K / 5 with K ~ Binomial(5, 1/5): P(K = 0) = .33, P(K > 2) = .058, P(K > 3) = .0067.
        let interval = mean_interval(&[0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(interval, Interval { low: 0.0, high: 0.6 });
        // P(K > 2) < .1, so an 80 % interval ends at 2 / 5 already.
        let narrower = Bootstrap::new(5, RESAMPLES, 0).mean_interval(&[0.0, 0.0, 1.0, 0.0, 0.0], 0.8);
        assert_eq!(narrower, Interval { low: 0.0, high: 0.4 });
    }

    #[test]
    fn interval_approaches_the_normal_one() {
        // 0, …, 99 has the population deviation √((100² - 1) / 12) = 28.866, so the mean of 100 draws has 2.8866.
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let Interval { low, high } = mean_interval(&values);
        assert!((low - (49.5 - 1.96 * 2.8866)).abs() < 0.2, "{low}");
        assert!((high - (49.5 + 1.96 * 2.8866)).abs() < 0.2, "{high}");
    }

    #[test]
    fn whole_runs_are_resampled_together() {
        // Two scores of one run that differ by a constant must have intervals that differ by it.
        let bootstrap = Bootstrap::new(4, 1_000, 7);
        let first = bootstrap.mean_interval(&[1.0, 2.0, 4.0, 8.0], CONFIDENCE);
        let second = bootstrap.mean_interval(&[17.0, 18.0, 20.0, 24.0], CONFIDENCE);
        assert_eq!((first.low + 16.0, first.high + 16.0), (second.low, second.high));
    }

    #[test]
    fn degenerate_inputs_have_no_interval() {
        assert_eq!(mean_interval(&[3.0]), Interval { low: 3.0, high: 3.0 });
        assert!(mean_interval(&[]).low.is_nan());
        assert!(mean_interval(&[1.0, f64::NAN]).high.is_nan());
        assert!(Bootstrap::new(3, 10, 0).mean_interval(&[1.0], CONFIDENCE).low.is_nan());
    }

    #[test]
    fn intervals_are_those_of_draws_made_in_one_go() {
        let values = [0.3, -1.0, 2.5, 0.1, 7.75, 1e-3, 4.0];
        let mut generator = Pcg64::seed_from_u64(3);
        let draws: Vec<u32> = (0..7 * 500).map(|_| generator.random_range(0..7)).collect();
        let resample = |units: &[u32]| units.iter().map(|&unit| values[unit as usize]).sum::<f64>() / 7.0;
        let mut means: Vec<f64> = draws.chunks_exact(7).map(resample).collect();
        means.sort_unstable_by(f64::total_cmp);
        let expected = Interval { low: quantile(&means, 0.025), high: quantile(&means, 0.975) };
        let bootstrap = Bootstrap::new(7, 500, 3);
        // Twice, because every interval of a set of runs must see the same resamples.
        for _ in 0..2 {
            let interval = bootstrap.mean_interval(&values, 0.95);
            let close = |one: f64, other: f64| (one - other).abs() < 1e-12;
            assert!(close(interval.low, expected.low) && close(interval.high, expected.high), "{interval:?}");
        }
    }

    #[test]
    fn many_units_get_fewer_resamples() {
        let resamples = |units: usize| Bootstrap::new(units, RESAMPLES, 0).resamples;
        assert_eq!([0, 1, 1_000, 10_000].map(resamples), [RESAMPLES, RESAMPLES, RESAMPLES, 1_000]);
        assert_eq!([50_000, 1_000_000].map(resamples), [200, 200]);
        assert_eq!(Bootstrap::new(1_000_000, 50, 0).resamples, 50, "never more than asked for");
        let values: Vec<f64> = (0..300_000).map(|value| f64::from(value % 2)).collect();
        let Interval { low, high } = mean_interval(&values);
        // The mean of so many coins has a deviation of 0.5 / sqrt(300,000) = 0.0009.
        assert!(0.497 < low && low < 0.4995 && 0.5005 < high && high < 0.503, "{low} {high}");
    }

    #[test]
    fn columns_have_the_intervals_that_each_has_alone() {
        let bootstrap = Bootstrap::new(4, 300, 5);
        let rows: Vec<[f64; 300]> =
            (0..4).map(|run| std::array::from_fn(|column| f64::from(run * 7 + column as i32 % 5))).collect();
        let together = bootstrap.mean_intervals(&rows.concat(), 300, CONFIDENCE);
        for (column, interval) in together.into_iter().enumerate() {
            let alone: Vec<f64> = rows.iter().map(|row| row[column]).collect();
            assert_eq!(interval, bootstrap.mean_interval(&alone, CONFIDENCE), "{column}");
        }
        let one_unknown = bootstrap.mean_intervals(&[1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 2, CONFIDENCE);
        assert_eq!(one_unknown[0], Interval { low: 1.0, high: 1.0 });
        assert!(one_unknown[1].low.is_nan());
        assert!(bootstrap.mean_intervals(&[], 0, CONFIDENCE).is_empty());
    }

    #[test]
    fn whole_runs_stay_whole_and_stratified_ones_do_not() {
        let bootstrap = Bootstrap::new(6, 10, 2);
        let (mut whole, mut stratified) =
            (bootstrap.draws(3, Resampling::WholeRuns), bootstrap.draws(3, Resampling::Stratified));
        let mut torn = 0;
        for _ in 0..10 {
            assert!(whole.next().chunks_exact(3).all(|run| run[0] == run[1] && run[1] == run[2]));
            let counts = stratified.next();
            for task in 0..3 {
                assert_eq!(counts.iter().skip(task).step_by(3).sum::<u32>(), 6, "each task has its six draws");
            }
            torn += counts.chunks_exact(3).filter(|run| run[0] != run[1]).count();
        }
        assert!(torn > 20, "{torn}");
    }
}
