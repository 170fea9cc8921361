/* batch_norm.h: batch normalisation of x[rows, C], channels last, where there are many rows. Statistics are taken over shards of
 * rows (of one image each, where x is images), a shard a unit, and merged by a small instruction; what follows is a pass over
 * rows. Shards depend on shapes only. */
#ifndef BRISKNET_BATCH_NORM_H
#define BRISKNET_BATCH_NORM_H
#include "kernels/norm.h"
#include "kernels/microkernel.h"

#define BN_STRIP 4           /* vectors of channels whose sums are in registers */
#define BN_FLOATS 4096       /* in a block of rows: it stays in L1 between two looks at it */

/* A shard's results are [2][C rounded up to 16]. */
BK_INLINE int64_t bk_bn_row(int64_t C) { return bk_ceil(C, BK_PANEL) * BK_PANEL; }
BK_INLINE int64_t bk_bn_block(int64_t C, int64_t floats) { return bk_max(8, floats / C); }

#define BK_FOR_STRIPS(C, c, call) \
  for (int64_t c = 0; c < (C); c += BN_STRIP * VL) switch (bk_min(BN_STRIP, bk_ceil((C) - c, VL))) { \
    case 4: { enum { nv = 4 }; call; break; } \
    case 3: { enum { nv = 3 }; call; break; } \
    case 2: { enum { nv = 2 }; call; break; } \
    default: { enum { nv = 1 }; call; break; } \
  }

/* ---- mean and sum of squared distances from it: of a block of rows by two looks at it, of blocks and of shards by merging
 * (Chan, Golub & LeVeque 1979), so that nothing cancels; means as what is added to a first value. Lanes past C hold what
 * nobody reads. ---- */
BK_INLINE void bk_bn_moments(const float *x, int64_t rows, int64_t C, float *mean, float *m2, int64_t before, const int nv) {
  vf m[BN_STRIP], d2[BN_STRIP], near[BN_STRIP];
  BK_UNROLL for (int j = 0; j < nv; j++) m[j] = d2[j] = v_zero(), near[j] = v_load(x + j * VL);
  const float *p = x + C;
  for (int64_t r = 1; r < rows; r++, p += C) {
    BK_UNROLL for (int j = 0; j < nv; j++) m[j] = v_add(m[j], v_sub(v_load(p + j * VL), near[j]));
  }
  BK_UNROLL for (int j = 0; j < nv; j++) m[j] = v_fma(m[j], v_set1(1.0f / (float)rows), near[j]);
  p = x;
  for (int64_t r = 0; r < rows; r++, p += C) {
    BK_UNROLL for (int j = 0; j < nv; j++) {
      const vf d = v_sub(v_load(p + j * VL), m[j]);
      d2[j] = v_fma(d, d, d2[j]);
    }
  }
  const float share = (float)rows / (float)(before + rows);
  BK_UNROLL for (int j = 0; j < nv; j++) {
    if (before) {
      const vf old = v_load(mean + j * VL), d = v_sub(m[j], old);
      m[j] = v_fma(d, v_set1(share), old);
      d2[j] = v_add(v_load(m2 + j * VL), v_fma(v_mul(d, d), v_set1((float)before * share), d2[j]));
    }
    v_store(mean + j * VL, m[j]);
    v_store(m2 + j * VL, d2[j]);
  }
}

static bk_plan plan_bn_moments(const bk_args *a) {
  const double n = (double)(a->n[0] * a->n[1]);
  bk_plan p = {a->n[2], 0, 4 * n, 4 * n};
  return p;
}
BK_KERNEL(bn_moments) {
  (void)w;
  const int64_t rows = a->n[0], C = a->n[1], shards = a->n[2], block = bk_bn_block(C, BN_FLOATS);
  for (int64_t u = lo; u < hi; u++) {
    float *mean = (float *)a->p[1] + u * 2 * bk_bn_row(C), *m2 = mean + bk_bn_row(C);
    const int64_t first = rows * u / shards, end = rows * (u + 1) / shards;
    for (int64_t r = first; r < end; r += block) {
      const float *x = (const float *)a->p[0] + r * C;
      BK_FOR_STRIPS(C, c, bk_bn_moments(x + c, bk_min(block, end - r), C, mean + c, m2 + c, r - first, nv))
    }
  }
}

