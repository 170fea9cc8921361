/* generic.h: the vector vocabulary in terms of the compiler's vector types. simd/<isa>.h defines VL (lanes) and BK_MR
 * (rows of a GEMM tile), includes this file and adds what the vector types cannot express: v_sqrt, v_round, v_floor,
 * v_sel, v_fma, v_to_vi, vi_mulhilo, transposition, and loads and stores of a part of a vector.
 *
 *   vf  VL floats      vi  VL int32, also a mask: all bits set where true
 * Comparisons are ordered (false on NaN) but v_ne, which is true on NaN.
 */
#ifndef BRISKNET_SIMD_GENERIC_H
#define BRISKNET_SIMD_GENERIC_H
#include <stdint.h>
#include <string.h>
#include "core/kernel.h"

typedef float   vf __attribute__((vector_size(4 * VL)));
typedef int32_t vi __attribute__((vector_size(4 * VL)));
typedef uint32_t vu __attribute__((vector_size(4 * VL)));
typedef float   vf_unaligned __attribute__((vector_size(4 * VL), aligned(4), may_alias));
typedef int32_t vi_unaligned __attribute__((vector_size(4 * VL), aligned(4), may_alias));

#define BK_UNROLL _Pragma("GCC unroll 16")

BK_INLINE vf v_load(const float *p) { return *(const vf_unaligned *)p; }
BK_INLINE void v_store(float *p, vf v) { *(vf_unaligned *)p = v; }
BK_INLINE vi vi_load(const int32_t *p) { return *(const vi_unaligned *)p; }
BK_INLINE void vi_store(int32_t *p, vi v) { *(vi_unaligned *)p = v; }
BK_INLINE vf v_set1(float x) { return x - (vf){0}; }
BK_INLINE vf v_zero(void) { return (vf){0}; }
BK_INLINE vi vi_set1(int32_t x) { return x - (vi){0}; }
BK_INLINE vi v_bits(vf v) { return (vi)v; }
BK_INLINE vf vi_bits(vi v) { return (vf)v; }

BK_INLINE vf v_add(vf a, vf b) { return a + b; }
BK_INLINE vf v_sub(vf a, vf b) { return a - b; }
BK_INLINE vf v_mul(vf a, vf b) { return a * b; }
BK_INLINE vf v_div(vf a, vf b) { return a / b; }
BK_INLINE vf v_neg(vf a) { return -a; }

BK_INLINE vi v_lt(vf a, vf b) { return (vi)(a < b); }
BK_INLINE vi v_le(vf a, vf b) { return (vi)(a <= b); }
BK_INLINE vi v_gt(vf a, vf b) { return (vi)(a > b); }
BK_INLINE vi v_ge(vf a, vf b) { return (vi)(a >= b); }
BK_INLINE vi v_eq(vf a, vf b) { return (vi)(a == b); }
BK_INLINE vi v_ne(vf a, vf b) { return (vi)(a != b); }
BK_INLINE vi v_isnan(vf a) { return (vi)(a != a); }
BK_INLINE vf v_mask(vi m, vf v) { return (vf)(m & (vi)v); }     /* v where m, else +0 */
BK_INLINE vf v_abs(vf a) { return (vf)((vi)a & vi_set1(0x7fffffff)); }
BK_INLINE vf v_sign_of(vf a) { return (vf)((vi)a & vi_set1((int32_t)0x80000000u)); }
BK_INLINE vf v_copysign(vf magnitude, vf sign) { return (vf)((vi)magnitude | (vi)v_sign_of(sign)); }

/* Horizontal results in a fixed order: halves folded onto each other. */
BK_INLINE float v_hsum(vf v) {
  float t[VL];
  v_store(t, v);
  for (int w = VL / 2; w; w /= 2) for (int i = 0; i < w; i++) t[i] += t[i + w];
  return t[0];
}
#endif
