//! The format of golden traces: one JSON object a line.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use crate::tape::Draw;

/// What one line asks to do and what should come of it. Keys that are absent have their default.
#[derive(Debug, Deserialize)]
#[serde(tag = "k", deny_unknown_fields)]
pub(super) enum Line {
    /// A new instance.
    #[serde(rename = "n")]
    New {
        sticky: Option<f64>,
        ramp: Option<bool>,
        #[serde(rename = "env", default)]
        _env: de::IgnoredAny,
        #[serde(rename = "id", default)]
        _id: de::IgnoredAny,
        #[serde(rename = "shape", default)]
        _shape: de::IgnoredAny,
        #[serde(rename = "policy", default)]
        _policy: de::IgnoredAny,
        #[serde(rename = "seed", default)]
        _seed: de::IgnoredAny,
    },
    /// A reset.
    #[serde(rename = "r")]
    Reset {
        #[serde(default, rename = "d", deserialize_with = "draws")]
        draws: Vec<Draw>,
        #[serde(rename = "s")]
        state: Option<Vec<f64>>,
        #[serde(rename = "o")]
        observation: Observation,
    },
    /// A step.
    #[serde(rename = "s")]
    Step {
        #[serde(rename = "a")]
        action: usize,
        #[serde(default, rename = "d", deserialize_with = "draws")]
        draws: Vec<Draw>,
        #[serde(default, rename = "r")]
        reward: f64,
        #[serde(default, rename = "t", deserialize_with = "flag")]
        terminated: bool,
        #[serde(default, rename = "u", deserialize_with = "flag")]
        truncated: bool,
        #[serde(default, rename = "p", deserialize_with = "flag")]
        _past_the_end: bool,
        #[serde(rename = "m")]
        ramp_index: Option<u32>,
        #[serde(rename = "s")]
        state: Option<Vec<f64>>,
        #[serde(rename = "o")]
        observation: Observation,
    },
    /// One step of a new instance put into a given state.
    #[serde(rename = "x")]
    Transition {
        #[serde(rename = "s0")]
        before: Vec<f64>,
        #[serde(rename = "a")]
        action: usize,
        #[serde(default, rename = "r")]
        reward: f64,
        #[serde(default, rename = "t", deserialize_with = "flag")]
        terminated: bool,
        #[serde(rename = "s")]
        state: Vec<f64>,
        #[serde(rename = "o")]
        observation: Observation,
    },
}

/// An observation as a trace has it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Observation {
    /// The cells that are set: row and column, or row, column and channel, a digit each.
    Cells(String),
    /// All numbers.
    Numbers(Vec<f32>),
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match u8::deserialize(deserializer)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(de::Error::custom(format!("a flag is {other}, not 0 or 1"))),
    }
}

fn draws<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Draw>, D::Error> {
    let entries = Vec::<Vec<Value>>::deserialize(deserializer)?;
    entries
        .iter()
        .map(|entry| {
            draw(entry).ok_or_else(|| de::Error::custom(format!("{} is not a draw", Value::from(entry.clone()))))
        })
        .collect()
}

/// A draw whose value lies in its range.
fn draw(entry: &[Value]) -> Option<Draw> {
    let (kind, numbers) = entry.split_first()?;
    match (kind.as_str()?, numbers) {
        ("u", [value]) => {
            let value = value.as_f64()?;
            (0.0..1.0).contains(&value).then_some(Draw::Unit { value })
        }
        ("U", [low, high, value]) => {
            let (low, high, value) = (low.as_f64()?, high.as_f64()?, value.as_f64()?);
            (low..high).contains(&value).then_some(Draw::Uniform { low, high, value })
        }
        ("i", [low, high, value]) => {
            let (low, high, value) = (low.as_i64()?, high.as_i64()?, value.as_i64()?);
            (low..high).contains(&value).then_some(Draw::Integer { low, high, value })
        }
        _ => None,
    }
}
