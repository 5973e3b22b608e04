//! The products and sums that a network on the processor spends its time in, for AVX2 and FMA where the processor has
//! them and as plain loops elsewhere. The only file with `unsafe`: vector instructions exist in no other form.
//!
//! Each entry of a product is summed in the order of its terms, whatever the shapes around it. So results are the same
//! for any batch, and for any number of threads; the two paths differ by rounding (FMA rounds once, not twice).
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
#[macro_use]
mod tiles;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

/// A matrix in a slice, rows and columns at any distance: entry `(i, k)` lies at `i * row_step + k * column_step`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row, `columns` numbers each.
    pub fn new(data: &'a [f32], columns: usize) -> Self {
        Self { data, rows: data.len() / columns, columns, row_step: columns, column_step: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        let Self { data, rows, columns, row_step, column_step } = self;
        Self { data, rows: columns, columns: rows, row_step: column_step, column_step: row_step }
    }
}

/// What the sums of a product begin with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Initial<'a> {
    /// Nothing.
    Zero,
    /// A row, the same for each row of the result.
    Row(&'a [f32]),
    /// What is there.
    Present,
}

/// `c = initial + a b`, or `max(initial + a b, 0)`, with `b` `[a.columns, n]` and `c` `[a.rows, n]`, both row after row.
pub(crate) fn multiply(a: Matrix<'_>, b: &[f32], c: &mut [f32], n: usize, initial: Initial<'_>, relu: bool) {
    let Matrix { data, rows, columns, row_step, column_step } = a;
    if rows == 0 || n == 0 {
        return;
    }
    assert!(columns > 0 && b.len() == columns * n && c.len() == rows * n, "the shapes of a product");
    assert!((rows - 1) * row_step + (columns - 1) * column_step < data.len(), "a matrix within its slice");
    assert!(!matches!(initial, Initial::Row(row) if row.len() != n), "an initial row of the result's width");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the processor has what its level says, and the assertions above are the rest of what is asked for.
    unsafe {
        match level() {
            Level::Avx512 => return avx512::multiply(a, b, c, n, initial, relu),
            Level::Avx2 => return avx2::multiply(a, b, c, n, initial, relu),
            Level::Plain => {}
        }
    }
    multiply_plainly(a, b, c, n, initial, relu);
}

/// The same as plain loops.
fn multiply_plainly(a: Matrix<'_>, b: &[f32], c: &mut [f32], n: usize, initial: Initial<'_>, relu: bool) {
    for (i, sums) in c.chunks_exact_mut(n).enumerate() {
        match initial {
            Initial::Zero => sums.fill(0.0),
            Initial::Row(row) => sums.copy_from_slice(row),
            Initial::Present => {}
        }
        for (k, row) in b.chunks_exact(n).enumerate() {
            let factor = a.data[i * a.row_step + k * a.column_step];
            sums.iter_mut().zip(row).for_each(|(sum, term)| *sum += factor * term);
        }
        if relu {
            // Not `max`, which would turn a NaN into 0 and hide a divergence.
            for x in sums {
                *x = if *x <= 0.0 { 0.0 } else { *x };
            }
        }
    }
}

/// `to[c][r] = from[r][c]`, `from` row after row with `columns` numbers each.
pub(crate) fn transpose(from: &[f32], columns: usize, to: &mut [f32]) {
    if columns == 0 {
        return;
    }
    let rows = from.len() / columns;
    assert!(from.len() == rows * columns && to.len() == from.len(), "the shapes of a transposition");
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Plain {
        // SAFETY: the processor has AVX2, and both slices have `rows * columns` numbers.
        unsafe { avx2::transpose(from, rows, columns, to) };
        return;
    }
    transpose_from(from, rows, columns, to, 0, 0);
}

/// Transposes what lies in rows from `first_row` on or in columns from `first_column` on.
fn transpose_from(from: &[f32], rows: usize, columns: usize, to: &mut [f32], first_row: usize, first_column: usize) {
    for row in 0..rows {
        let start = if row < first_row { first_column } else { 0 };
        for column in start..columns {
            to[column * rows + row] = from[row * columns + column];
        }
    }
}

