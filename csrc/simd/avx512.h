/* AVX-512 F, DQ, BW, VL: 16 lanes, 32 registers. */
#include <immintrin.h>
#define VL 16
#define BK_MR 12
#include "simd/generic.h"

BK_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
BK_INLINE vf v_fnma(vf a, vf b, vf c) { return (vf)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c); }
BK_INLINE vf v_sqrt(vf a) { return (vf)_mm512_sqrt_ps((__m512)a); }
BK_INLINE vf v_round(vf a) { return (vf)_mm512_roundscale_ps((__m512)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
BK_INLINE vf v_floor(vf a) { return (vf)_mm512_roundscale_ps((__m512)a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
BK_INLINE vf v_sel(vi m, vf a, vf b) {
  return (vf)_mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)m), (__m512)b, (__m512)a);
}
BK_INLINE vf v_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }   /* b where either operand is NaN */
BK_INLINE vf v_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
BK_INLINE vf v_bcast(const float *p) { return (vf)_mm512_set1_ps(*p); }
BK_INLINE __mmask16 bk_first_lanes(int64_t n) { return n >= VL ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }
BK_INLINE vf v_load_n(const float *p, int64_t n) { return (vf)_mm512_maskz_loadu_ps(bk_first_lanes(n), p); }
BK_INLINE void v_store_n(float *p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, bk_first_lanes(n), (__m512)v); }
BK_INLINE vi v_to_vi(vf a) { return (vi)_mm512_cvtps_epi32((__m512)a); }
BK_INLINE vi v_trunc_vi(vf a) { return (vi)_mm512_cvttps_epi32((__m512)a); }
BK_INLINE vf vi_to_v(vi a) { return (vf)_mm512_cvtepi32_ps((__m512i)a); }
BK_INLINE void vi_mulhilo(vi a, vi b, vi *hi, vi *lo) {
  __m512i even = _mm512_mul_epu32((__m512i)a, (__m512i)b);
  __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)b, 32));
  *lo = (vi)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
  *hi = (vi)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
}
/* Two rounds within 128-bit lanes, two that move the lanes. */
BK_INLINE void v_transpose(vf r[VL]) {
  __m512 t[16], s[16];
  BK_UNROLL for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps((__m512)r[i], (__m512)r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps((__m512)r[i], (__m512)r[i + 1]);
  }
  BK_UNROLL for (int i = 0; i < 16; i += 4) {           /* s[i + q], lane l: column 4 l + q of rows i .. i + 3 */
    s[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    s[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
    s[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    s[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  BK_UNROLL for (int q = 0; q < 4; q++) {
    __m512 a = _mm512_shuffle_f32x4(s[q], s[q + 4], 0x88), b = _mm512_shuffle_f32x4(s[q], s[q + 4], 0xdd);
    __m512 c = _mm512_shuffle_f32x4(s[q + 8], s[q + 12], 0x88), d = _mm512_shuffle_f32x4(s[q + 8], s[q + 12], 0xdd);
    r[q] = (vf)_mm512_shuffle_f32x4(a, c, 0x88);
    r[q + 4] = (vf)_mm512_shuffle_f32x4(b, d, 0x88);
    r[q + 8] = (vf)_mm512_shuffle_f32x4(a, c, 0xdd);
    r[q + 12] = (vf)_mm512_shuffle_f32x4(b, d, 0xdd);
  }
}
/* r = the transpose of VL rows of VL floats. */
BK_INLINE void v_load_transposed(const float *p, int64_t ld, vf r[VL]) {
  BK_UNROLL for (int i = 0; i < VL; i++) r[i] = v_load(p + i * ld);
  v_transpose(r);
}
/* Lane q of the result is the sum of r[q], in a fixed tree. */
BK_INLINE vf v_sum_rows(const vf r[VL]) {
  vf t[VL];
  BK_UNROLL for (int i = 0; i < VL; i++) t[i] = r[i];
  v_transpose(t);
  BK_UNROLL for (int i = 0; i < VL / 2; i++) t[i] = v_add(t[i], t[i + VL / 2]);
  BK_UNROLL for (int i = 0; i < VL / 4; i++) t[i] = v_add(t[i], t[i + VL / 4]);
  BK_UNROLL for (int i = 0; i < VL / 8; i++) t[i] = v_add(t[i], t[i + VL / 8]);
  return v_add(t[0], t[1]);
}
#define BK_PIN(v) __asm__ volatile("" : "+v"(v))
