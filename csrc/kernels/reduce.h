/* reduce.h: reductions of x[outer, reduced, inner] over the middle axis. An output is summed by one unit, in an order that
 * depends on shapes only. */
#ifndef BRISKNET_REDUCE_H
#define BRISKNET_REDUCE_H
#include "kernels/elementwise.h"

enum { RED_SUM, RED_MAX, RED_MIN, RED_PROD };
#define COLUMNS 64           /* inner columns in one unit */

BK_INLINE vf bk_red_start(int kind) {
  return kind == RED_SUM ? v_zero() : v_set1(kind == RED_PROD ? 1.0f : kind == RED_MAX ? -__builtin_inff() : __builtin_inff());
}
BK_INLINE vf bk_red_join(int kind, vf s, vf x) {
  switch (kind) {
    case RED_SUM: return v_add(s, x);
    case RED_PROD: return v_mul(s, x);
    case RED_MAX: return v_sel(v_isnan(s), s, v_max(s, x));      /* a NaN wins and stays */
    default: return v_sel(v_isnan(s), s, v_min(s, x));
  }
}

static bk_plan bk_reduce_plan(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[1] * a->n[2]);
  bk_plan p = {a->n[2] == 1 ? a->n[0] : a->n[0] * bk_ceil(a->n[2], COLUMNS), 0, n, 4 * n};
  return p;
}

BK_INLINE float bk_reduce_row(const float *x, int64_t n, const int kind) {
  vf s[4];
  BK_UNROLL for (int j = 0; j < 4; j++) s[j] = bk_red_start(kind);
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL) {
    BK_UNROLL for (int j = 0; j < 4; j++) s[j] = bk_red_join(kind, s[j], v_load(x + i + j * VL));
  }
  for (; i + VL <= n; i += VL) s[0] = bk_red_join(kind, s[0], v_load(x + i));
  s[0] = bk_red_join(kind, bk_red_join(kind, s[0], s[1]), bk_red_join(kind, s[2], s[3]));
  float t[VL], out;
  v_store(t, s[0]);
  for (int half = VL / 2; half; half /= 2) {
    vf u = v_load(t), v = v_zero();
    for (int j = 0; j < half; j++) v[j] = t[j + half];
    v_store(t, bk_red_join(kind, u, v));
  }
  out = t[0];
  for (; i < n; i++) out = bk_red_join(kind, v_set1(out), v_set1(x[i]))[0];
  return out;
}

/* nv vectors of columns of x[n, inner]; the last holds what is left of `count`. */
BK_INLINE void bk_reduce_columns(const float *x, int64_t n, int64_t inner, float *out, int64_t count, float factor, const int kind, const int nv) {
  vf s[4];
  BK_UNROLL for (int j = 0; j < nv; j++) s[j] = bk_red_start(kind);
  for (int64_t k = 0; k < n; k++, x += inner)
    BK_UNROLL for (int j = 0; j < nv; j++) s[j] = bk_red_join(kind, s[j], v_load_n(x + j * VL, count - j * VL));
  BK_UNROLL for (int j = 0; j < nv; j++) v_store_n(out + j * VL, v_mul(s[j], v_set1(factor)), count - j * VL);
}

BK_INLINE void bk_reduce(const bk_args *a, int64_t lo, int64_t hi, const int kind) {
  const float *x = a->p[0], factor = a->f[0];
  float *out = a->p[1];
  const int64_t red = a->n[1], inner = a->n[2], blocks = bk_ceil(inner, COLUMNS);
  for (int64_t u = lo; u < hi; u++) {
    if (inner == 1) { out[u] = bk_reduce_row(x + u * red, red, kind) * factor; continue; }
    const int64_t o = u / blocks, c0 = u % blocks * COLUMNS, c1 = bk_min(inner, c0 + COLUMNS);
    const float *p = x + o * red * inner;
    int64_t c = c0;
    for (; c + 4 * VL <= c1; c += 4 * VL) bk_reduce_columns(p + c, red, inner, out + o * inner + c, 4 * VL, factor, kind, 4);
    for (; c < c1; c += VL) bk_reduce_columns(p + c, red, inner, out + o * inner + c, c1 - c, factor, kind, 1);
  }
}

#define BK_REDUCTION(name, kind) \
  static bk_plan plan_##name(const bk_args *a) { return bk_reduce_plan(a); } \
  BK_KERNEL(name) { (void)w; bk_reduce(a, lo, hi, kind); }
BK_REDUCTION(reduce_sum, RED_SUM)
BK_REDUCTION(reduce_mean, RED_SUM)
BK_REDUCTION(reduce_max, RED_MAX)
BK_REDUCTION(reduce_min, RED_MIN)
BK_REDUCTION(reduce_prod, RED_PROD)

/* ---- sum over parameters of l1 |p| + l2 p^2: the value of a penalty, or with l2 = 1 a squared norm ---- */
static bk_plan plan_block_sums(const bk_args *a) {
  double n = (double)a->n[1] * BK_BLOCK;
  bk_plan p = {a->n[1], 0, 3 * n, 4 * n};
  return p;
}

BK_KERNEL(block_sums) {
  (void)w;
  const bk_segment *s = a->p[0];
  double *partial = a->p[2];
  for (int64_t u = lo; u < hi; u++) {
    while (u >= s->first + bk_ceil(s->n, BK_BLOCK)) s++;
    const int64_t i0 = (u - s->first) * BK_BLOCK, i1 = bk_min(s->n, i0 + BK_BLOCK);
    const vf l1 = v_set1(s->l1), l2 = v_set1(s->l2);
    vf t[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    int64_t i = i0;
    for (; i + 4 * VL <= i1; i += 4 * VL) {
      BK_UNROLL for (int j = 0; j < 4; j++) {
        vf p = v_load(s->param + i + j * VL);
        t[j] = v_fma(v_abs(p), v_fma(v_abs(p), l2, l1), t[j]);
      }
    }
    for (; i < i1; i += VL) {
      vf p = v_load_n(s->param + i, i1 - i);
      t[0] = v_fma(v_abs(p), v_fma(v_abs(p), l2, l1), t[0]);
    }
    partial[u] = (double)v_hsum(v_add(v_add(t[0], t[1]), v_add(t[2], t[3])));
    if (a->n[1] == 1) *(float *)a->p[1] = (float)partial[u];
  }
}

BK_KERNEL(sum_partials) {
  (void)w;
  if (lo >= hi) return;
  const double *partial = a->p[0];
  double sum = 0;
  for (int64_t i = 0; i < a->n[0]; i++) sum += partial[i];
  const double norm = sqrt(sum), limit = a->f[1];
  *(float *)a->p[1] = limit > 0 ? (float)(norm > limit ? limit / norm : norm <= limit ? 1.0 : norm) : (float)(sum * a->f[0]);
}
#endif
