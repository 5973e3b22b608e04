//! How observations are laid down in memory and read back, slot by slot.

use serde::{Deserialize, Serialize};

use crate::kernels::vectorized;

/// How observations are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Each number is 0 or 1: one bit each.
    Bits,
    /// Each number is `k / 255` with a whole `k` from 0 to 255, as a byte plane brought to `[0, 1]`: one byte each.
    Bytes,
    /// The same, and the observation is a stack of the last `frames` frames of its episode, the oldest first, before
    /// which its first frame stands: one byte for each number of a frame, since stacks are rebuilt from the frames.
    Stack {
        /// How many frames an observation has.
        frames: usize,
    },
    /// Any numbers: four bytes each.
    Floats,
}

impl Packing {
    /// Bytes that an observation of `len` numbers takes.
    pub fn bytes(self, len: usize) -> usize {
        match self {
            Self::Bits => 8 * len.div_ceil(64),
            Self::Bytes => len,
            Self::Stack { .. } => len / self.stacked(),
            Self::Floats => 4 * len,
        }
    }

    /// Frames that an observation is made of.
    pub(super) fn stacked(self) -> usize {
        match self {
            Self::Stack { frames } => frames.max(1),
            Self::Bits | Self::Bytes | Self::Floats => 1,
        }
    }
}

/// A ring of slots, each with the newest frame of an observation; where observations are no stacks, that is all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frames {
    capacity: usize,
    /// Frames in an observation.
    stacked: usize,
    /// Numbers in a frame.
    frame_len: usize,
    store: Store,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Store {
    Bits(Vec<u64>),
    Bytes(Vec<u8>),
    Floats(Vec<f32>),
}

impl Frames {
    pub fn new(capacity: usize, observation_len: usize, packing: Packing) -> Self {
        let stacked = packing.stacked();
        let frame_len = observation_len / stacked;
        let store = match packing {
            Packing::Bits => Store::Bits(vec![0; capacity * frame_len.div_ceil(64)]),
            Packing::Bytes | Packing::Stack { .. } => Store::Bytes(vec![0; capacity * frame_len]),
            Packing::Floats => Store::Floats(vec![0.0; capacity * frame_len]),
        };
        Self { capacity, stacked, frame_len, store }
    }

    /// Whether this was made with these numbers.
    pub fn is_of(&self, capacity: usize, observation_len: usize, packing: Packing) -> bool {
        let stacked = packing.stacked();
        let of_kind = matches!(
            (packing, &self.store),
            (Packing::Bits, Store::Bits(_))
                | (Packing::Bytes | Packing::Stack { .. }, Store::Bytes(_))
                | (Packing::Floats, Store::Floats(_))
        );
        of_kind
            && (self.capacity, self.stacked, self.frame_len) == (capacity, stacked, observation_len / stacked)
            && self.bytes() == capacity * packing.bytes(observation_len)
    }

    /// Keeps the first `slots` slots.
    pub fn truncate(&mut self, slots: usize) {
        let shorter = |len: usize| len / self.capacity.max(1) * slots;
        match &mut self.store {
            Store::Bits(words) => words.truncate(shorter(words.len())),
            Store::Bytes(bytes) => bytes.truncate(shorter(bytes.len())),
            Store::Floats(values) => values.truncate(shorter(values.len())),
        }
        self.capacity = slots;
    }

    /// Frames that an observation has beside its newest.
    pub fn reach(&self) -> usize {
        self.stacked - 1
    }

    /// Bytes that the slots occupy.
    pub fn bytes(&self) -> usize {
        match &self.store {
            Store::Bits(words) => size_of_val(words.as_slice()),
            Store::Bytes(bytes) => size_of_val(bytes.as_slice()),
            Store::Floats(values) => size_of_val(values.as_slice()),
        }
    }

    /// The bytes of the first `slots` slots, in this machine's order.
    pub fn bytes_of(&self, slots: usize) -> &[u8] {
        let bytes = match &self.store {
            Store::Bits(words) => bytemuck::cast_slice(words),
            Store::Bytes(bytes) => bytes.as_slice(),
            Store::Floats(values) => bytemuck::cast_slice(values),
        };
        &bytes[..bytes.len() / self.capacity * slots]
    }

