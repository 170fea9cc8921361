/* x86-64-v2 (SSE4.2), what NumPy itself requires: 4 lanes, 16 registers, no fused multiply-add. */
#include <immintrin.h>
#define VL 4
#define BK_MR 3          /* 12 accumulators for 16 columns */
#include "simd/generic.h"

BK_INLINE void v_transpose(vf r[VL]) {
  __m128 a = (__m128)r[0], b = (__m128)r[1], c = (__m128)r[2], d = (__m128)r[3];
  _MM_TRANSPOSE4_PS(a, b, c, d);
  r[0] = (vf)a, r[1] = (vf)b, r[2] = (vf)c, r[3] = (vf)d;
}
#include "simd/lanes.h"

BK_INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
BK_INLINE vf v_fnma(vf a, vf b, vf c) { return c - a * b; }
BK_INLINE vf v_sqrt(vf a) { return (vf)_mm_sqrt_ps((__m128)a); }
BK_INLINE vf v_round(vf a) { return (vf)_mm_round_ps((__m128)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
BK_INLINE vf v_floor(vf a) { return (vf)_mm_floor_ps((__m128)a); }
BK_INLINE vf v_sel(vi m, vf a, vf b) { return (vf)_mm_blendv_ps((__m128)b, (__m128)a, (__m128)m); }
BK_INLINE vf v_max(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }   /* b where either operand is NaN */
BK_INLINE vf v_min(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
BK_INLINE vi v_to_vi(vf a) { return (vi)_mm_cvtps_epi32((__m128)a); }
BK_INLINE vi v_trunc_vi(vf a) { return (vi)_mm_cvttps_epi32((__m128)a); }
BK_INLINE vf vi_to_v(vi a) { return (vf)_mm_cvtepi32_ps((__m128i)a); }
BK_INLINE void vi_mulhilo(vi a, vi b, vi *hi, vi *lo) {
  __m128i even = _mm_mul_epu32((__m128i)a, (__m128i)b);
  __m128i odd = _mm_mul_epu32(_mm_srli_epi64((__m128i)a, 32), _mm_srli_epi64((__m128i)b, 32));
  *lo = (vi)_mm_blend_epi16(even, _mm_slli_epi64(odd, 32), 0xcc);
  *hi = (vi)_mm_blend_epi16(_mm_srli_epi64(even, 32), odd, 0xcc);
}
#define BK_PIN(v) __asm__ volatile("" : "+x"(v))