static bk_plan plan_bn_merge(const bk_args *a) {
  const double n = (double)(2 * a->n[1] * a->n[2]);
  bk_plan p = {bk_ceil(a->n[1], CHANNELS), 0, 4 * n, 4 * n};
  return p;
}
BK_KERNEL(bn_merge) {
  (void)w;
  const int64_t rows = a->n[0], C = a->n[1], shards = a->n[2], row = bk_bn_row(C);
  const vf scale = v_set1(1.0f / (float)rows);
  for (int64_t c = lo * CHANNELS; c < bk_min(hi * CHANNELS, C); c += VL) {
    const float *part = (const float *)a->p[0] + c;
    const vf near = v_load(part);
    vf mean = v_zero(), m2 = v_zero();
    for (int64_t s = 1; s < shards; s++)
      mean = v_fma(v_sub(v_load(part + s * 2 * row), near), v_set1((float)(rows * (s + 1) / shards - rows * s / shards)), mean);
    mean = v_fma(mean, scale, near);
    for (int64_t s = 0; s < shards; s++) {
      const vf d = v_sub(v_load(part + s * 2 * row), mean);
      m2 = v_add(m2, v_fma(v_mul(d, d), v_set1((float)(rows * (s + 1) / shards - rows * s / shards)), v_load(part + (s * 2 + 1) * row)));
    }
    v_store_n((float *)a->p[1] + c, mean, C - c);
    v_store_n((float *)a->p[2] + c, v_mul(m2, scale), C - c);
  }
}

/* ---- passes over rows: channels' numbers lie in tables that are read beside x. Where C fills no vectors and is small, a table
 * is repeated until it does. A table in scratch has bk_bn_table floats. ---- */
BK_INLINE int64_t bk_bn_period(int64_t C) { return C % VL == 0 || C >= 8 * VL ? C : C * VL; }
BK_INLINE int64_t bk_bn_table(int64_t C) { return bk_ceil(bk_bn_period(C), BK_PANEL) * BK_PANEL; }
BK_INLINE void bk_bn_repeat(float *table, int64_t C) {
  for (int64_t i = C; i < bk_bn_period(C); i++) table[i] = table[i - C];
}

/* Elements i0..i1 of x[rows, C], i0 the first of a row: `i` where they are, `e` in the tables, `n` how many. */
#define BK_FOR_ROWS(C, i0, i1, i, e, n, ...) \
  for (int64_t start_ = (i0), period_ = bk_bn_period(C); start_ < (i1); start_ += period_) { \
    const int64_t count_ = bk_min(period_, (i1) - start_); \
    int64_t e = 0, i = start_; \
    for (; e + VL <= count_; e += VL, i += VL) { enum { n = VL }; __VA_ARGS__ } \
    if (e < count_) { const int64_t n = count_ - e; __VA_ARGS__ } \
  }

static bk_plan bk_bn_pass(const bk_args *a, int tables, int arrays) {
  const double n = (double)(a->n[0] * a->n[1]);
  bk_plan p = {a->n[2], 4 * tables * bk_bn_table(a->n[1]), 4 * n, 4 * arrays * n};
  return p;
}

/* y = act((x - mean) gamma r + beta + shortcut), r = (var + epsilon)^-1/2 */
static bk_plan plan_bn_rows(const bk_args *a) { return bk_bn_pass(a, 3, a->p[5] ? 3 : 2); }

BK_INLINE void bk_bn_rows(const bk_args *a, const float *table, int64_t i0, int64_t i1, const int act, const int shortcut) {
  const int64_t C = a->n[1], size = bk_bn_table(C);
  const float *x = a->p[0], *other = a->p[5], *factor = table + size, *beta = factor + size;
  float *y = a->p[6];
  BK_FOR_ROWS(C, i0, i1, i, e, n, {
    vf v = v_fma(v_sub(v_load_n(x + i, n), v_load(table + e)), v_load(factor + e), v_load(beta + e));
    if (shortcut) v = v_add(v, v_load_n(other + i, n));
    v_store_n(y + i, bk_activate(v, act, a->f[1]), n);
  })
}

