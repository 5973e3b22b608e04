//! The layout of saved states that begin with float64 numbers (little-endian).

use crate::env::{EnvError, Spec};

/// The bytes of these numbers.
pub(crate) fn write(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The numbers a saved state begins with and the bytes after them, which must be `rest` many.
pub(crate) fn read<'a, const N: usize>(
    spec: &Spec,
    bytes: &'a [u8],
    rest: usize,
) -> Result<([f64; N], &'a [u8]), EnvError> {
    let expected = N * size_of::<f64>() + rest;
    if bytes.len() != expected {
        return Err(spec.bad_state(format!("it has {} bytes, not {expected}", bytes.len())));
    }
    let (chunks, _) = bytes.as_chunks();
    let mut numbers = [0.0; N];
    for (number, chunk) in numbers.iter_mut().zip(chunks) {
        *number = f64::from_le_bytes(*chunk);
    }
    if numbers.iter().all(|number| number.is_finite()) {
        Ok((numbers, &bytes[N * size_of::<f64>()..]))
    } else {
        Err(spec.bad_state("it holds a number that is not finite"))
    }
}

/// Copies numbers into an observation, rounded to f32.
pub(crate) fn round_into(out: &mut [f32], numbers: &[f64]) {
    for (out, number) in out.iter_mut().zip(numbers) {
        *out = *number as f32;
    }
}
