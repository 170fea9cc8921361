/* AArch64 Advanced SIMD: 4 lanes, 32 registers. */
#include <arm_neon.h>
#define VL 4
#define BK_MR 6          /* 24 accumulators for 16 columns */
#include "simd/generic.h"
#include "simd/lanes.h"

BK_INLINE vf v_fma(vf a, vf b, vf c) { return (vf)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
BK_INLINE vf v_fnma(vf a, vf b, vf c) { return (vf)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
BK_INLINE vf v_sqrt(vf a) { return (vf)vsqrtq_f32((float32x4_t)a); }
BK_INLINE vf v_round(vf a) { return (vf)vrndnq_f32((float32x4_t)a); }
BK_INLINE vf v_floor(vf a) { return (vf)vrndmq_f32((float32x4_t)a); }
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
