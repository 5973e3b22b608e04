//! Eight numbers at a time.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_NEQ_UQ, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_max_ps, _mm256_movemask_ps, _mm256_permute2f128_ps, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps,
};

use super::{Connections, Initial, Matrix, transpose_from};

/// Numbers in a vector register.
const LANES: usize = 8;

// Six rows of two vectors are the widest tile that stays in the sixteen registers. Eight rows are twice four.
tiles!("avx2,fma", 6, [9 => 6, 8 => 4, 6 => 6, 4 => 4, 2 => 2]);

#[target_feature(enable = "avx2,fma")]
#[inline]
fn zero() -> __m256 {
    _mm256_setzero_ps()
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn everywhere(number: f32) -> __m256 {
    _mm256_set1_ps(number)
}

/// `a b + c`, rounded once.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn multiply_add(a: __m256, b: __m256, c: __m256) -> __m256 {
    _mm256_fmadd_ps(a, b, c)
}

/// `max(x, 0)`; in this order a NaN stays one.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn positive(x: __m256) -> __m256 {
    _mm256_max_ps(_mm256_setzero_ps(), x)
}

/// A bit for each number that is not 0.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn nonzero(x: __m256) -> u32 {
    _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(x, _mm256_setzero_ps())) as u32
}

/// The first `lanes` lanes, at most all of them.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn part(lanes: usize) -> __m256i {
    const ON_THEN_OFF: [i32; 2 * LANES] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: eight numbers from at most the eighth place on.
    unsafe { _mm256_loadu_si256(ON_THEN_OFF.as_ptr().add(LANES - lanes.min(LANES)).cast()) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn load(at: *const f32) -> __m256 {
    // SAFETY: the caller's.
    unsafe { _mm256_loadu_ps(at) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn load_part(at: *const f32, part: __m256i) -> __m256 {
    // SAFETY: the caller's.
    unsafe { _mm256_maskload_ps(at, part) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn store(at: *mut f32, numbers: __m256) {
    // SAFETY: the caller's.
    unsafe { _mm256_storeu_ps(at, numbers) }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn store_part(at: *mut f32, part: __m256i, numbers: __m256) {
    // SAFETY: the caller's.
    unsafe { _mm256_maskstore_ps(at, part, numbers) }
}

/// Compiles what is inlined into it for AVX2.
///
/// # Safety
///
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// # Safety
///
/// The processor has AVX2, and both slices have `rows * columns` numbers.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn transpose(from: &[f32], rows: usize, columns: usize, to: &mut [f32]) {
    let (whole_rows, whole_columns) = (rows / LANES * LANES, columns / LANES * LANES);
    // Rows inside, so that what is written is written in one go.
    for column in (0..whole_columns).step_by(LANES) {
        for row in (0..whole_rows).step_by(LANES) {
            // SAFETY: a square of eight by eight within `rows` and `columns`.
            unsafe {
                let read = from.as_ptr().add(row * columns + column);
                let v: [__m256; LANES] = std::array::from_fn(|i| _mm256_loadu_ps(read.add(i * columns)));
                let pairs: [__m256; LANES] = std::array::from_fn(|i| match i % 2 {
                    0 => _mm256_unpacklo_ps(v[i], v[i + 1]),
                    _ => _mm256_unpackhi_ps(v[i - 1], v[i]),
                });
                let mut fours = pairs;
                for half in [0, 4] {
                    fours[half] = _mm256_shuffle_ps::<0x44>(pairs[half], pairs[half + 2]);
                    fours[half + 1] = _mm256_shuffle_ps::<0xEE>(pairs[half], pairs[half + 2]);
                    fours[half + 2] = _mm256_shuffle_ps::<0x44>(pairs[half + 1], pairs[half + 3]);
                    fours[half + 3] = _mm256_shuffle_ps::<0xEE>(pairs[half + 1], pairs[half + 3]);
                }
                let write = to.as_mut_ptr().add(column * rows + row);
                for i in 0..4 {
                    let low = _mm256_permute2f128_ps::<0x20>(fours[i], fours[i + 4]);
                    let high = _mm256_permute2f128_ps::<0x31>(fours[i], fours[i + 4]);
                    _mm256_storeu_ps(write.add(i * rows), low);
                    _mm256_storeu_ps(write.add((i + 4) * rows), high);
                }
            }
        }
    }
    transpose_from(from, rows, columns, to, whole_rows, whole_columns);
}
