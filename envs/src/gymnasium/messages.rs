//! What is said to a worker and what it answers, as bytes: `worker.py` has the table.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::env::{End, Outcome};
use crate::frame::Frame;

/// The longest message that is taken for one: pictures are far smaller.
pub(super) const MOST_BYTES: usize = 1 << 26;

/// What is asked of a worker.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    Make(&'a str),
    Reset(u64),
    Step(u32),
    Picture,
}

impl Request<'_> {
    /// What it asks for, in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Make(_) => "make",
            Self::Reset(_) => "reset",
            Self::Step(_) => "step",
            Self::Picture => "render",
        }
    }

    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Make(settings) => [b"m", settings.as_bytes()].concat(),
            Self::Reset(seed) => [&b"r"[..], &seed.to_le_bytes()].concat(),
            Self::Step(action) => [&b"s"[..], &action.to_le_bytes()].concat(),
            Self::Picture => b"p".to_vec(),
        }
    }

    /// Writes it with its length, in one piece.
    pub fn send(self, out: &mut impl Write) -> io::Result<()> {
        let bytes = self.bytes();
        out.write_all(&[&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat())?;
        out.flush()
    }
}

/// What a worker answers: `Ok` with what was asked for, or why not.
pub(super) enum Reply {
    Done(Vec<u8>),
    Refused(String),
    Failed(String),
}

/// Reads one reply.
pub(super) fn receive(source: &mut impl Read) -> io::Result<Reply> {
    let mut length = [0; 4];
    source.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if !(1..=MOST_BYTES).contains(&length) {
        return Err(foreign(&format!("a message of {length} bytes")));
    }
    let mut status = [0];
    source.read_exact(&mut status)?;
    let mut contents = Vec::new();
    // Grows with what really comes, so that a wrong length costs no memory.
    source.take(length as u64 - 1).read_to_end(&mut contents)?;
    if contents.len() < length - 1 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let text = |contents: Vec<u8>| String::from_utf8_lossy(&contents).into_owned();
    match status[0] {
        b'0' => Ok(Reply::Done(contents)),
        b'1' => Ok(Reply::Refused(text(contents))),
        b'2' => Ok(Reply::Failed(text(contents))),
        other => Err(foreign(&format!("a status of {other}"))),
    }
}

/// The error for what no worker says.
pub(super) fn foreign(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// What a worker is asked to make.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Settings {
    pub id: String,
    pub kwargs: serde_json::Value,
    pub frame_skip: i64,
    pub frame_stack: i64,
    pub size: i64,
    pub gray: bool,
}

/// The kind of number an observation is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Planes of 0 and 1, a byte each.
    Bits,
    /// Planes of 0 to 255, a byte each.
    Bytes,
    /// A vector of f32.
    Numbers,
}

/// What a worker says of the environment it made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub actions: Vec<String>,
    pub kind: Kind,
    pub shape: Vec<usize>,
    /// Whether it draws pictures.
    pub draws: bool,
    pub step_limit: Option<u32>,
}

impl Description {
    /// Reads it; an observation has at most [`MOST_BYTES`].
    pub fn read(bytes: &[u8]) -> io::Result<Self> {
        let description: Self = serde_json::from_slice(bytes).map_err(io::Error::from)?;
        let planes = description.kind != Kind::Numbers;
        let length = description.shape.iter().try_fold(1_usize, |length, side| length.checked_mul(*side));
        match length {
            Some(length) if length <= MOST_BYTES / 8 && description.shape.len() == if planes { 3 } else { 1 } => {
                Ok(description)
            }
            _ => Err(foreign(&format!("observations of shape {:?}", description.shape))),
        }
    }

    /// Bytes of an observation.
    pub fn bytes(&self) -> usize {
        self.shape.iter().product::<usize>() * if self.kind == Kind::Numbers { 4 } else { 1 }
    }
}

/// Reads the reply to a step, whose observation has `length` bytes.
pub(super) fn stepped(reply: &[u8], length: usize) -> io::Result<(Outcome, &[u8])> {
    let (Some((reward, rest)), true) = (reply.split_first_chunk(), reply.len() == length + 9) else {
        return Err(foreign(&format!("a step of {} bytes in place of {}", reply.len(), length + 9)));
    };
    let end = match rest[0] {
        0 => None,
        1 => Some(End::Terminated),
        2 => Some(End::Truncated),
        other => return Err(foreign(&format!("an ending of kind {other}"))),
    };
    Ok((Outcome { reward: f64::from_le_bytes(*reward) as f32, end }, &rest[1..]))
}

/// Reads the reply to a request for a picture.
pub(super) fn picture(reply: &[u8]) -> io::Result<Frame> {
    let side = |at: usize| reply.get(at..)?.first_chunk().map(|side| u32::from_le_bytes(*side) as usize);
    let (Some(width), Some(height)) = (side(0), side(4)) else { return Err(foreign("a picture without a size")) };
    let rgb = &reply[8..];
    if width == 0 || Some(rgb.len()) != width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3)) {
        return Err(foreign(&format!("a picture of {width}x{height} in {} bytes", rgb.len())));
    }
    Ok(Frame { width, height, rgb: rgb.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a worker says, it is taken or refused; `ENGRAM_FUZZ_CASES` sets how much is tried.
    #[test]
    fn any_bytes_are_read_without_a_panic() {
        use proptest::prelude::*;
        let cases = std::env::var("ENGRAM_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500);
        let config = proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() };
        let description = br#"{"actions":["a"],"kind":"bits","shape":[1,2,3],"draws":true,"step_limit":null}"#;
        let told = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            (any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(at, value)| {
                let mut bytes = description.to_vec();
                bytes[at.index(description.len())] = value;
                bytes
            }),
        ];
        let outcome = proptest::test_runner::TestRunner::new(config).run(&told, |told| {
            let _ = receive(&mut told.as_slice());
            let long = [&(told.len() as u32 + 1).to_le_bytes()[..], b"0", &told].concat();
            prop_assert!(matches!(receive(&mut long.as_slice()), Ok(Reply::Done(same)) if same == told));
            let _ = stepped(&told, told.len().saturating_sub(9));
            let _ = picture(&told);
            if let Ok(description) = Description::read(&told) {
                prop_assert!(description.bytes() <= MOST_BYTES);
            }
            Ok(())
        });
        outcome.unwrap();
    }
}
