//! Statistics over runs and over episodes: mean, spread, and a bootstrap interval.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Resamples of a bootstrap where nothing else is said.
pub const RESAMPLES: usize = 10_000;

/// Draws of a bootstrap beyond which it takes fewer resamples: a few seconds' worth.
const MOST_DRAWS: usize = 50_000_000;

/// Resamples that a bootstrap takes of any number of units. The ends of a 95 % interval then still are the fifth of
/// 200 values from either side; and a mean of so many units hardly depends on them.
const FEWEST_RESAMPLES: usize = 200;

/// Coverage of the intervals that figures and tables show.
pub const CONFIDENCE: f64 = 0.95;

/// A range of plausible values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The arithmetic mean `x̄ = Σ xᵢ / n`; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation `s = √(Σ (xᵢ - x̄)² / (n - 1))`; NaN of fewer than two values.
pub fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let center = mean(values);
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// The 95 % percentile bootstrap interval of the mean of `values`, one value a run or one return an episode.
///
/// Shorthand for a [`Bootstrap`] with the default number of resamples; always the same for the same values.
pub fn mean_interval(values: &[f64]) -> Interval {
    Bootstrap::new(values.len(), RESAMPLES, 0).mean_interval(values, CONFIDENCE)
}

/// A fixed set of resamples of `n` units, drawn with replacement.
///
/// It is drawn anew for each interval, always the same: kept, the draws of a million episodes would not fit in memory.
///
/// The units are whole runs (or episodes). The scores of one run belong together, whatever their task and step, so one
/// `Bootstrap` serves every task and step of a set of runs: each resample then takes a run with all its scores or not
/// at all.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    units: usize,
    resamples: usize,
    seed: u64,
}

impl Bootstrap {
    /// `resamples` times `units` draws; the same for the same arguments on every machine.
    ///
    /// Of so many units that this makes more than 50 million draws, it takes the first resamples only, as many as make
    /// 50 million draws, and 200 at least.
    pub fn new(units: usize, resamples: usize, seed: u64) -> Self {
        let affordable = (MOST_DRAWS / units.max(1)).max(FEWEST_RESAMPLES);
        Self { units, resamples: resamples.min(affordable), seed }
    }

    /// The percentile interval of the mean.
    ///
    /// With resample means `m_b = Σᵢ x[d_bi] / n` for `b = 1, …, B` it is `[q((1 - c) / 2), q((1 + c) / 2)]`, where
    /// `c` is `confidence` and `q(p)` the quantile of the `m_b`, linear between order statistics at rank `p (B - 1)`.
    ///
    /// One value gives an interval of width zero: it says nothing about other runs. Both ends are NaN if a value is,
    /// if there are no resamples, or if the number of values is not the number of units.
    pub fn mean_interval(&self, values: &[f64], confidence: f64) -> Interval {
        let nothing = self.units == 0 || self.resamples == 0;
        if nothing || values.len() != self.units || values.iter().any(|value| value.is_nan()) {
            return Interval { low: f64::NAN, high: f64::NAN };
        }
        let mut generator = Pcg64::seed_from_u64(self.seed);
        let mut draw = || values[generator.random_range(0..self.units as u32) as usize];
        let mut means: Vec<f64> =
            (0..self.resamples).map(|_| (0..self.units).map(|_| draw()).sum::<f64>() / self.units as f64).collect();
        means.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - confidence.clamp(0.0, 1.0)) / 2.0;
        Interval { low: quantile(&means, tail), high: quantile(&means, 1.0 - tail) }
    }
}

/// `q(p)` of values in ascending order, of which there is at least one; `p` lies in [0, 1].
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let rank = p * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    below + (above - below) * rank.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_by_hand() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), 5.0);
        assert_eq!(standard_deviation(&values), (32.0_f64 / 7.0).sqrt());
        assert!(mean(&[]).is_nan());
        assert!(standard_deviation(&[1.0]).is_nan());
    }

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
            assert!((interval.low - expected.low).abs() < 1e-12 && interval.high == expected.high, "{interval:?}");
        }
    }

    #[test]
    fn many_units_get_fewer_resamples() {
        let resamples = |units: usize| Bootstrap::new(units, RESAMPLES, 0).resamples;
        assert_eq!([0, 1, 5_000, 10_000].map(resamples), [RESAMPLES, RESAMPLES, RESAMPLES, 5_000]);
        assert_eq!([250_000, 1_000_000].map(resamples), [200, 200]);
        assert_eq!(Bootstrap::new(1_000_000, 50, 0).resamples, 50, "never more than asked for");
        let values: Vec<f64> = (0..300_000).map(|value| f64::from(value % 2)).collect();
        let Interval { low, high } = mean_interval(&values);
        // The mean of so many coins has a deviation of 0.5 / sqrt(300,000) = 0.0009.
        assert!(0.497 < low && low < 0.4995 && 0.5005 < high && high < 0.503, "{low} {high}");
    }
}
