//! One environment playing the lines of a trace.

use super::trace::{Line, Observation};
use super::{GoldenError, RAMP_INDEX};
use crate::env::{End, Env, EnvError, ObservationSpace, Outcome};
use crate::tape::{Draw, Script};

const STATE_TOLERANCE: f64 = 1e-12;
/// In f32 units in the last place.
const OBSERVATION_TOLERANCE: u64 = 2;

/// What is wrong with a line, before its place is known.
pub(super) enum Fault {
    Differs { field: &'static str, expected: String, got: String },
    Malformed(String),
    Environment(EnvError),
}

impl Fault {
    pub(super) fn at(self, line: usize, step: usize) -> GoldenError {
        match self {
            Self::Differs { field, expected, got } => GoldenError::Mismatch { line, step, field, expected, got },
            Self::Malformed(message) => GoldenError::Malformed { line, message },
            Self::Environment(error) => GoldenError::Environment { line, error },
        }
    }
}

impl From<EnvError> for Fault {
    fn from(error: EnvError) -> Self {
        Self::Environment(error)
    }
}

/// Demands equality.
fn same<T: PartialEq + ToString>(field: &'static str, expected: &T, got: &T) -> Result<(), Fault> {
    if expected == got { Ok(()) } else { Err(differs(field, expected, got)) }
}

fn differs(field: &'static str, expected: &impl ToString, got: &impl ToString) -> Fault {
    Fault::Differs { field, expected: expected.to_string(), got: got.to_string() }
}

/// An instance and where it stands in the trace.
pub(super) struct Replay {
    env: Box<dyn Env>,
    fresh: Vec<u8>,
    /// Steps since the reset; `None` before the first, and after a single transition.
    steps: Option<usize>,
    /// The float64 state that the last line recorded.
    recorded: Option<Vec<f64>>,
}

impl Replay {
    pub(super) fn new(mut env: Box<dyn Env>) -> Result<Self, EnvError> {
        Ok(Self { fresh: env.save()?, env, steps: None, recorded: None })
    }

    /// Steps since the reset.
    pub(super) fn step(&self) -> usize {
        self.steps.unwrap_or(1)
    }

    pub(super) fn play(&mut self, line: &Line) -> Result<(), Fault> {
        match line {
            Line::New { .. } => Ok(()),
            Line::Reset { draws, state, observation } => {
                self.steps = Some(0);
                let mut script = Script::new(draws);
                self.env.reset(&mut script)?;
                finish(script)?;
                self.compare(state.as_deref(), observation)
            }
            Line::Step { action, draws, reward, terminated, truncated, ramp_index, state, observation, .. } => {
                let Some(steps) = &mut self.steps else {
                    return Err(Fault::Malformed("a step before a reset".into()));
                };
                *steps += 1;
                if let Some(recorded) = self.recorded.take() {
                    let present = self.env.save()?;
                    self.set(present, &recorded)?;
                }
                let end = end(*terminated, *truncated);
                self.act(*action, draws, *reward, end)?;
                if let Some(expected) = ramp_index {
                    let counters = self.env.diagnostics();
                    let got = counters.iter().find(|(name, _)| *name == RAMP_INDEX).map(|(_, value)| value.to_string());
                    same(RAMP_INDEX, &expected.to_string(), &got.unwrap_or_else(|| "none".into()))?;
                }
                self.compare(state.as_deref(), observation)
            }
            Line::Transition { before, action, reward, terminated, state, observation } => {
                self.steps = None;
                self.set(self.fresh.clone(), before)?;
                self.act(*action, &[], *reward, end(*terminated, false))?;
                self.compare(Some(state), observation)
            }
        }
    }

    /// Loads a saved state with its leading numbers replaced.
    fn set(&mut self, mut saved: Vec<u8>, numbers: &[f64]) -> Result<(), Fault> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let Some(start) = saved.get_mut(..bytes.len()) else { return Err(no_such_state(numbers)) };
        start.copy_from_slice(&bytes);
        Ok(self.env.load(&saved)?)
    }

