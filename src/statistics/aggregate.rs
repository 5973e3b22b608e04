//! One number for all scores of a set of runs, as Agarwal et al. 2021, *Deep reinforcement learning at the edge of the
//! statistical precipice*, recommend. Scores are normalised; `c` counts how often a resample holds each of them.

use super::Scores;

/// The mean `Σ c[r, t] x[r, t] / Σ c[r, t]` over all runs and tasks.
pub fn mean_score(scores: &Scores, counts: &[u32]) -> f64 {
    mean_of(scores, counts, |score| score)
}

/// The interquartile mean: that of the middle half of all scores, whatever their run and task.
///
/// With the `N` scores in ascending order it is the mean of those at the ranks `⌊N / 4⌋` to `N - ⌊N / 4⌋ - 1`, counted
/// from 0. It is as robust as the median and uses half of the scores.
pub fn interquartile_mean(scores: &Scores, counts: &[u32]) -> f64 {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let (from, to) = (total / 4, total - total / 4);
    let (mut rank, mut sum) = (0, 0.0);
    // Unknown scores stand at an end and would be cut off.
    let ends = [scores.ascending.first(), scores.ascending.last()];
    if ends.iter().flatten().any(|cell| scores.values[**cell as usize].is_nan()) {
        return f64::NAN;
    }
    for &cell in &scores.ascending {
        let next = rank + u64::from(counts[cell as usize]);
        let inside = next.min(to).saturating_sub(rank.max(from));
        if inside > 0 {
            sum += inside as f64 * scores.values[cell as usize];
        }
        rank = next;
        if rank >= to {
            break;
        }
    }
    sum / (to - from) as f64
}

/// The median over tasks of the mean over runs `Σ_r c[r, t] x[r, t] / Σ_r c[r, t]`; of an even number of tasks, the mean
/// of the middle two.
pub fn median_score(scores: &Scores, counts: &[u32]) -> f64 {
    let mut means: Vec<f64> = (0..scores.tasks)
        .map(|task| {
            let cells = || (task..scores.values.len()).step_by(scores.tasks);
            let total: u32 = cells().map(|cell| counts[cell]).sum();
            cells().map(|cell| f64::from(counts[cell]) * scores.values[cell]).sum::<f64>() / f64::from(total)
        })
        .collect();
    if means.is_empty() || means.iter().any(|mean| mean.is_nan()) {
        return f64::NAN;
    }
    means.sort_unstable_by(f64::total_cmp);
    f64::midpoint(means[(means.len() - 1) / 2], means[means.len() / 2])
}

/// The optimality gap `1 - Σ c[r, t] min(x[r, t], 1) / Σ c[r, t]`: how far the scores lie below 1, where more than 1 on one
/// task makes up for nothing on another.
pub fn optimality_gap(scores: &Scores, counts: &[u32]) -> f64 {
    1.0 - mean_of(scores, counts, |score| if score > 1.0 { 1.0 } else { score })
}

fn mean_of(scores: &Scores, counts: &[u32], value: impl Fn(f64) -> f64) -> f64 {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    let sum: f64 = scores.values.iter().zip(counts).map(|(&score, &count)| f64::from(count) * value(score)).sum();
    sum / total as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-12, "{value} {expected}");
    }

    /// Two runs, three tasks.
    fn scores() -> Scores {
        Scores::new(&[[0.5, 2.0, -1.0], [0.25, 1.0, 0.75]])
    }

    #[test]
    fn aggregates_by_hand() {
        let (scores, once) = (scores(), [1; 6]);
        close(mean_score(&scores, &once), 3.5 / 6.0);
        // -1, .25, .5, .75, 1, 2: ⌊6 / 4⌋ = 1 is cut off at each end.
        close(interquartile_mean(&scores, &once), 2.5 / 4.0);
        // The tasks' means are .375, 1.5, -.125.
        close(median_score(&scores, &once), 0.375);
        close(median_score(&Scores::new(&[[1.0, 4.0], [2.0, 8.0]]), &[1; 4]), f64::midpoint(1.5, 6.0));
        close(optimality_gap(&scores, &once), 1.0 - (0.5 + 1.0 - 1.0 + 0.25 + 1.0 + 0.75) / 6.0);
    }

    #[test]
    fn counts_are_repetitions() {
        let counts = [2, 0, 1, 0, 2, 1];
        let repeated = Scores::new(&[[0.5, 1.0, -1.0], [0.5, 1.0, 0.75]]);
        for statistic in [mean_score, interquartile_mean, median_score, optimality_gap] {
            close(statistic(&scores(), &counts), statistic(&repeated, &[1; 6]));
        }
    }

    #[test]
    fn an_interquartile_mean_may_take_a_part_of_the_repetitions() {
        // 0 0 0 1 1 1 1 9 without two at each end: 0 1 1 1.
        close(interquartile_mean(&Scores::new(&[[0.0], [1.0], [9.0]]), &[3, 4, 1]), 0.75);
        // Fewer than four scores lose none.
        close(interquartile_mean(&Scores::new(&[[0.0], [1.0], [5.0]]), &[1, 1, 1]), 2.0);
    }

    #[test]
    fn an_unknown_score_is_not_cut_off() {
        let scores = Scores::new(&[[0.0], [0.0], [0.0], [f64::NAN]]);
        for statistic in [mean_score, interquartile_mean, median_score, optimality_gap] {
            assert!(statistic(&scores, &[1; 4]).is_nan());
        }
    }
}
