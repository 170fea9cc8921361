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
BK_INLINE void v_store_n(float *p, vf v, int64_t n) {   /* in halves: masked stores are microcode on some CPUs */
  if (n >= VL) { v_store(p, v); return; }
  __m128 half = _mm256_castps256_ps128((__m256)v);
  if (n & 4) {
    _mm_storeu_ps(p, half);
    half = _mm256_extractf128_ps((__m256)v, 1);
    p += 4;
  }
  if (n & 2) {
    _mm_storel_pi((__m64 *)p, half);
    half = _mm_movehl_ps(half, half);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, half);
}
/* 32 x 32 -> 64-bit products of all lanes, high and low words. */
BK_INLINE void vi_mulhilo(vi a, vi b, vi *hi, vi *lo) {
  __m256i even = _mm256_mul_epu32((__m256i)a, (__m256i)b);
  __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), _mm256_srli_epi64((__m256i)b, 32));
  *lo = (vi)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  *hi = (vi)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}
/* r = the transpose of VL rows of VL floats. Rows are loaded in halves, so that most of the crossing of lanes is done by
 * the load ports. */
BK_INLINE void v_load_transposed(const float *p, int64_t ld, vf r[VL]) {
  __m256 h[8], t[8];
  BK_UNROLL for (int i = 0; i < 4; i++) {
    h[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + i * ld)), _mm_loadu_ps(p + (i + 4) * ld), 1);
    h[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + i * ld + 4)), _mm_loadu_ps(p + (i + 4) * ld + 4), 1);
  }
  BK_UNROLL for (int i = 0; i < 8; i += 4) {
    t[0] = _mm256_unpacklo_ps(h[i], h[i + 1]);
    t[1] = _mm256_unpackhi_ps(h[i], h[i + 1]);
    t[2] = _mm256_unpacklo_ps(h[i + 2], h[i + 3]);
    t[3] = _mm256_unpackhi_ps(h[i + 2], h[i + 3]);
    r[i] = (vf)_mm256_shuffle_ps(t[0], t[2], 0x44);
    r[i + 1] = (vf)_mm256_shuffle_ps(t[0], t[2], 0xee);
    r[i + 2] = (vf)_mm256_shuffle_ps(t[1], t[3], 0x44);
    r[i + 3] = (vf)_mm256_shuffle_ps(t[1], t[3], 0xee);
  }
}
BK_INLINE void v_transpose(vf r[VL]) {
  __m256 t[8], s[8];
  BK_UNROLL for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps((__m256)r[i], (__m256)r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps((__m256)r[i], (__m256)r[i + 1]);
  }
  BK_UNROLL for (int i = 0; i < 8; i += 4) {
    s[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    s[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    s[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    s[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  BK_UNROLL for (int i = 0; i < 4; i++) {
    r[i] = (vf)_mm256_permute2f128_ps(s[i], s[i + 4], 0x20);
    r[i + 4] = (vf)_mm256_permute2f128_ps(s[i], s[i + 4], 0x31);
  }
}
/* Lane q of the result is the sum of r[q], in a fixed tree: half as many shuffles as a transposition. */
BK_INLINE vf v_sum_rows(const vf r[VL]) {
  __m256 t[4], s[2];
  BK_UNROLL for (int i = 0; i < 4; i++)      /* within each 128 bits: two partial sums of two rows, alternating */
    t[i] = _mm256_add_ps(_mm256_unpacklo_ps((__m256)r[2 * i], (__m256)r[2 * i + 1]),
                         _mm256_unpackhi_ps((__m256)r[2 * i], (__m256)r[2 * i + 1]));
  BK_UNROLL for (int i = 0; i < 2; i++)      /* one partial sum of each of four rows */
    s[i] = _mm256_add_ps(_mm256_shuffle_ps(t[2 * i], t[2 * i + 1], 0x44), _mm256_shuffle_ps(t[2 * i], t[2 * i + 1], 0xee));
  return (vf)_mm256_add_ps(_mm256_permute2f128_ps(s[0], s[1], 0x20), _mm256_permute2f128_ps(s[0], s[1], 0x31));
}
#define BK_PIN(v) __asm__ volatile("" : "+x"(v))
