//! Golden traces: an environment replays what a reference implementation did, with its random draws on a tape.
//!
//! A trace is text, one JSON object a line; its key `k` says what the line is.
//!
//! | k | meaning | other keys, with their defaults |
//! | --- | --- | --- |
//! | `n` | a new instance | `sticky` and `ramp` become the options `sticky` and `ramping`; `env`, `id`, `shape`, `policy` and `seed` inform |
//! | `r` | a reset | draws `d` (none), observation `o`, state `s` |
//! | `s` | a step | action `a`, draws `d` (none), reward `r` (0), terminated `t` (0), truncated `u` (0), `o`, `s`, ramp index `m`; `p` (0) is 1 after the end |
//! | `x` | one step of a new instance from a given state | state before `s0`, `a`, `r` (0), `t` (0), `s`, `o` |
//!
//! A draw is `["u", value]` in [0, 1), `["U", low, high, value]` or `["i", low, high, value]`, the upper bound excluded.
//! An observation is a list of numbers, or for planes the set cells as digits: row and column, and channel if there
//! are several. Where a trace sets both flags, the episode was terminated.
//!
//! Exact are draws, rewards, flags, ramp index and planes. Where lines have a state (float64), it is set before each
//! step, so that rounding does not add up, and compared to 1e-12; other observations may be two f32 units off.

mod replay;
mod trace;

use std::fmt;
use std::io::{self, BufRead, Read};

use serde::Serialize;

use crate::env::{Env, EnvError};
use crate::options::{Options, Value};
use replay::Replay;
use trace::Line;

/// The name in [`Env::diagnostics`] of the counter that a trace's `m` is compared with.
pub const RAMP_INDEX: &str = "ramp index";

/// No honest line comes near; a file without line ends must not fill the memory.
const LONGEST_LINE: u64 = 1 << 20;

/// What was replayed without a difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Lines of the trace.
    pub lines: usize,
    /// New instances among them.
    pub instances: usize,
    /// Resets among them.
    pub resets: usize,
    /// Steps among them, single transitions included.
    pub steps: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines, all equal", self.lines)
    }
}

/// Why a trace was not replayed to its end.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// The environment departs from the trace.
    #[error("line {line}, step {step}: {field}: expected {expected}, got {got}")]
    Mismatch {
        /// The line of the trace, from 1.
        line: usize,
        /// Steps since the reset; 0 is the reset itself.
        step: usize,
        /// What differs.
        field: &'static str,
        /// What the trace has.
        expected: String,
        /// What the environment gave.
        got: String,
    },
    /// The trace is not one.
    #[error("line {line}: not a trace: {message}")]
    Malformed {
        /// The line of the trace, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The environment refused what the trace asks for.
    #[error("line {line}: {error}")]
    Environment {
        /// The line of the trace, from 1.
        line: usize,
        /// The refusal.
        error: EnvError,
    },
    /// The trace cannot be read.
    #[error("line {line}: cannot read the trace: {error}")]
    Read {
        /// The line of the trace, from 1.
        line: usize,
        /// Why.
        error: io::Error,
    },
}

/// Replays a trace on environments from `make`, up to the first difference.
pub fn verify(
    mut make: impl FnMut(&Options) -> Result<Box<dyn Env>, EnvError>,
    mut trace: impl BufRead,
) -> Result<Report, GoldenError> {
    let mut report = Report::default();
    let mut replay: Option<Replay> = None;
    let mut text = Vec::new();
    loop {
        let line = report.lines + 1;
        let malformed = |message: String| GoldenError::Malformed { line, message };
        text.clear();
        let read = trace.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut text);
        match read.map_err(|error| GoldenError::Read { line, error })? as u64 {
            0 if report.lines > 0 => return Ok(report),
            0 => return Err(malformed("it is empty".into())),
            LONGEST_LINE => return Err(malformed("the line is too long".into())),
            _ => report.lines = line,
        }
        let parsed: Line = serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        if let Line::New { sticky, ramp, .. } = parsed {
            let env = make(&options(sticky, ramp)).and_then(Replay::new);
            replay = Some(env.map_err(|error| GoldenError::Environment { line, error })?);
        } else {
            let Some(replay) = &mut replay else {
                return Err(malformed("the first line must make an instance (k is n)".into()));
            };
            replay.play(&parsed).map_err(|fault| fault.at(line, replay.step()))?;
        }
        match parsed {
            Line::New { .. } => report.instances += 1,
            Line::Reset { .. } => report.resets += 1,
            Line::Step { .. } | Line::Transition { .. } => report.steps += 1,
        }
    }
}

/// The options that a new instance is made with.
fn options(sticky: Option<f64>, ramp: Option<bool>) -> Options {
    let sticky = sticky.map(|probability| ("sticky".into(), Value::Float(probability)));
    let ramping = ramp.map(|on| ("ramping".into(), Value::Boolean(on)));
    sticky.into_iter().chain(ramping).collect()
}
