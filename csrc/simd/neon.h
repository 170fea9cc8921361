/* AArch64 Advanced SIMD: 4 lanes, 32 registers. */
#include <arm_neon.h>
#define VL 4
#define BK_MR 6          /* 24 accumulators for 16 columns */
#include "simd/generic.h"

BK_INLINE void v_transpose(vf r[VL]) {
  float32x4_t a = vtrn1q_f32((float32x4_t)r[0], (float32x4_t)r[1]), b = vtrn2q_f32((float32x4_t)r[0], (float32x4_t)r[1]);
  float32x4_t c = vtrn1q_f32((float32x4_t)r[2], (float32x4_t)r[3]), d = vtrn2q_f32((float32x4_t)r[2], (float32x4_t)r[3]);
  r[0] = (vf)vtrn1q_f64((float64x2_t)a, (float64x2_t)c);
  r[1] = (vf)vtrn1q_f64((float64x2_t)b, (float64x2_t)d);
  r[2] = (vf)vtrn2q_f64((float64x2_t)a, (float64x2_t)c);
  r[3] = (vf)vtrn2q_f64((float64x2_t)b, (float64x2_t)d);
}
#include "simd/lanes.h"

BK_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
BK_INLINE vf v_fnma(vf a, vf b, vf c) { return (vf)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
BK_INLINE vf v_sqrt(vf a) { return (vf)vsqrtq_f32((float32x4_t)a); }
BK_INLINE vf v_round(vf a) { return (vf)vrndnq_f32((float32x4_t)a); }
BK_INLINE vf v_floor(vf a) { return (vf)vrndmq_f32((float32x4_t)a); }
BK_INLINE vf v_sel(vi m, vf a, vf b) { return (vf)vbslq_f32((uint32x4_t)m, (float32x4_t)a, (float32x4_t)b); }
/* b where either operand is NaN, as on x86; the instructions of this name return NaN. */
BK_INLINE vf v_max(vf a, vf b) { return v_sel((vi)(a > b), a, b); }
BK_INLINE vf v_min(vf a, vf b) { return v_sel((vi)(a < b), a, b); }
BK_INLINE vi v_to_vi(vf a) { return (vi)vcvtnq_s32_f32((float32x4_t)a); }
BK_INLINE vi v_trunc_vi(vf a) { return (vi)vcvtq_s32_f32((float32x4_t)a); }
BK_INLINE vf vi_to_v(vi a) { return (vf)vcvtq_f32_s32((int32x4_t)a); }
BK_INLINE void vi_mulhilo(vi a, vi b, vi *hi, vi *lo) {
  uint64x2_t low = vmull_u32(vget_low_u32((uint32x4_t)a), vget_low_u32((uint32x4_t)b));
  uint64x2_t high = vmull_high_u32((uint32x4_t)a, (uint32x4_t)b);
  *lo = (vi)vuzp1q_u32((uint32x4_t)low, (uint32x4_t)high);
  *hi = (vi)vuzp2q_u32((uint32x4_t)low, (uint32x4_t)high);
}
#define BK_PIN(v) __asm__ volatile("" : "+w"(v))