    fn act(&mut self, action: usize, draws: &[Draw], reward: f64, end: Option<End>) -> Result<(), Fault> {
        let mut script = Script::new(draws);
        let Outcome { reward: got_reward, end: got_end } = self.env.step(action, &mut script)?;
        finish(script)?;
        same("reward", &reward, &got_reward.into())?;
        for (field, flag) in [("terminated", End::Terminated), ("truncated", End::Truncated)] {
            same(field, &(end == Some(flag)), &(got_end == Some(flag)))?;
        }
        Ok(())
    }

    fn compare(&mut self, state: Option<&[f64]>, observation: &Observation) -> Result<(), Fault> {
        self.recorded = state.map(<[f64]>::to_vec);
        if let Some(expected) = state {
            let saved = self.env.save()?;
            let (numbers, _) = saved.as_chunks();
            if numbers.len() < expected.len() {
                return Err(no_such_state(expected));
            }
            for (&expected, got) in expected.iter().zip(numbers) {
                let got = f64::from_le_bytes(*got);
                let close = (got - expected).abs() <= STATE_TOLERANCE * expected.abs().max(1.0);
                if !close {
                    return Err(differs("state", &expected, &got));
                }
            }
        }
        let space = &self.env.spec().observation;
        let mut got = vec![0.0; space.len()];
        let (expected, tolerance) = match observation {
            Observation::Cells(cells) => (planes(space, cells)?, 0),
            Observation::Numbers(numbers) => (numbers.clone(), OBSERVATION_TOLERANCE),
        };
        self.env.observe(&mut got)?;
        same("length of the observation", &expected.len(), &got.len())?;
        for (i, (&expected, &got)) in expected.iter().zip(&got).enumerate() {
            if units_apart(expected, got) > tolerance {
                let place = self.env.spec().observation.place(i);
                return Err(differs("observation", &format!("{expected} for {place}"), &got));
            }
        }
        Ok(())
    }
}

fn no_such_state(numbers: &[f64]) -> Fault {
    Fault::Malformed(format!("the environment's saved state does not begin with {} float64 numbers", numbers.len()))
}

/// The one end behind the reference's two flags.
fn end(terminated: bool, truncated: bool) -> Option<End> {
    if terminated { Some(End::Terminated) } else { truncated.then_some(End::Truncated) }
}

fn finish(script: Script<'_>) -> Result<(), Fault> {
    script.finish().map_err(|deviation| differs("draws", &deviation.expected, &deviation.got))
}

/// The planes of these cells.
fn planes(space: &ObservationSpace, cells: &str) -> Result<Vec<f32>, Fault> {
    let ObservationSpace::Planes { channels, height, width, .. } = space else {
        return Err(differs("observation", &"cells of planes", &"a vector"));
    };
    let digits = if channels.len() == 1 { 2 } else { 3 };
    let mut planes = vec![0.0; space.len()];
    if !cells.len().is_multiple_of(digits) {
        return Err(Fault::Malformed(format!("`{cells}` has not {digits} digits to a cell")));
    }
    for cell in cells.as_bytes().chunks_exact(digits) {
        let digit = |i: usize| cell.get(i).map_or(0, |byte| usize::from(byte.wrapping_sub(b'0')));
        let (row, column, channel) = (digit(0), digit(1), digit(2));
        if row >= *height || column >= *width || channel >= channels.len() {
            return Err(Fault::Malformed(format!("`{}` is not a cell", String::from_utf8_lossy(cell))));
        }
        planes[(channel * height + row) * width + column] = 1.0;
    }
    Ok(planes)
}

/// How many f32 numbers lie between two.
fn units_apart(a: f32, b: f32) -> u64 {
    let order = |x: f32| {
        let magnitude = i64::from(x.to_bits() & 0x7fff_ffff);
        if x.is_sign_negative() { -magnitude } else { magnitude }
    };
    order(a).abs_diff(order(b))
}
