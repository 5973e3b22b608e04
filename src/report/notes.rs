//! How to read the numbers, in words.

use super::{MEASURES, PAIR_RESAMPLES, Report};
use crate::statistics::{Bootstrap, RESAMPLES, Resampling};

/// Fewer runs than this make a percentile interval too narrow to be taken at its word.
const RELIABLE: usize = 10;

/// Terms with what they mean.
pub fn terms() -> Vec<(&'static str, &'static str)> {
    let mut terms: Vec<_> = MEASURES.iter().map(|measure| (measure.heading, measure.meaning)).collect();
    terms.push(("IQM", "interquartile mean: mean of the middle half of all final scores, over runs and tasks"));
    terms.push((
        "optimality gap",
        "how far final scores lie below 1 on average, scores above 1 counted as 1; lower is better",
    ));
    terms.push((
        "probability of improvement",
        "how often a run of one group has the higher final score on a task, over all pairs of runs, mean over tasks; ties \
         count half, so 0.5 is no difference",
    ));
    terms
}

/// What scores and intervals are, a paragraph each.
pub fn paragraphs(report: &Report) -> Vec<String> {
    let runs = || report.comparison.groups.iter().map(|group| group.runs.len());
    let resamples = |most: usize| {
        let fewest = runs().map(|runs| Bootstrap::new(runs, most, 0).resamples()).min().unwrap_or(most);
        thousands(fewest)
    };
    let drawn = match report.resampling {
        Resampling::WholeRuns => {
            "Runs are drawn with all their scores, because the tasks of one run are one trajectory and not independent."
        }
        Resampling::Stratified => {
            "For the final scores (final, IQM, optimality gap, probability of improvement, profiles) runs are drawn for each \
             task apart, as rliable does; that takes the tasks of a run for independent, and intervals come out narrower \
             where they are not. For everything else runs are drawn with all their scores."
        }
    };
    let mut paragraphs = vec![
        "A score of 0 is the mean return of a random policy, a score of 1 that of an agent trained on the task alone, both as \
         the config states them under reference; scores below 0 and above 1 occur. Evaluation is greedy."
            .to_owned(),
        format!(
            "Brackets hold 95 % percentile bootstrap intervals from {} resamples, {} for curves, profiles and \
             probabilities of improvement. {drawn}",
            resamples(RESAMPLES),
            resamples(PAIR_RESAMPLES)
        ),
    ];
    match runs().min() {
        Some(1) => paragraphs.push(
            "Some groups are a single run: their numbers have no interval and say nothing about other seeds.".into(),
        ),
        Some(fewest) if fewest < RELIABLE => paragraphs.push(format!(
            "With as few as {fewest} runs these intervals tend to be too narrow: take small differences for open questions."
        )),
        _ => {}
    }
    paragraphs
}

/// A whole number with a comma between thousands.
pub fn thousands(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", thousands(number / 1_000), number % 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!([7, 999, 1_000, 45_678, 1_002_003].map(thousands), ["7", "999", "1,000", "45,678", "1,002,003"]);
    }
}