/// Which rows of two tables each input connects: those at its own two places, moved by each of the same shifts.
pub(crate) struct Connections {
    /// Where an input's rows begin in the two tables.
    places: Vec<[u32; 2]>,
    /// How much further its other rows begin.
    shifts: Vec<[u32; 2]>,
    /// Numbers in a row.
    units: usize,
    /// How long the two tables must be.
    lens: [usize; 2],
}

impl Connections {
    /// Places and shifts count rows of `units` numbers.
    pub fn new(
        units: usize,
        places: impl Iterator<Item = [usize; 2]>,
        shifts: impl Iterator<Item = [usize; 2]>,
    ) -> Self {
        let numbers = |rows: [usize; 2]| rows.map(|row| (row * units) as u32);
        let (places, shifts): (Vec<_>, Vec<_>) = (places.map(numbers).collect(), shifts.map(numbers).collect());
        let furthest = |of: &[[u32; 2]], table: usize| of.iter().map(|row| row[table] as usize).max().unwrap_or(0);
        let lens = [0, 1].map(|table| furthest(&places, table) + furthest(&shifts, table) + units);
        Self { places, shifts, units, lens }
    }

    /// How long the first table must be.
    pub fn first_len(&self) -> usize {
        self.lens[0]
    }

    /// For every `x = input[i]` that is not 0 and each of its pairs of rows: adds `x` times the second row, of `terms`, to
    /// the first, of `sums`; with `SWAPPED`, the first row, of `terms`, to the second, of `sums`.
    pub fn add_scaled<const SWAPPED: bool>(&self, input: &[f32], terms: &[f32], sums: &mut [f32]) {
        let [to, from] = if SWAPPED { [self.lens[1], self.lens[0]] } else { self.lens };
        assert!(input.len() == self.places.len(), "a place for each input");
        assert!(to <= sums.len() && from <= terms.len(), "tables that have every row");
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has what its level says, and the assertions above are the rest of what is asked for.
        unsafe {
            match (level(), self.units) {
                (Level::Avx512, 16) => return avx512::add_scaled::<SWAPPED, 1>(self, input, terms, sums),
                (Level::Avx512, 32) => return avx512::add_scaled::<SWAPPED, 2>(self, input, terms, sums),
                (Level::Avx2, 16) => return avx2::add_scaled::<SWAPPED, 2>(self, input, terms, sums),
                (Level::Avx2, 32) => return avx2::add_scaled::<SWAPPED, 4>(self, input, terms, sums),
                _ => {}
            }
        }
        self.add_scaled_plainly::<SWAPPED>(input, terms, sums);
    }

    fn add_scaled_plainly<const SWAPPED: bool>(&self, input: &[f32], terms: &[f32], sums: &mut [f32]) {
        for (x, place) in input.iter().zip(&self.places).filter(|(x, _)| **x != 0.0) {
            for shift in &self.shifts {
                let [first, second] = [0, 1].map(|table| (place[table] + shift[table]) as usize);
                let [to, from] = if SWAPPED { [second, first] } else { [first, second] };
                let (sums, terms) = (&mut sums[to..to + self.units], &terms[from..from + self.units]);
                sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += x * term);
            }
        }
    }
}

/// Runs loops over slices compiled for AVX2 where the processor has it. They compute the same to the bit: nothing is
/// contracted or reordered.
#[inline]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if level() != Level::Plain {
        // SAFETY: the processor has AVX2 and FMA.
        return unsafe { avx2::run(work) };
    }
    work()
}

/// `sum_i x_i^2`: in f32 over stretches of 4,096 in 32 sums side by side, then in f64.
pub(crate) fn squared_norm(x: &[f32]) -> f64 {
    const LANES: usize = 32;
    vectorized(|| {
        let stretch = |stretch: &[f32]| {
            let mut sums = [0.0_f32; LANES];
            let (chunks, rest) = stretch.as_chunks::<LANES>();
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x * x;
                }
            }
            let rest: f64 = rest.iter().map(|x| f64::from(*x).powi(2)).sum();
            rest + sums.iter().map(|sum| f64::from(*sum)).sum::<f64>()
        };
        x.chunks(4096).map(stretch).sum()
    })
}