    /// Sets the first slots to what [`Frames::bytes_of`] gave.
    pub fn set_bytes(&mut self, saved: &[u8]) {
        let bytes = match &mut self.store {
            Store::Bits(words) => bytemuck::cast_slice_mut(words),
            Store::Bytes(bytes) => bytes.as_mut_slice(),
            Store::Floats(values) => bytemuck::cast_slice_mut(values),
        };
        bytes[..saved.len()].copy_from_slice(saved);
    }

    pub fn write(&mut self, slot: usize, observation: &[f32]) {
        let (len, words_per_frame) = (self.frame_len, self.frame_len.div_ceil(64));
        let newest = &observation[observation.len() - len..];
        match &mut self.store {
            Store::Bits(words) => {
                let frame = &mut words[slot * words_per_frame..][..words_per_frame];
                for (word, cells) in frame.iter_mut().zip(newest.chunks(64)) {
                    *word = cells.iter().rev().fold(0, |bits, cell| bits << 1 | u64::from(*cell != 0.0));
                }
            }
            Store::Bytes(bytes) => {
                for (byte, value) in bytes[slot * len..][..len].iter_mut().zip(newest) {
                    *byte = (value * 255.0).round() as u8;
                }
            }
            Store::Floats(values) => values[slot * len..][..len].copy_from_slice(newest),
        }
    }

    /// Appends the observation whose newest frame is in `slot` to `out`; the `past` slots before it are of its episode.
    pub fn read(&self, slot: usize, past: usize, out: &mut Vec<f32>) {
        for back in (0..self.stacked).rev() {
            self.read_frame((slot + self.capacity - back.min(past)) % self.capacity, out);
        }
    }

    fn read_frame(&self, slot: usize, out: &mut Vec<f32>) {
        let (len, words_per_frame) = (self.frame_len, self.frame_len.div_ceil(64));
        match &self.store {
            Store::Bits(words) => {
                let frame = &words[slot * words_per_frame..][..words_per_frame];
                let start = out.len();
                out.resize(start + len, 0.0);
                vectorized(|| {
                    for (word, cells) in frame.iter().zip(out[start..].chunks_mut(64)) {
                        for (place, cell) in cells.iter_mut().enumerate() {
                            *cell = (word >> place & 1) as u32 as f32;
                        }
                    }
                });
            }
            // A division, as where the plane was brought to [0, 1]: a product with 1/255 rounds otherwise.
            Store::Bytes(bytes) => out.extend(bytes[slot * len..][..len].iter().map(|byte| f32::from(*byte) / 255.0)),
            Store::Floats(values) => out.extend_from_slice(&values[slot * len..][..len]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(packing: Packing, observation: &[f32]) -> Vec<f32> {
        let mut frames = Frames::new(3, observation.len(), packing);
        frames.write(1, observation);
        let mut out = Vec::new();
        frames.read(1, 0, &mut out);
        out
    }

    fn to_bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn bits_come_back_as_they_went_in() {
        let cells: Vec<f32> = (0..130).map(|cell| f32::from(u8::from(cell % 3 == 0 || cell == 129))).collect();
        assert_eq!(round_trip(Packing::Bits, &cells), cells);
    }

    #[test]
    fn every_byte_comes_back_as_it_went_in() {
        let bytes: Vec<f32> = (0..=255_u8).map(|byte| f32::from(byte) / 255.0).collect();
        assert_eq!(to_bits(&round_trip(Packing::Bytes, &bytes)), to_bits(&bytes));
        // What a binary plane beside byte planes shows.
        assert_eq!(to_bits(&round_trip(Packing::Bytes, &[0.0, 1.0])), to_bits(&[0.0, 1.0]));
    }

    #[test]
    fn a_byte_a_value_four_for_floats_and_one_frame_of_a_stack() {
        let bytes = |packing: Packing| {
            let bytes = Frames::new(10, 84 * 84 * 4, packing).bytes();
            assert_eq!(bytes, 10 * packing.bytes(84 * 84 * 4));
            bytes
        };
        assert_eq!(bytes(Packing::Bytes), 10 * 28_224);
        assert_eq!(bytes(Packing::Floats), 4 * bytes(Packing::Bytes));
        assert_eq!(bytes(Packing::Stack { frames: 4 }), 10 * 7_056);
    }
}
