//! Statistics over runs and over episodes: averages, aggregates of whole sets of runs, and bootstrap intervals.
//!
//! A resample is how often each unit was drawn, and every statistic takes such counts: each value once is the sample
//! itself. So nothing is copied or sorted anew for a resample, and statistics of one set of runs can share the draws.

mod aggregate;
mod bootstrap;
mod improvement;
mod profile;
mod scores;

pub use aggregate::{interquartile_mean, mean_score, median_score, optimality_gap};
pub use bootstrap::{Bootstrap, CONFIDENCE, Draws, RESAMPLES, Resampling};
pub use improvement::improvement;
pub use profile::profile;
pub use scores::{Scores, Statistic, estimates};

/// A range of plausible values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A value and the interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The statistic of the sample itself.
    pub value: f64,
    /// Its bootstrap interval; of width zero for a single run, which says nothing about others.
    pub interval: Interval,
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
}