/// What the processor has beyond the least of its kind.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Plain,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512, too. It computes the same bits, more of them at once.
    Avx512,
}

#[cfg(target_arch = "x86_64")]
fn level() -> Level {
    if !std::arch::is_x86_feature_detected!("avx2") || !std::arch::is_x86_feature_detected!("fma") {
        Level::Plain
    } else if std::arch::is_x86_feature_detected!("avx512f") {
        Level::Avx512
    } else {
        Level::Avx2
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    fn numbers(len: usize, seed: u64) -> Vec<f32> {
        let mut generator = Pcg64::seed_from_u64(seed);
        (0..len).map(|_| generator.random_range(-1.0..1.0)).collect()
    }

    /// In f64, entry by entry.
    fn expected(a: Matrix<'_>, b: &[f32], before: &[f32], n: usize, initial: Initial<'_>, relu: bool) -> Vec<f64> {
        let entry = |i: usize, j: usize| {
            let start = match initial {
                Initial::Zero => 0.0,
                Initial::Row(row) => f64::from(row[j]),
                Initial::Present => f64::from(before[i * n + j]),
            };
            let at = |k: usize| f64::from(a.data[i * a.row_step + k * a.column_step]);
            let sum = start + (0..a.columns).map(|k| at(k) * f64::from(b[k * n + j])).sum::<f64>();
            if relu { sum.max(0.0) } else { sum }
        };
        (0..a.rows).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect()
    }

    type Multiply = fn(Matrix<'_>, &[f32], &mut [f32], usize, Initial<'_>, bool);

    /// Each way that this processor knows.
    fn ways() -> Vec<Multiply> {
        let mut ways: Vec<Multiply> = vec![multiply, multiply_plainly];
        #[cfg(target_arch = "x86_64")]
        if level() != Level::Plain {
            // SAFETY: the processor has AVX2 and FMA; the shapes are right.
            ways.push(|a, b, c, n, initial, relu| unsafe { avx2::multiply(a, b, c, n, initial, relu) });
        }
        ways
    }

    /// With AVX2 alone and with AVX-512: what a run gives depends on neither.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn wider_registers_give_the_same_bits() {
        for (m, n, k) in [(33, 84, 300), (7, 5, 9), (12, 32, 64), (1, 18, 512)] {
            let (a, b, row) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
            let results: Vec<_> = ways()
                .iter()
                .map(|multiply| {
                    let mut c = vec![0.0; m * n];
                    multiply(Matrix::new(&a, k), &b, &mut c, n, Initial::Row(&row), false);
                    c
                })
                .collect();
            assert!(results.len() < 3 || results[0] == results[2]);
        }
    }

    #[test]
    fn products_of_odd_shapes_are_those_of_plain_sums() {
        let shapes = [1, 2, 3, 5, 6, 7, 8, 9, 13, 15, 16, 17, 23, 31, 33];
        let mut cases: Vec<_> = shapes.iter().flat_map(|m| shapes.map(|n| (*m, n, 1 + (m * n) % 11))).collect();
        cases.extend([(128, 84, 120), (32, 2, 84), (7, 33, 300), (84, 120, 64), (1, 128, 257)]);
        for (m, n, k) in cases {
            let (a, b, before) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3));
            let row = numbers(n, 4);
            for a in [Matrix::new(&a, k), Matrix::new(&a, m).transposed()] {
                for initial in [Initial::Zero, Initial::Row(&row), Initial::Present] {
                    for relu in [false, true] {
                        let expected = expected(a, &b, &before, n, initial, relu);
                        for multiply in ways() {
                            let mut c = before.clone();
                            multiply(a, &b, &mut c, n, initial, relu);
                            for (got, wanted) in c.iter().zip(&expected) {
                                let tolerance = 1e-6 * (k as f64).sqrt().max(4.0);
                                assert!((f64::from(*got) - wanted).abs() < tolerance, "{m}x{k}x{n}: {got} {wanted}");
                            }
                        }
                    }
                }
            }
        }
    }

    /// Whatever rows are around it: a batch and its examples one by one give the same bits.
    #[test]
    fn a_row_of_a_product_does_not_depend_on_the_others() {
        let (m, k, n) = (33, 300, 37);
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        let mut whole = vec![0.0; m * n];
        multiply(Matrix::new(&a, k), &b, &mut whole, n, Initial::Zero, true);
        for (row, expected) in a.chunks(k).zip(whole.chunks(n)) {
            let mut alone = vec![0.0; n];
            multiply(Matrix::new(row, k), &b, &mut alone, n, Initial::Zero, true);
            assert_eq!(alone, expected);
        }
    }

    #[test]
    fn a_nan_is_no_zero() {
        for multiply in ways() {
            let mut c = [0.0; 9];
            multiply(Matrix::new(&[f32::NAN], 1), &[1.0; 9], &mut c, 9, Initial::Zero, true);
            assert!(c.iter().all(|x| x.is_nan()));
        }
    }

    #[test]
    fn scaled_rows_by_hand() {
        // An input's rows, and the rows one further in the first table and two further in the second.
        let (places, shifts) = ([[0, 1], [1, 1], [1, 0]], [[0, 0], [1, 2]]);
        for units in [1, 7, 8, 16, 19, 24, 32] {
            let connections = Connections::new(units, places.into_iter(), shifts.into_iter());
            assert_eq!(connections.lens, [3 * units, 4 * units]);
            let rows = |rows: &[f32]| -> Vec<f32> { rows.iter().flat_map(|row| vec![*row; units]).collect() };
            for zero in [0.0, -0.0] {
                let input = [2.0, zero, -1.0];
                let (terms, mut sums) = (rows(&[10.0, 20.0, 30.0, 40.0]), rows(&[1.0; 3]));
                let mut plainly = sums.clone();
                connections.add_scaled::<false>(&input, &terms, &mut sums);
                connections.add_scaled_plainly::<false>(&input, &terms, &mut plainly);
                assert_eq!(sums, rows(&[1.0 + 2.0 * 20.0, 1.0 + 2.0 * 40.0 - 10.0, 1.0 - 30.0]));
                assert_eq!(plainly, sums);
                let (terms, mut sums) = (rows(&[10.0, 20.0, 30.0]), rows(&[1.0; 4]));
                let mut plainly = sums.clone();
                connections.add_scaled::<true>(&input, &terms, &mut sums);
                connections.add_scaled_plainly::<true>(&input, &terms, &mut plainly);
                assert_eq!(sums, rows(&[1.0 - 20.0, 1.0 + 2.0 * 10.0, 1.0 - 30.0, 1.0 + 2.0 * 20.0]));
                assert_eq!(plainly, sums);
            }
        }
    }

    #[test]
    fn transpositions_of_odd_shapes() {
        for (rows, columns) in [(1, 1), (8, 8), (7, 9), (16, 24), (17, 33), (120, 84), (3, 100)] {
            let from = numbers(rows * columns, 6);
            let mut to = vec![f32::NAN; from.len()];
            transpose(&from, columns, &mut to);
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                assert_eq!(to[column * rows + row], from[row * columns + column]);
            }
        }
    }

    #[test]
    fn the_norm_of_many_numbers() {
        for len in [0, 1, 31, 32, 33, 5000, 20_000] {
            let x = numbers(len, 7);
            let expected: f64 = x.iter().map(|x| f64::from(*x).powi(2)).sum();
            assert!((squared_norm(&x) - expected).abs() <= 1e-6 * expected, "{len}");
        }
        assert!(squared_norm(&[1.0, f32::NAN]).is_nan());
        assert_eq!(squared_norm(&[3e38; 40]), f64::INFINITY);
    }
}
