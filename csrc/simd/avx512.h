/* AVX-512 F, DQ, BW, VL: 16 lanes, 32 registers. */
#include <immintrin.h>
#define VL 16
#define BK_MR 12
#include "simd/generic.h"
#include "simd/lanes.h"

BK_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
BK_INLINE vf v_fnma(vf a, vf b, vf c) { return (vf)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c); }
BK_INLINE vf v_sqrt(vf a) { return (vf)_mm512_sqrt_ps((__m512)a); }
BK_INLINE vf v_round(vf a) { return (vf)_mm512_roundscale_ps((__m512)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
BK_INLINE vf v_floor(vf a) { return (vf)_mm512_roundscale_ps((__m512)a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
BK_INLINE vi v_to_vi(vf a) { return (vi)_mm512_cvtps_epi32((__m512)a); }
BK_INLINE vi v_trunc_vi(vf a) { return (vi)_mm512_cvttps_epi32((__m512)a); }
BK_INLINE vf vi_to_v(vi a) { return (vf)_mm512_cvtepi32_ps((__m512i)a); }
BK_INLINE void vi_mulhilo(vi a, vi b, vi *hi, vi *lo) {
  __m512i even = _mm512_mul_epu32((__m512i)a, (__m512i)b);
  __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), _mm512_srli_epi64((__m512i)b, 32));
  *lo = (vi)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
  *hi = (vi)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
}
#define BK_PIN(v) __asm__ volatile("" : "+v"(v))
