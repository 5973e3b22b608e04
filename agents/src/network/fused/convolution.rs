//! A convolution on one example after the other: over what is not 0 where that is little, as in games of binary planes, or
//! as a product of patches with the weights.

use super::Scratch;
use super::dense::{add_rows, relu_in_place};
use crate::kernels::{Connections, Initial, Matrix, multiply, transpose, vectorized};
use crate::network::convolution::Convolution;

/// An example with at most one input in so many that is not 0 is convolved over those alone.
const SPARSE: usize = 4;

/// A convolution of stride 1 over the inputs that are not 0. Its outputs lie in a frame of `kernel - 1` places on each side:
/// then every input is used at the same number of places, those in the frame being of no account, and the processor has
/// nothing to guess.
pub(super) struct Sparse {
    connections: Connections,
    /// Places in a row of the output, and with its frame.
    width: usize,
    framed_width: usize,
    /// Of the frame.
    side: usize,
}

/// Adds the rows of `delta` up, or the squares of each example's sum: the positions of an example share the bias.
pub(super) fn add_bias(delta: &[f32], examples: usize, squares: bool, sums: &mut [f32], row: &mut Vec<f32>) {
    let units = sums.len();
    for delta in delta.chunks_exact(delta.len() / examples) {
        row.clear();
        row.resize(units, 0.0);
        add_rows(delta, false, row);
        sums.iter_mut().zip(&*row).for_each(|(sum, own)| *sum += if squares { own * own } else { *own });
    }
}

fn is_sparse(input: &[f32]) -> bool {
    vectorized(|| input.iter().map(|x| u32::from(*x != 0.0)).sum::<u32>() as usize * SPARSE <= input.len())
}

impl Sparse {
    /// For a convolution with so many channels of output, where it has stride 1.
    pub fn new(convolution: &Convolution, units: usize) -> Option<Self> {
        if convolution.stride != 1 {
            return None;
        }
        let ([channels, height, width], kernel) = (convolution.shape, convolution.kernel);
        let (side, framed_width) = (kernel - 1, width + kernel - 1);
        let mut places = vec![[0, 0]; convolution.inputs];
        for (channel, row, column) in
            (0..channels).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))))
        {
            let steps = convolution.steps;
            places[channel * steps[0] + row * steps[1] + column * steps[2]] = [row * framed_width + column, channel];
        }
        let shifts = (0..kernel * kernel).map(|tap| {
            let (row, column) = (tap / kernel, tap % kernel);
            [(side - row) * framed_width + side - column, tap * channels]
        });
        let connections = Connections::new(units, places.into_iter(), shifts);
        Some(Self { connections, width: convolution.output.1, framed_width, side })
    }

    /// Copies between outputs and the same in their frame.
    fn copy(&self, units: usize, outputs: &mut [f32], framed: &mut [f32], copy: impl Fn(&mut [f32], &mut [f32])) {
        for (row, outputs) in outputs.chunks_exact_mut(self.width * units).enumerate() {
            let start = ((row + self.side) * self.framed_width + self.side) * units;
            copy(outputs, &mut framed[start..start + outputs.len()]);
        }
    }

    fn forward(&self, input: &[f32], weight: &[f32], bias: &[f32], outputs: &mut [f32], framed: &mut Vec<f32>) {
        framed.clear();
        framed.resize(self.connections.first_len(), 0.0);
        self.connections.add_scaled::<false>(input, weight, framed);
        self.copy(bias.len(), outputs, framed, |outputs, framed| outputs.copy_from_slice(framed));
        for outputs in outputs.chunks_exact_mut(bias.len()) {
            outputs.iter_mut().zip(bias).for_each(|(output, bias)| *output += bias);
        }
    }

    fn add_weights(&self, units: usize, input: &[f32], delta: &mut [f32], sums: &mut [f32], framed: &mut Vec<f32>) {
        framed.clear();
        framed.resize(self.connections.first_len(), 0.0);
        self.copy(units, delta, framed, |delta, framed| framed.copy_from_slice(delta));
        self.connections.add_scaled::<true>(input, framed, sums);
    }
}

/// Writes `max(patches W + b, 0)`, or without the maximum, into `sums`, `[examples, positions, channels]`.
pub(super) fn forward(
    (convolution, sparse): (&Convolution, Option<&Sparse>),
    inputs: &[f32],
    weight: &[f32],
    bias: &[f32],
    relu: bool,
    sums: &mut Vec<f32>,
    patches: &mut Vec<f32>,
) {
    let units = bias.len();
    let own = convolution.positions() * units;
    sums.resize(inputs.len() / convolution.inputs * own, 0.0);
    for (input, sums) in inputs.chunks_exact(convolution.inputs).zip(sums.chunks_exact_mut(own)) {
        if let Some(sparse) = sparse.filter(|_| is_sparse(input)) {
            vectorized(|| {
                sparse.forward(input, weight, bias, sums, patches);
                if relu {
                    relu_in_place(sums);
                }
            });
        } else {
            convolution.unfold(input, patches);
            multiply(Matrix::new(patches, convolution.patch), weight, sums, units, Initial::Row(bias), relu);
        }
    }
}

/// Adds `patches^T delta`, summed over positions and examples, to the sums of the weights; or the squares of each
/// example's sum over its positions.
pub(super) fn add_weights(
    (convolution, sparse): (&Convolution, Option<&Sparse>),
    inputs: &[f32],
    squares: bool,
    sums: &mut [f32],
    scratch: &mut Scratch,
) {
    let Scratch { delta, patches, example, .. } = scratch;
    let units = sums.len() / convolution.patch;
    let own = convolution.positions() * units;
    for (input, delta) in inputs.chunks_exact(convolution.inputs).zip(delta.chunks_exact_mut(own)) {
        let target = if squares {
            example.clear();
            example.resize(sums.len(), 0.0);
            &mut **example
        } else {
            &mut *sums
        };
        if let Some(sparse) = sparse.filter(|_| is_sparse(input)) {
            sparse.add_weights(units, input, delta, target, patches);
        } else {
            convolution.unfold(input, patches);
            let patches = Matrix::new(patches, convolution.patch).transposed();
            multiply(patches, delta, target, units, Initial::Present, false);
        }
        if squares {
            vectorized(|| sums.iter_mut().zip(&*example).for_each(|(sum, own)| *sum += own * own));
        }
    }
}

/// Writes the gradient with respect to the inputs into `scratch.below`: `delta W^T` at each position, added up where
/// patches overlap.
pub(super) fn below(convolution: &Convolution, weight: &[f32], units: usize, scratch: &mut Scratch) {
    let Scratch { delta, below, transposed, patches, .. } = scratch;
    transposed.resize(weight.len(), 0.0);
    transpose(weight, units, transposed);
    let own = convolution.positions() * units;
    below.clear();
    below.resize(delta.len() / own * convolution.inputs, 0.0);
    patches.resize(convolution.offsets.len(), 0.0);
    for (delta, below) in delta.chunks_exact(own).zip(below.chunks_exact_mut(convolution.inputs)) {
        multiply(Matrix::new(delta, units), transposed, patches, convolution.patch, Initial::Zero, false);
        for (offset, patch) in convolution.offsets.iter().zip(&*patches) {
            below[*offset as usize] += patch;
        }
    }
}
