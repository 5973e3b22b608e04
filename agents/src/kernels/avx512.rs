//! Sixteen numbers at a time.

use std::arch::x86_64::{
    __m512, __mmask16, _CMP_NEQ_UQ, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mask_storeu_ps,
    _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::{Connections, Initial, Matrix};

/// Numbers in a vector register.
const LANES: usize = 16;

// Twelve rows of two vectors and what they are made from stay in the thirty-two registers.
tiles!("avx512f", 12, [12 => 12, 8 => 8, 6 => 6, 4 => 4, 2 => 2]);

#[target_feature(enable = "avx512f")]
#[inline]
fn zero() -> __m512 {
    _mm512_setzero_ps()
}

#[target_feature(enable = "avx512f")]
#[inline]
fn everywhere(number: f32) -> __m512 {
    _mm512_set1_ps(number)
}

/// `a b + c`, rounded once.
#[target_feature(enable = "avx512f")]
#[inline]
fn multiply_add(a: __m512, b: __m512, c: __m512) -> __m512 {
    _mm512_fmadd_ps(a, b, c)
}

/// `max(x, 0)`; in this order a NaN stays one.
#[target_feature(enable = "avx512f")]
#[inline]
fn positive(x: __m512) -> __m512 {
    _mm512_max_ps(_mm512_setzero_ps(), x)
}

/// A bit for each number that is not 0.
#[target_feature(enable = "avx512f")]
#[inline]
fn nonzero(x: __m512) -> u32 {
    u32::from(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(x, _mm512_setzero_ps()))
}

/// The first `lanes` lanes, at most all of them.
#[target_feature(enable = "avx512f")]
#[inline]
fn part(lanes: usize) -> __mmask16 {
    ((1_u32 << lanes.min(LANES)) - 1) as __mmask16
}

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load(at: *const f32) -> __m512 {
    // SAFETY: the caller's.
    unsafe { _mm512_loadu_ps(at) }
}

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn load_part(at: *const f32, part: __mmask16) -> __m512 {
    // SAFETY: the caller's.
    unsafe { _mm512_maskz_loadu_ps(part, at) }
}

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn store(at: *mut f32, numbers: __m512) {
    // SAFETY: the caller's.
    unsafe { _mm512_storeu_ps(at, numbers) }
}

#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn store_part(at: *mut f32, part: __mmask16, numbers: __m512) {
    // SAFETY: the caller's.
    unsafe { _mm512_mask_storeu_ps(at, part, numbers) }
}
