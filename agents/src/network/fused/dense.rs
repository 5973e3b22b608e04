//! A dense layer `y = W x + b` on a batch, forward and backward, and what every layer does to rows of units.

use super::Scratch;
use crate::kernels::{Initial, Matrix, multiply, transpose, vectorized};

/// Writes `max(x W + b, 0)`, or without the maximum, into `sums`, `[rows, units]`. Weights for a one-hot code of the task
/// follow those of the inputs where there are any: the task's row is added to the bias.
#[expect(clippy::too_many_arguments, reason = "a layer, a batch and where to")]
pub(super) fn forward(
    inputs: &[f32],
    rows: usize,
    weight: &[f32],
    bias: &[f32],
    task: usize,
    relu: bool,
    sums: &mut Vec<f32>,
    row: &mut Vec<f32>,
) {
    let (width, units) = (inputs.len() / rows, bias.len());
    let (weight, codes) = weight.split_at(width * units);
    row.clear();
    row.extend_from_slice(bias);
    if let Some(code) = codes.chunks_exact(units).nth(task) {
        row.iter_mut().zip(code).for_each(|(bias, code)| *bias += code);
    }
    sums.resize(rows * units, 0.0);
    multiply(Matrix::new(inputs, width), weight, sums, units, Initial::Row(row), relu);
}

/// Adds `x^T delta`, or the products of squares, to the sums of the weights: `(delta_j x_i)^2` summed over examples is one
/// product of squares.
pub(super) fn add_weights(
    inputs: &[f32],
    rows: usize,
    units: usize,
    task: usize,
    squares: bool,
    sums: &mut [f32],
    scratch: &mut Scratch,
) {
    let Scratch { delta, squared_inputs, squared_delta, .. } = scratch;
    let width = inputs.len() / rows;
    let (inputs, delta): (&[f32], &[f32]) = if squares {
        square(inputs, squared_inputs);
        square(delta, squared_delta);
        (squared_inputs, squared_delta)
    } else {
        (inputs, delta)
    };
    let (weights, codes) = sums.split_at_mut(width * units);
    multiply(Matrix::new(inputs, width).transposed(), delta, weights, units, Initial::Present, false);
    if let Some(code) = codes.chunks_exact_mut(units).nth(task) {
        // The code's own input is 1.
        add_rows(delta, false, code);
    }
}

/// Writes `delta W^T`, the gradient with respect to the inputs, into `scratch.below`. Of a layer with more weights than a
/// batch has numbers it is `(W delta^T)^T`, the same sums with less to transpose.
pub(super) fn below(weight: &[f32], rows: usize, width: usize, units: usize, scratch: &mut Scratch) {
    let Scratch { delta, below, transposed, squared_inputs: product, .. } = scratch;
    let weight = &weight[..width * units];
    below.resize(rows * width, 0.0);
    if rows * (width + units) < width * units {
        transposed.resize(rows * units, 0.0);
        transpose(delta, units, transposed);
        product.resize(rows * width, 0.0);
        multiply(Matrix::new(weight, units), transposed, product, rows, Initial::Zero, false);
        transpose(product, rows, below);
    } else {
        transposed.resize(width * units, 0.0);
        transpose(weight, units, transposed);
        multiply(Matrix::new(delta, units), transposed, below, width, Initial::Zero, false);
    }
}

/// Multiplies by the derivative of the ReLU that gave `outputs`: 1 where it is on, `leak` where it is off.
pub(super) fn through_relu(delta: &mut [f32], outputs: &[f32], leak: f32) {
    vectorized(|| {
        for (delta, output) in delta.iter_mut().zip(outputs) {
            // Computed and not chosen: a branch would be misled by random signs.
            let on = f32::from(u8::from(*output > 0.0));
            *delta *= leak + (1.0 - leak) * on;
        }
    });
}

/// Adds the rows of `delta`, or their squares, up.
pub(super) fn add_rows(delta: &[f32], squares: bool, sums: &mut [f32]) {
    vectorized(|| {
        for row in delta.chunks_exact(sums.len()) {
            if squares {
                sums.iter_mut().zip(row).for_each(|(sum, delta)| *sum += delta * delta);
            } else {
                sums.iter_mut().zip(row).for_each(|(sum, delta)| *sum += delta);
            }
        }
    });
}

/// Adds `sum_rows delta * sums_before_gain` to the gradient of the gains.
pub(super) fn add_products(delta: &[f32], before_gain: &[f32], sums: &mut [f32]) {
    let units = sums.len();
    for (delta, before) in delta.chunks_exact(units).zip(before_gain.chunks_exact(units)) {
        for ((sum, delta), before) in sums.iter_mut().zip(delta).zip(before) {
            *sum += delta * before;
        }
    }
}

/// Multiplies each row by the gains.
pub(super) fn multiply_rows(rows: &mut [f32], gain: &[f32]) {
    for row in rows.chunks_exact_mut(gain.len()) {
        row.iter_mut().zip(gain).for_each(|(x, gain)| *x *= gain);
    }
}

/// Writes `max(x g, 0)`, or without the maximum, of each row.
pub(super) fn scale(sums: &[f32], gain: &[f32], relu: bool, outputs: &mut Vec<f32>) {
    outputs.clear();
    outputs.extend_from_slice(sums);
    multiply_rows(outputs, gain);
    if relu {
        relu_in_place(outputs);
    }
}

/// `max(x, 0)` of each number. Not `max` itself, which would turn a NaN into 0 and hide a divergence.
#[inline]
pub(super) fn relu_in_place(numbers: &mut [f32]) {
    for x in numbers {
        *x = if *x <= 0.0 { 0.0 } else { *x };
    }
}

fn square(x: &[f32], squares: &mut Vec<f32>) {
    squares.clear();
    squares.extend(x.iter().map(|x| x * x));
}
