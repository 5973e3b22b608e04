//! A convolution on one example after the other: over what is not 0 where that is little, as in games of binary planes, or
//! as a product of patches with the weights.

use super::Scratch;
use super::dense::{add_rows, relu_in_place};
use crate::kernels::{Initial, Matrix, multiply, transpose, vectorized};
use crate::network::convolution::Convolution;

/// An example with at most one input in so many that is not 0 is convolved over those alone.
const SPARSE: usize = 4;

/// Where each input of a convolution is used.
pub(super) struct Places {
    /// The uses of input `i` are `uses[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    uses: Vec<Use>,
}

/// One use of an input.
#[derive(Clone, Copy)]
struct Use {
    /// The place of the kernel.
    position: u32,
    /// Where in the kernel the input lies then: a row of the weights.
    weight: u32,
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

impl Places {
    pub fn new(convolution: &Convolution) -> Self {
        let mut starts = vec![0_u32; convolution.inputs + 1];
        for offset in &convolution.offsets {
            starts[*offset as usize + 1] += 1;
        }
        for input in 0..convolution.inputs {
            starts[input + 1] += starts[input];
        }
        let mut next = starts.clone();
        let mut uses = vec![Use { position: 0, weight: 0 }; convolution.offsets.len()];
        for (place, offset) in convolution.offsets.iter().enumerate() {
            let at = &mut next[*offset as usize];
            uses[*at as usize] =
                Use { position: (place / convolution.patch) as u32, weight: (place % convolution.patch) as u32 };
            *at += 1;
        }
        Self { starts, uses }
    }

    /// Calls `each` with every input that is not 0 and its uses.
    #[inline]
    fn each_nonzero(&self, input: &[f32], mut each: impl FnMut(f32, &[Use])) {
        for (group, inputs) in input.chunks(8).enumerate() {
            // Most groups of a sparse input are all zeros.
            if inputs.iter().all(|x| *x == 0.0) {
                continue;
            }
            for (lane, x) in inputs.iter().enumerate().filter(|(_, x)| **x != 0.0) {
                let input = 8 * group + lane;
                each(*x, &self.uses[self.starts[input] as usize..self.starts[input + 1] as usize]);
            }
        }
    }

    /// Writes `max(patches W + b, 0)`, or without the maximum, into `sums`, `[examples, positions, channels]`.
    #[expect(clippy::too_many_arguments, reason = "a layer, a batch and where to")]
    pub fn forward(
        &self,
        convolution: &Convolution,
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
            if !is_sparse(input) {
                convolution.unfold(input, patches);
                multiply(Matrix::new(patches, convolution.patch), weight, sums, units, Initial::Row(bias), relu);
                continue;
            }
            vectorized(|| {
                sums.chunks_exact_mut(units).for_each(|sums| sums.copy_from_slice(bias));
                self.each_nonzero(input, |x, uses| {
                    for Use { position, weight: row } in uses {
                        add_scaled(at(sums, *position, units), x, &weight[*row as usize * units..][..units]);
                    }
                });
                if relu {
                    relu_in_place(sums);
                }
            });
        }
    }

    /// Adds `patches^T delta`, summed over positions and examples, to the sums of the weights; or the squares of each
    /// example's sum over its positions.
    pub fn add_weights(
        &self,
        convolution: &Convolution,
        inputs: &[f32],
        squares: bool,
        sums: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Scratch { delta, patches, example, .. } = scratch;
        let units = sums.len() / convolution.patch;
        let own = convolution.positions() * units;
        for (input, delta) in inputs.chunks_exact(convolution.inputs).zip(delta.chunks_exact(own)) {
            let target = if squares {
                example.clear();
                example.resize(sums.len(), 0.0);
                &mut **example
            } else {
                &mut *sums
            };
            if is_sparse(input) {
                vectorized(|| {
                    self.each_nonzero(input, |x, uses| {
                        for Use { position, weight } in uses {
                            add_scaled(at(target, *weight, units), x, &delta[*position as usize * units..][..units]);
                        }
                    });
                });
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
    pub fn below(convolution: &Convolution, weight: &[f32], units: usize, scratch: &mut Scratch) {
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
}

/// The row of `units` numbers with this index.
#[inline]
fn at(rows: &mut [f32], index: u32, units: usize) -> &mut [f32] {
    &mut rows[index as usize * units..][..units]
}

/// `sums += factor * terms`.
#[inline]
fn add_scaled(sums: &mut [f32], factor: f32, terms: &[f32]) {
    let (sums, sums_rest) = sums.as_chunks_mut::<8>();
    let (terms, terms_rest) = terms.as_chunks::<8>();
    for (sums, terms) in sums.iter_mut().zip(terms) {
        for lane in 0..8 {
            sums[lane] += factor * terms[lane];
        }
    }
    for (sum, term) in sums_rest.iter_mut().zip(terms_rest) {
        *sum += factor * term;
    }
}
