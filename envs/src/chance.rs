//! The draws an environment may make: a seeded generator in use, recorded draws in conformance tests.

use rand::Rng;
use rand_pcg::Pcg64;

/// A source of random draws.
pub trait Chance {
    /// A float in `[0, 1)`.
    fn unit(&mut self) -> f64;
    /// A float in `[low, high)`.
    fn uniform(&mut self, low: f64, high: f64) -> f64;
    /// An integer `n` with `low <= n < high`.
    fn integer(&mut self, low: i64, high: i64) -> i64;
}

impl Chance for Pcg64 {
    fn unit(&mut self) -> f64 {
        self.random()
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        self.random_range(low..high)
    }

    fn integer(&mut self, low: i64, high: i64) -> i64 {
        self.random_range(low..high)
    }
}

/// Answers every integer draw with one number: picks the start of an environment that has
/// [`starts`](crate::Spec::starts).
#[derive(Debug, Clone, Copy)]
pub struct Start(pub i64);

impl Chance for Start {
    fn unit(&mut self) -> f64 {
        0.0
    }

    fn uniform(&mut self, low: f64, _high: f64) -> f64 {
        low
    }

    fn integer(&mut self, _low: i64, _high: i64) -> i64 {
        self.0
    }
}
