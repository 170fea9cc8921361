/* indexing.h: taking and adding at indices, running sums, the order of rows. Elements are 4 bytes. */
#ifndef BRISKNET_INDEXING_H
#define BRISKNET_INDEXING_H
#include "kernels/data.h"
#include <math.h>

/* Index i of an axis of n, negative ones counted from the end where wrap is 1; -1 where it is out of range. */
BK_INLINE int64_t bk_index(int32_t i, int64_t n, int64_t wrap) {
  const int64_t at = wrap && i < 0 ? i + n : i;
  return at < 0 || at >= n ? -1 : at;
}

/* p0 x[outer, n, inner], p1 i32 index[m], or index[outer, m, inner] where n5 is 1, p2 out[outer, m, inner]; n0 outer, n1 n,
 * n2 inner, n3 m, n4 wrap, n6 1 where x is i32. An index out of range gives NaN, or the smallest integer. */
static bk_plan plan_take(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[2] * a->n[3]);
  bk_plan p = {a->n[0] * a->n[3], 0, n, 8 * n};
  return p;
}
BK_KERNEL(take) {
  (void)w;
  const int64_t n = a->n[1], inner = a->n[2], m = a->n[3], wrap = a->n[4], along = a->n[5];
  const int32_t *index = a->p[1], missing = a->n[6] ? INT32_MIN : 0x7fc00000;
  for (int64_t u = lo; u < hi; u++) {
    const int32_t *x = (const int32_t *)a->p[0] + u / m * n * inner;
    int32_t *out = (int32_t *)a->p[2] + u * inner;
    if (!along) {
      const int64_t at = bk_index(index[u % m], n, wrap);
      if (at >= 0) bk_copy_row((float *)out, (const float *)x + at * inner, inner);
      else for (int64_t c = 0; c < inner; c++) out[c] = missing;
    } else for (int64_t c = 0; c < inner; c++) {
      const int64_t at = bk_index(index[u * inner + c], n, wrap);
      out[c] = at >= 0 ? x[at * inner + c] : missing;
    }
  }
}

/* The other way: p0 g[outer, m, inner], p1 index as above, p2 out[outer, n, inner]; the same ints, n7 0 sum, 1 largest,
 * 2 smallest, 3 product of what goes to one place. Indices out of range are left out. */
static bk_plan plan_collect(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[2] * (a->n[3] + a->n[1]));
  bk_plan p = {a->n[0], 0, n, 8 * n};
  return p;
}
#define BK_COLLECT(type, add) do { \
  const type empty = kind == 0 ? 0 : kind == 3 ? 1 : kind == 1 ? lowest : highest; \
  for (int64_t o = lo; o < hi; o++) { \
    const type *g = (const type *)a->p[0] + o * m * inner; \
    type *out = (type *)a->p[2] + o * n * inner; \
    for (int64_t i = 0; i < n * inner; i++) out[i] = empty; \
    for (int64_t k = 0; k < m; k++, g += inner) { \
      const int64_t row = along ? 0 : bk_index(index[k], n, wrap); \
      if (row < 0) continue; \
      for (int64_t c = 0; c < inner; c++) { \
        const int64_t at = along ? bk_index(index[(o * m + k) * inner + c], n, wrap) : row; \
        if (at < 0) continue; \
        type *s = out + at * inner + c; \
        *s = kind == 0 ? (type)(add) : kind == 3 ? *s * g[c] : *s != *s ? *s : kind == 1 ? (*s > g[c] ? *s : g[c]) : (*s < g[c] ? *s : g[c]); \
      } \
    } \
  } } while (0)
BK_KERNEL(collect) {
  (void)w;
  const int64_t n = a->n[1], inner = a->n[2], m = a->n[3], wrap = a->n[4], along = a->n[5], kind = a->n[7];
  const int32_t *index = a->p[1];
  if (a->n[6]) {
    const int32_t lowest = INT32_MIN, highest = INT32_MAX;
    BK_COLLECT(int32_t, (uint32_t)*s + (uint32_t)g[c]);
  } else {
    const float lowest = -__builtin_inff(), highest = __builtin_inff();
    BK_COLLECT(float, *s + g[c]);
  }
}

/* p0 x[n0, n1, n2], p1 out: running sums (n3 0) or products (n3 1) along the middle axis; n4 1: from its end; n5 1: i32 */
static bk_plan plan_cumulate(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[1] * a->n[2]);
  bk_plan p = {a->n[0], 0, n, 8 * n};
  return p;
}
#define BK_CUMULATE(type, sum_type) do { \
  for (int64_t o = lo; o < hi; o++) \
    for (int64_t k = 0; k < n; k++) { \
      const int64_t at = (o * n + (back ? n - 1 - k : k)) * inner; \
      const type *x = (const type *)a->p[0] + at; \
      type *out = (type *)a->p[1] + at; \
      const type *before = back ? out + inner : out - inner; \
      for (int64_t c = 0; c < inner; c++) \
        out[c] = k == 0 ? x[c] : product ? (type)((sum_type)before[c] * (sum_type)x[c]) : (type)((sum_type)before[c] + (sum_type)x[c]); \
    } \
  } while (0)
BK_KERNEL(cumulate) {
  (void)w;
  const int64_t n = a->n[1], inner = a->n[2], product = a->n[3], back = a->n[4];
  if (a->n[5]) BK_CUMULATE(int32_t, uint32_t);
  else BK_CUMULATE(float, float);
}

/* p0 x[n0, n1], p1 i32 out[n0, n1], p2 i32 work[n0, n1]; n2 1: from large to small; n3 1: i32. The indices that sort each
 * row; equals stay in order, NaN is last either way. Merging from below. */
BK_INLINE int bk_before(const void *row, int32_t i, int32_t j, int down, int whole) {   /* whether j must go before i */
  if (whole) {
    const int32_t x = ((const int32_t *)row)[i], y = ((const int32_t *)row)[j];
    return down ? y > x : y < x;
  }
  const float x = ((const float *)row)[i], y = ((const float *)row)[j];
  if (x != x) return y == y;
  return down ? y > x : y < x;
}
BK_KERNEL(argsort) {
  (void)w;
  const int64_t n = a->n[1];
  const int down = (int)a->n[2], whole = (int)a->n[3];
  for (int64_t r = lo; r < hi; r++) {
    const int32_t *row = (const int32_t *)a->p[0] + r * n;
    int32_t *out = (int32_t *)a->p[1] + r * n, *from = out, *to = (int32_t *)a->p[2] + r * n;
    for (int64_t i = 0; i < n; i++) from[i] = (int32_t)i;
    for (int64_t width = 1; width < n; width *= 2) {
      for (int64_t s = 0; s < n; s += 2 * width) {
        const int64_t middle = bk_min(s + width, n), end = bk_min(s + 2 * width, n);
        int64_t i = s, j = middle;
        for (int64_t k = s; k < end; k++)
          to[k] = j < end && (i >= middle || bk_before(row, from[i], from[j], down, whole)) ? from[j++] : from[i++];
      }
      int32_t *t = from;
      from = to, to = t;
    }
    if (from != out) memcpy(out, from, 4 * (size_t)n);
  }
}
#endif
