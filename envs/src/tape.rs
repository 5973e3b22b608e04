//! Draws written down: recorded while an environment plays, or laid out beforehand for it to ask for.

use std::fmt;

use crate::chance::Chance;

/// One random draw: what was asked for and what came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Draw {
    /// A float in `[0, 1)`.
    Unit {
        /// What came.
        value: f64,
    },
    /// A float in `[low, high)`.
    Uniform {
        /// The lower bound, included.
        low: f64,
        /// The upper bound, excluded.
        high: f64,
        /// What came.
        value: f64,
    },
    /// An integer in `low..high`.
    Integer {
        /// The lower bound, included.
        low: i64,
        /// The upper bound, excluded.
        high: i64,
        /// What came.
        value: i64,
    },
}

impl fmt::Display for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit { .. } => write!(f, "a float in [0, 1)"),
            Self::Uniform { low, high, .. } => write!(f, "a float in [{low:?}, {high:?})"),
            Self::Integer { low, high, .. } => write!(f, "an integer in {low}..{high}"),
        }
    }
}

/// Passes draws through and keeps a record of them.
#[derive(Debug, Clone)]
pub struct Recorder<C> {
    chance: C,
    draws: Vec<Draw>,
}

impl<C: Chance> Recorder<C> {
    /// Records the draws of `chance`.
    pub fn new(chance: C) -> Self {
        Self { chance, draws: Vec::new() }
    }

    /// All draws so far, in order.
    pub fn draws(&self) -> &[Draw] {
        &self.draws
    }
}

impl<C: Chance> Chance for Recorder<C> {
    fn unit(&mut self) -> f64 {
        let value = self.chance.unit();
        self.draws.push(Draw::Unit { value });
        value
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        let value = self.chance.uniform(low, high);
        self.draws.push(Draw::Uniform { low, high, value });
        value
    }

    fn integer(&mut self, low: i64, high: i64) -> i64 {
        let value = self.chance.integer(low, high);
        self.draws.push(Draw::Integer { low, high, value });
        value
    }
}

/// How the draws asked for departed from a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// What the script has.
    pub expected: String,
    /// What was asked for.
    pub got: String,
}

/// Gives laid-out draws, provided that each is asked for by the same kind and range.
///
/// The first departure is kept rather than raised, since [`Chance`] cannot fail: from there on every answer is the
/// lower bound, and [`Script::finish`] tells.
#[derive(Debug)]
pub struct Script<'a> {
    draws: std::slice::Iter<'a, Draw>,
    deviation: Option<Deviation>,
}

impl<'a> Script<'a> {
    /// A script of these draws.
    pub fn new(draws: &'a [Draw]) -> Self {
        Self { draws: draws.iter(), deviation: None }
    }

    /// The first departure from the script, draws left over included.
    pub fn finish(mut self) -> Result<(), Deviation> {
        let left_over = self.draws.next().map(|draw| Deviation { expected: draw.to_string(), got: "no draw".into() });
        self.deviation.or(left_over).map_or(Ok(()), Err)
    }

    /// The next draw if it is `asked` for but for its value.
    fn next(&mut self, asked: Draw) -> Option<Draw> {
        if self.deviation.is_some() {
            return None;
        }
        let next = self.draws.next().copied();
        let fits = match (next, asked) {
            (Some(Draw::Unit { .. }), Draw::Unit { .. }) => true,
            (Some(Draw::Uniform { low, high, .. }), Draw::Uniform { low: l, high: h, .. }) => (low, high) == (l, h),
            (Some(Draw::Integer { low, high, .. }), Draw::Integer { low: l, high: h, .. }) => (low, high) == (l, h),
            _ => false,
        };
        if !fits {
            let expected = next.map_or_else(|| "no draw".into(), |draw| draw.to_string());
            self.deviation = Some(Deviation { expected, got: asked.to_string() });
        }
        next.filter(|_| fits)
    }
}

impl Chance for Script<'_> {
    fn unit(&mut self) -> f64 {
        match self.next(Draw::Unit { value: 0.0 }) {
            Some(Draw::Unit { value }) => value,
            _ => 0.0,
        }
    }

    fn uniform(&mut self, low: f64, high: f64) -> f64 {
        match self.next(Draw::Uniform { low, high, value: low }) {
            Some(Draw::Uniform { value, .. }) => value,
            _ => low,
        }
    }

    fn integer(&mut self, low: i64, high: i64) -> i64 {
        match self.next(Draw::Integer { low, high, value: low }) {
            Some(Draw::Integer { value, .. }) => value,
            _ => low,
        }
    }
}
