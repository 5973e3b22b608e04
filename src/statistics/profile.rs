//! Performance profiles.

use super::bootstrap::percentiles;
use super::{Bootstrap, CONFIDENCE, Estimate, Interval, Resampling, Scores};

/// The performance profile `F(τ) = Σ c[r, t] 1(x[r, t] > τ) / Σ c[r, t]` at each of the `thresholds`, which ascend, with
/// 95 % intervals point by point (Dolan and Moré, 2002; over runs and tasks, Agarwal et al., 2021).
///
/// A score that is NaN lies above nothing.
pub fn profile(scores: &Scores, thresholds: &[f64], resampling: Resampling, resamples: usize) -> Vec<Estimate> {
    let bootstrap = Bootstrap::new(scores.runs, resamples, 0);
    let total = scores.values.len() as f64;
    // How many thresholds each score lies above.
    let passed: Vec<usize> =
        scores.values.iter().map(|score| thresholds.partition_point(|threshold| score > threshold)).collect();
    let fractions = |counts: &[u32]| {
        let mut above = vec![0_u64; thresholds.len() + 1];
        passed.iter().zip(counts).for_each(|(&passed, &count)| above[passed] += u64::from(count));
        let mut sum = above.pop().unwrap_or_default();
        // From the highest threshold down: what passed exactly so many lies above one fewer.
        for at in above.iter_mut().rev() {
            sum += std::mem::replace(at, sum);
        }
        above.into_iter().map(|above| above as f64 / total).collect::<Vec<_>>()
    };
    let mut draws = bootstrap.draws(scores.tasks, resampling);
    let mut resampled = vec![Vec::with_capacity(bootstrap.resamples()); thresholds.len()];
    for _ in 0..bootstrap.resamples() {
        let fractions = fractions(draws.next());
        resampled.iter_mut().zip(fractions).for_each(|(values, fraction)| values.push(fraction));
    }
    let intervals = resampled.into_iter().map(|values| percentiles(values, CONFIDENCE));
    let estimate = |(value, interval): (f64, Interval)| Estimate { value, interval };
    fractions(&scores.once()).into_iter().zip(intervals).map(estimate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_above_each_threshold_by_hand() {
        let scores = Scores::new(&[[0.0, 0.5], [1.0, f64::NAN]]);
        let points = profile(&scores, &[-1.0, 0.0, 0.25, 0.5, 1.0], Resampling::WholeRuns, 100);
        let values: Vec<f64> = points.iter().map(|point| point.value).collect();
        assert_eq!(values, [0.75, 0.5, 0.5, 0.25, 0.0], "strictly above");
        // A resample has the first run 0, 1 or 2 times, and with it 0, ¼ or ½ of all scores above ¼ that are its own.
        assert_eq!(points[2].interval, Interval { low: 0.5, high: 0.5 });
        assert_eq!(points[3].interval, Interval { low: 0.0, high: 0.5 });
        assert!(profile(&scores, &[], Resampling::WholeRuns, 10).is_empty());
        assert!(profile(&Scores::new::<[f64; 2]>(&[]), &[0.5], Resampling::WholeRuns, 10)[0].value.is_nan());
    }
}