BK_KERNEL(bn_rows) {
  const int64_t rows = a->n[0], C = a->n[1], units = a->n[2], size = bk_bn_table(C);
  float *mean = w->scratch, *factor = mean + size, *beta = factor + size;
  const float *gamma = a->p[3], *shift = a->p[4];
  for (int64_t c = 0; c < C; c += VL) {
    const int64_t n = C - c;
    v_store(mean + c, v_load_n((const float *)a->p[1] + c, n));
    const vf r = bk_inverse_deviation(v_load_n((const float *)a->p[2] + c, n), a->f[0]);
    v_store(factor + c, gamma ? v_mul(r, v_load_n(gamma + c, n)) : r);
    v_store(beta + c, shift ? v_load_n(shift + c, n) : v_zero());
  }
  for (float *t = mean; t <= beta; t += size) bk_bn_repeat(t, C);
  const int64_t i0 = rows * lo / units * C, i1 = rows * hi / units * C;
  const int act = (int)a->n[3];
  if (act == BK_RELU && a->p[5]) bk_bn_rows(a, mean, i0, i1, BK_RELU, 1);
  else if (act == BK_RELU) bk_bn_rows(a, mean, i0, i1, BK_RELU, 0);
  else if (act == BK_LINEAR && !a->p[5]) bk_bn_rows(a, mean, i0, i1, BK_LINEAR, 0);
  else bk_bn_rows(a, mean, i0, i1, act, a->p[5] != 0);
}

/* ---- the gradient, of dz = dy, or dy f'(z) by the stored output y of an activation:
 * dgamma = sum dz (x - mean) r and dbeta = sum dz, for each shard in [2][C]; shard_sum adds them up ---- */
static bk_plan plan_bn_grad_moments(const bk_args *a) {
  const double n = (double)(a->n[0] * a->n[1]);
  bk_plan p = {a->n[2], 0, 4 * n, (a->p[4] ? 12 : 8) * n};
  return p;
}

typedef struct { const float *dy, *x, *y, *mean, *var; float *dgamma, *dbeta; int64_t rows, C; int first, last, act; float epsilon, alpha; } bk_bn_sums;

BK_INLINE void bk_bn_grad(const bk_bn_sums *t, int64_t c, const int nv, const int act) {
  const float *dy = t->dy + c, *x = t->x + c, *y = t->y + c;
  vf mean[BN_STRIP], dg[BN_STRIP], db[BN_STRIP];
  BK_UNROLL for (int j = 0; j < nv; j++) {
    mean[j] = v_load_n(t->mean + c + j * VL, t->C - c - j * VL);
    dg[j] = db[j] = v_zero();
  }
  for (int64_t r = 0, i = 0; r < t->rows; r++, i += t->C) {
    BK_UNROLL for (int j = 0; j < nv; j++) {
      vf g = v_load(dy + i + j * VL);
      if (act != BK_LINEAR) g = bk_act_slope(g, v_load(y + i + j * VL), act, t->alpha);
      dg[j] = v_fma(g, v_sub(v_load(x + i + j * VL), mean[j]), dg[j]);
      db[j] = v_add(db[j], g);
    }
  }
  BK_UNROLL for (int j = 0; j < nv; j++) {
    float *gamma = t->dgamma + c + j * VL, *beta = t->dbeta + c + j * VL;
    if (!t->first) dg[j] = v_add(v_load(gamma), dg[j]), db[j] = v_add(v_load(beta), db[j]);
    if (t->last) dg[j] = v_mul(dg[j], bk_inverse_deviation(v_load_n(t->var + c + j * VL, t->C - c - j * VL), t->epsilon));
    v_store(gamma, dg[j]);
    v_store(beta, db[j]);
  }
}

