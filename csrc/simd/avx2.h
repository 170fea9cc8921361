/* AVX2 + FMA: 8 lanes, 16 registers. */
#include <immintrin.h>
#define VL 8
#define BK_MR 6          /* rows of a GEMM tile of 16 columns: 12 accumulators, 2 of B, 1 or 2 of A */
#include "simd/generic.h"

static const int32_t bk_lane_mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

BK_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
BK_INLINE vf v_fnma(vf a, vf b, vf c) { return (vf)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c); }
BK_INLINE vf v_sqrt(vf a) { return (vf)_mm256_sqrt_ps((__m256)a); }
BK_INLINE vf v_round(vf a) { return (vf)_mm256_round_ps((__m256)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
BK_INLINE vf v_floor(vf a) { return (vf)_mm256_floor_ps((__m256)a); }
BK_INLINE vf v_sel(vi m, vf a, vf b) { return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)m); }
/* b where either operand is NaN: v_max(limit, x) keeps a NaN of x. */
BK_INLINE vf v_max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
BK_INLINE vf v_min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
BK_INLINE vi v_to_vi(vf a) { return (vi)_mm256_cvtps_epi32((__m256)a); }
BK_INLINE vi v_trunc_vi(vf a) { return (vi)_mm256_cvttps_epi32((__m256)a); }
BK_INLINE vf vi_to_v(vi a) { return (vf)_mm256_cvtepi32_ps((__m256i)a); }
BK_INLINE vf v_bcast(const float *p) { return (vf)_mm256_broadcast_ss(p); }
BK_INLINE vf v_load_n(const float *p, int64_t n) {
  if (n >= VL) return v_load(p);
  return (vf)_mm256_maskload_ps(p, _mm256_loadu_si256((const __m256i *)(bk_lane_mask + 8 - n)));
}
BK_INLINE void v_store_n(float *p, vf v, int64_t n) {
  if (n >= VL) v_store(p, v);
  else _mm256_maskstore_ps(p, _mm256_loadu_si256((const __m256i *)(bk_lane_mask + 8 - n)), (__m256)v);
}
/* 32 x 32 -> 64-bit products of all lanes, high and low words. */
BK_INLINE void vi_mulhilo(vi a, vi b, vi *hi, vi *lo) {
  __m256i even = _mm256_mul_epu32((__m256i)a, (__m256i)b);
  __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)b, 32));
  *lo = (vi)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  *hi = (vi)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}
BK_INLINE void v_transpose(vf r[VL]) {
  __m256 t[8], s[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps((__m256)r[i], (__m256)r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps((__m256)r[i], (__m256)r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    s[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    s[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    s[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    s[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = (vf)_mm256_permute2f128_ps(s[i], s[i + 4], 0x20);
    r[i + 4] = (vf)_mm256_permute2f128_ps(s[i], s[i + 4], 0x31);
  }
}
#define BK_PIN(v) __asm__ volatile("" : "+x"(v))
