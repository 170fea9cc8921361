/* kernel.h: what every kernel file includes. A kernel file is compiled once per ISA by isa/<isa>.c, which has
 * included simd/<isa>.h before; everything in it is static except the one table at the end of isa/<isa>.c. */
#ifndef BRISKNET_KERNEL_H
#define BRISKNET_KERNEL_H
#include "../brisknet.h"

#define BK_INLINE static inline __attribute__((always_inline))
#define BK_NOINLINE static __attribute__((noinline))

/* How an instruction is cut into units, the `part` column of ops.def:
 *   ONE    one unit: thread 0 does it all
 *   ELEMS  ceil(n[0] / BK_BLOCK) units; n[0] is the number of elements
 *   ROWS   n[0] units, one a row
 *   PLAN   the kernel file defines  static bk_plan plan_<name>(const bk_args *a)
 *   COARSE the same, and a call prepares (packs) before it works: a thread's share is cut into two pieces only
 *   WHOLE  the same, and preparing costs so much that a share is never cut
 */
#define BK_KERNEL(name) static void k_##name(const bk_args *restrict a, int64_t lo, int64_t hi, bk_worker *restrict w)

/* Element range of units [lo, hi) of an ELEMS kernel. */
#define BK_SPAN(a, lo, hi, i0, i1) \
  const int64_t i0 = (lo) * BK_BLOCK, i1 = (hi) * BK_BLOCK < (a)->n[0] ? (hi) * BK_BLOCK : (a)->n[0]

BK_INLINE int64_t bk_min(int64_t x, int64_t y) { return x < y ? x : y; }
BK_INLINE int64_t bk_max(int64_t x, int64_t y) { return x > y ? x : y; }
BK_INLINE int64_t bk_ceil(int64_t x, int64_t y) { return (x + y - 1) / y; }
#endif