BK_KERNEL(bn_grad_moments) {
  (void)w;
  const int64_t rows = a->n[0], C = a->n[1], shards = a->n[2], block = bk_bn_block(C, BN_FLOATS / 2);
  bk_bn_sums t = {.mean = a->p[2], .var = a->p[3], .C = C, .act = a->p[4] ? (int)a->n[3] : BK_LINEAR, .epsilon = a->f[0], .alpha = a->f[1]};
  for (int64_t u = lo; u < hi; u++) {
    t.dgamma = (float *)a->p[5] + u * 2 * bk_bn_row(C), t.dbeta = t.dgamma + bk_bn_row(C);
    const int64_t begin = rows * u / shards, end = rows * (u + 1) / shards;
    for (int64_t r = begin; r < end; r += block) {
      t.dy = (const float *)a->p[0] + r * C, t.x = (const float *)a->p[1] + r * C;
      t.y = t.act == BK_LINEAR ? t.x : (const float *)a->p[4] + r * C;
      t.rows = bk_min(block, end - r), t.first = r == begin, t.last = r + block >= end;
      if (t.act == BK_LINEAR) { BK_FOR_STRIPS(C, c, bk_bn_grad(&t, c, nv, BK_LINEAR)) }
      else if (t.act == BK_RELU) { BK_FOR_STRIPS(C, c, bk_bn_grad(&t, c, nv, BK_RELU)) }
      else for (int64_t c = 0; c < C; c += VL) bk_bn_grad(&t, c, 1, t.act);
    }
  }
}

/* dx = gamma r (dz - dbeta/n - (x - mean) r dgamma/n) */
static bk_plan plan_bn_grad_rows(const bk_args *a) { return bk_bn_pass(a, 4, a->p[7] ? 4 : 3); }

BK_INLINE void bk_bn_grad_rows(const bk_args *a, const float *mean, int64_t i0, int64_t i1, const int act) {
  const int64_t C = a->n[1], size = bk_bn_table(C);
  const float *dy = a->p[0], *x = a->p[1], *y = a->p[7], *factor = mean + size, *db = factor + size, *dg = db + size;
  float *dx = a->p[8];
  BK_FOR_ROWS(C, i0, i1, i, e, n, {
    vf g = v_load_n(dy + i, n);
    if (act != BK_LINEAR) g = bk_act_slope(g, v_load_n(y + i, n), act, a->f[1]);
    const vf d = v_sub(v_load_n(x + i, n), v_load(mean + e));
    v_store_n(dx + i, v_mul(v_load(factor + e), v_fnma(d, v_load(dg + e), v_sub(g, v_load(db + e)))), n);
  })
}

BK_KERNEL(bn_grad_rows) {
  const int64_t rows = a->n[0], C = a->n[1], units = a->n[2], size = bk_bn_table(C);
  float *mean = w->scratch, *factor = mean + size, *db = factor + size, *dg = db + size;
  const float *gamma = a->p[6];
  const vf scale = v_set1(1.0f / (float)rows);
  for (int64_t c = 0; c < C; c += VL) {
    const int64_t n = C - c;
    const vf r = bk_inverse_deviation(v_load_n((const float *)a->p[3] + c, n), a->f[0]);
    v_store(mean + c, v_load_n((const float *)a->p[2] + c, n));
    v_store(factor + c, gamma ? v_mul(r, v_load_n(gamma + c, n)) : r);
    v_store(db + c, v_mul(v_load_n((const float *)a->p[5] + c, n), scale));
    v_store(dg + c, v_mul(v_mul(v_load_n((const float *)a->p[4] + c, n), scale), r));
  }
  for (float *t = mean; t <= dg; t += size) bk_bn_repeat(t, C);
  const int64_t i0 = rows * lo / units * C, i1 = rows * hi / units * C;
  const int act = a->p[7] ? (int)a->n[3] : BK_LINEAR;
  if (act == BK_LINEAR) bk_bn_grad_rows(a, mean, i0, i1, BK_LINEAR);
  else if (act == BK_RELU) bk_bn_grad_rows(a, mean, i0, i1, BK_RELU);
  else bk_bn_grad_rows(a, mean, i0, i1, act);
}
#endif
