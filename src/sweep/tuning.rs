//! Which of several strengths of a method to take.

use crate::statistics::{Bootstrap, CONFIDENCE, Interval, RESAMPLES, mean};

/// Seeds below which no difference is told from chance.
pub const FEWEST_SEEDS: usize = 5;

/// A strength that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// The strength, lambda.
    pub strength: f64,
    /// The average performance of each seed, in the same order for all strengths.
    pub scores: Vec<f64>,
}

/// What the strengths that were tried say.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// The index of the strength with the highest mean.
    pub best: usize,
    /// Of each strength, by how much the best is better: the mean over seeds of the difference, with its 95 % bootstrap
    /// interval over seeds if there are five or more. Where that holds 0, these seeds do not tell the two apart. Of fewer
    /// seeds, all may differ in one direction by chance: three do in a quarter of all cases.
    pub behind: Vec<(f64, Option<Interval>)>,
}

impl Recommendation {
    /// Compares strengths with the best, seed by seed, which takes what the seeds have in common out of the difference; None
    /// of nothing, or where there is no number.
    pub fn of(tried: &[Tried]) -> Option<Self> {
        let means = tried.iter().map(|tried| mean(&tried.scores));
        let best = means.enumerate().filter(|(_, mean)| mean.is_finite()).max_by(|a, b| a.1.total_cmp(&b.1))?.0;
        let behind = |other: &Tried| {
            let differences: Vec<f64> =
                tried[best].scores.iter().zip(&other.scores).map(|(best, other)| best - other).collect();
            let seeds = differences.len();
            let interval = || Bootstrap::new(seeds, RESAMPLES, 0).mean_interval(&differences, CONFIDENCE);
            (mean(&differences), (seeds >= FEWEST_SEEDS).then(interval))
        };
        Some(Self { best, behind: tried.iter().map(behind).collect() })
    }

    /// The strengths that these seeds do not tell from the best, the best left out.
    pub fn alike(&self) -> Vec<usize> {
        let alike =
            |index: &usize| *index != self.best && self.behind[*index].1.is_some_and(|behind| behind.low <= 0.0);
        (0..self.behind.len()).filter(alike).collect()
    }

    /// Whether the best is the smallest or the largest that was tried, so that a better one may lie beyond.
    pub fn at_edge(&self) -> Option<Edge> {
        match self.best {
            0 => Some(Edge::Smallest),
            last if last + 1 == self.behind.len() => Some(Edge::Largest),
            _ => None,
        }
    }
}

/// An end of the strengths that were tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Nothing smaller was tried.
    Smallest,
    /// Nothing larger was tried.
    Largest,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(strength: f64, scores: &[f64]) -> Tried {
        Tried { strength, scores: scores.into() }
    }

    #[test]
    fn the_best_mean_is_recommended_and_what_is_alike_is_named() {
        let tried = [
            tried(0.1, &[0.5, 0.6, 0.4, 0.5, 0.5]),
            tried(1.0, &[0.9, 0.7, 0.8, 0.9, 0.7]),
            tried(10.0, &[0.8, 0.8, 0.8, 0.7, 0.8]),
        ];
        let found = Recommendation::of(&tried).unwrap();
        assert_eq!((found.best, found.alike(), found.at_edge()), (1, vec![2], None));
        assert!((found.behind[0].0 - 0.3).abs() < 1e-12 && found.behind[0].1.unwrap().low > 0.0);
        assert_eq!(found.behind[1].0, 0.0);
    }

    #[test]
    fn a_difference_that_every_seed_has_is_told_however_far_the_seeds_lie_apart() {
        let tried = [tried(1.0, &[0.1, 0.5, 0.9, 0.0, 0.3]), tried(10.0, &[0.2, 0.6, 1.0, 0.1, 0.4])];
        let found = Recommendation::of(&tried).unwrap();
        assert_eq!((found.best, found.alike(), found.at_edge()), (1, vec![], Some(Edge::Largest)));
    }

    #[test]
    fn four_seeds_tell_nothing_apart() {
        let found = Recommendation::of(&[tried(1.0, &[0.1; 4]), tried(10.0, &[0.9; 4])]).unwrap();
        assert_eq!((found.best, found.behind[0].1, found.alike()), (1, None, vec![]));
    }

    #[test]
    fn without_numbers_there_is_nothing_to_recommend() {
        assert_eq!(Recommendation::of(&[]), None);
        assert_eq!(Recommendation::of(&[tried(1.0, &[f64::NAN])]), None);
    }
}
