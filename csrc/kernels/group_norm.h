/* group_norm.h: x[B, S, C, T] normalised within each of G groups of K = C / G channels, over S, K and T; layer normalisation is
 * S = T = G = 1. A unit is one (b, g), whose elements lie in S runs (of K T elements; of T where T > 1, so that a run has one
 * channel); where T is 1 and S is not, runs could be short: then a unit is a whole b, and vectors hold channels. */
#ifndef BRISKNET_GROUP_NORM_H
#define BRISKNET_GROUP_NORM_H
#include "kernels/elementwise.h"

typedef struct { int64_t B, S, C, T, G, K, n; int rms, wide; } bk_groups;

/* n0 B, n1 S, n2 C, n3 T, n4 groups, n5 rms */
BK_INLINE bk_groups bk_groups_of(const bk_args *a) {
  bk_groups g = {a->n[0], a->n[1], a->n[2], a->n[3], a->n[4], a->n[2] / a->n[4], 0, (int)a->n[5], 0};
  g.n = g.S * g.K * g.T;
  g.wide = g.T == 1 && g.S > 1;
  return g;
}

static bk_plan bk_groups_plan(const bk_args *a) {
  const bk_groups g = bk_groups_of(a);
  const double n = (double)(g.B * g.S * g.C * g.T);
  bk_plan p = {g.wide ? g.B : g.B * g.G, g.wide ? 4 * 4 * (g.C + 2 * VL) : 0, 8 * n, 12 * n};
  return p;
}

/* Lanes past the n-th as zeros. */
BK_INLINE vf bk_cut(vf v, int64_t n) {
  if (n >= VL) return v;
  float t[VL];
  v_store(t, v);
  return v_load_n(t, bk_max(n, 0));
}

/* The runs of unit (b, g): `at` is where one begins, `len` its length, `c` its first channel. */
#define BK_FOR_RUNS(g_, unit, at, len, c) \
  for (int64_t s_ = 0, each_ = (g_).T == 1 ? 1 : (g_).K, len = (g_).T == 1 ? (g_).K : (g_).T; s_ < (g_).S; s_++) \
    for (int64_t j_ = 0, c = (unit) % (g_).G * (g_).K, at = (((unit) / (g_).G * (g_).S + s_) * (g_).C + c) * (g_).T; j_ < each_; \
         j_++, c++, at += (g_).T)

/* A parameter of the i-th element of a run that begins with channel c. */
BK_INLINE vf bk_of_run(const float *p, const bk_groups *g, int64_t c, int64_t i, int64_t len, float missing) {
  if (!p) return v_set1(missing);
  return g->T == 1 ? v_load_n(p + c + i, len - i) : v_set1(p[c]);
}

BK_INLINE vf bk_run_sum(const float *x, int64_t n, vf sum) {
  vf s[4] = {sum, v_zero(), v_zero(), v_zero()};
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL) { BK_UNROLL for (int q = 0; q < 4; q++) s[q] = v_add(s[q], v_load(x + i + q * VL)); }
  for (; i < n; i += VL) s[0] = v_add(s[0], v_load_n(x + i, n - i));
  return v_add(v_add(s[0], s[1]), v_add(s[2], s[3]));
}

BK_INLINE vf bk_run_squares(const float *x, int64_t n, vf mean, vf sum) {
  vf s[4] = {sum, v_zero(), v_zero(), v_zero()};
  int64_t i = 0;
  for (; i + 4 * VL <= n; i += 4 * VL) {
    BK_UNROLL for (int q = 0; q < 4; q++) { vf d = v_sub(v_load(x + i + q * VL), mean); s[q] = v_fma(d, d, s[q]); }
  }
  for (; i < n; i += VL) { vf d = bk_cut(v_sub(v_load_n(x + i, n - i), mean), n - i); s[0] = v_fma(d, d, s[0]); }
  return v_add(v_add(s[0], s[1]), v_add(s[2], s[3]));
}

BK_INLINE float bk_rstd(float squares, int64_t n, float epsilon) {
  return 1.0f / __builtin_sqrtf(squares / (float)n + epsilon);
}

/* ---- vectors of channels: one b, rows of C. row[c] are per-channel values of the group that c belongs to ---- */
BK_INLINE void bk_wide_group_sums(const bk_groups *g, const float *channel, float *row, float *group, float scale) {
  for (int64_t k = 0; k < g->G; k++) {
    float sum = 0;
    for (int64_t c = k * g->K; c < (k + 1) * g->K; c++) sum += channel[c];
    sum *= scale;
    if (group) group[k] = sum;
    for (int64_t c = k * g->K; c < (k + 1) * g->K; c++) row[c] = sum;
  }
}

BK_INLINE void bk_wide_norm(const bk_args *a, const bk_groups *g, int64_t b, float *scratch) {
  const float *x = (const float *)a->p[0] + b * g->S * g->C, *gamma = a->p[1], *beta = a->p[2];
  float *y = (float *)a->p[3] + b * g->S * g->C, *means = (float *)a->p[4] + b * g->G, *rstd = (float *)a->p[5] + b * g->G;
  const int64_t C = g->C, padded = bk_ceil(C, VL) * VL + VL;
  float *channel = scratch, *mean = scratch + padded, *factor = scratch + 2 * padded;
  if (g->rms) memset(mean, 0, 4 * (size_t)C), memset(means, 0, 4 * (size_t)g->G);
  else {
    for (int64_t c = 0; c < C; c += VL) {
      vf s = v_zero();
      for (int64_t i = 0; i < g->S; i++) s = v_add(s, v_load_n(x + i * C + c, C - c));
      v_store_n(channel + c, s, C - c);
    }
    bk_wide_group_sums(g, channel, mean, means, 1.0f / (float)g->n);
  }
  for (int64_t c = 0; c < C; c += VL) {
    const vf m = v_load_n(mean + c, C - c);
    vf s = v_zero();
    for (int64_t i = 0; i < g->S; i++) { vf d = v_sub(v_load_n(x + i * C + c, C - c), m); s = v_fma(d, d, s); }
    v_store_n(channel + c, s, C - c);
  }
  bk_wide_group_sums(g, channel, factor, rstd, 1.0f);
  for (int64_t k = 0; k < g->G; k++) {
    rstd[k] = bk_rstd(rstd[k], g->n, a->f[0]);
    for (int64_t c = k * g->K; c < (k + 1) * g->K; c++) factor[c] = gamma ? rstd[k] * gamma[c] : rstd[k];
  }
  for (int64_t i = 0; i < g->S; i++)
    for (int64_t c = 0, n = C; c < C; c += VL, n -= VL) {
      const vf d = v_sub(v_load_n(x + i * C + c, n), v_load_n(mean + c, n));
      v_store_n(y + i * C + c, v_fma(d, v_load_n(factor + c, n), beta ? v_load_n(beta + c, n) : v_zero()), n);
    }
}

/* p0 x, p1 gamma or NULL, p2 beta or NULL, p3 y, p4 mean[B,G], p5 rstd[B,G] */
static bk_plan plan_group_norm(const bk_args *a) { return bk_groups_plan(a); }
BK_KERNEL(group_norm) {
  const bk_groups g = bk_groups_of(a);
  const float *x = a->p[0], *gamma = a->p[1], *beta = a->p[2];
  float *y = a->p[3];
  for (int64_t u = lo; u < hi; u++) {
    if (g.wide) { bk_wide_norm(a, &g, u, w->scratch); continue; }
    vf sum = v_zero();
    if (!g.rms) BK_FOR_RUNS(g, u, at, len, c) sum = bk_run_sum(x + at, len, sum);
    const float mean = v_hsum(sum) / (float)g.n;
    const vf m = v_set1(mean);
    sum = v_zero();
    BK_FOR_RUNS(g, u, at, len, c) sum = bk_run_squares(x + at, len, m, sum);
    const float rstd = bk_rstd(v_hsum(sum), g.n, a->f[0]);
    ((float *)a->p[4])[u] = mean, ((float *)a->p[5])[u] = rstd;
    const vf r = v_set1(rstd);
    BK_FOR_RUNS(g, u, at, len, c)
      for (int64_t i = 0; i < len; i += VL) {
        const vf factor = v_mul(r, bk_of_run(gamma, &g, c, i, len, 1));
        const vf d = v_sub(v_load_n(x + at + i, len - i), m);
        v_store_n(y + at + i, v_fma(d, factor, bk_of_run(beta, &g, c, i, len, 0)), len - i);
      }
  }
}

/* ---- dx = rstd (u - mean(u) - xhat mean(u xhat)), u = dy gamma ---- */
BK_INLINE void bk_wide_grad(const bk_args *a, const bk_groups *g, int64_t b, float *scratch) {
  const int64_t C = g->C, padded = bk_ceil(C, VL) * VL + VL, at = b * g->S * C;
  const float *dy = (const float *)a->p[0] + at, *x = (const float *)a->p[1] + at, *gamma = a->p[4];
  const float *mean = (const float *)a->p[2] + b * g->G, *rstd = (const float *)a->p[3] + b * g->G;
  float *dx = (float *)a->p[5] + at;
  float *first = scratch, *second = scratch + padded, *means = scratch + 2 * padded, *r = scratch + 3 * padded;
  for (int64_t c = 0; c < C; c++) means[c] = mean[c / g->K], r[c] = rstd[c / g->K];
  for (int64_t c = 0; c < C; c += VL) {
    const vf m = v_load_n(means + c, C - c), ga = gamma ? v_load_n(gamma + c, C - c) : v_set1(1);
    vf s = v_zero(), t = v_zero();
    for (int64_t i = 0; i < g->S; i++) {
      const vf u = v_mul(v_load_n(dy + i * C + c, C - c), ga);
      s = v_add(s, u);
      t = v_fma(u, v_sub(v_load_n(x + i * C + c, C - c), m), t);
    }
    v_store_n(first + c, s, C - c);
    v_store_n(second + c, t, C - c);
  }
  bk_wide_group_sums(g, first, first, 0, g->rms ? 0.0f : 1.0f / (float)g->n);
  bk_wide_group_sums(g, second, second, 0, 1.0f / (float)g->n);
  /* dx = dy gamma r - (x - mean) r^3 mean(u (x - mean)) - r mean(u) */
  for (int64_t c = 0; c < C; c++) first[c] *= r[c], second[c] *= r[c] * r[c] * r[c];
  for (int64_t i = 0; i < g->S; i++)
    for (int64_t c = 0, n = C; c < C; c += VL, n -= VL) {
      const vf u = v_mul(v_load_n(dy + i * C + c, n), gamma ? v_load_n(gamma + c, n) : v_set1(1));
      const vf d = v_sub(v_load_n(x + i * C + c, n), v_load_n(means + c, n));
      const vf v = v_fma(u, v_load_n(r + c, n), v_neg(v_load_n(first + c, n)));
      v_store_n(dx + i * C + c, v_fnma(d, v_load_n(second + c, n), v), n);
    }
}

/* p0 dy, p1 x, p2 mean, p3 rstd, p4 gamma or NULL, p5 dx */
static bk_plan plan_group_norm_grad_x(const bk_args *a) { return bk_groups_plan(a); }
BK_KERNEL(group_norm_grad_x) {
  const bk_groups g = bk_groups_of(a);
  const float *dy = a->p[0], *x = a->p[1], *gamma = a->p[4];
  float *dx = a->p[5];
  for (int64_t u = lo; u < hi; u++) {
    if (g.wide) { bk_wide_grad(a, &g, u, w->scratch); continue; }
    const vf m = v_set1(((const float *)a->p[2])[u]), r = v_set1(((const float *)a->p[3])[u]);
    vf s = v_zero(), t = v_zero();
    BK_FOR_RUNS(g, u, at, len, c)
      for (int64_t i = 0; i < len; i += VL) {
        const vf v = v_mul(v_load_n(dy + at + i, len - i), bk_of_run(gamma, &g, c, i, len, 1));   /* zero past the end */
        s = v_add(s, v);
        t = v_fma(v, v_mul(v_sub(v_load_n(x + at + i, len - i), m), r), t);
      }
    const float scale = 1.0f / (float)g.n;
    const vf a0 = v_set1(g.rms ? 0.0f : v_hsum(s) * scale), a1 = v_set1(v_hsum(t) * scale);
    BK_FOR_RUNS(g, u, at, len, c)
      for (int64_t i = 0; i < len; i += VL) {
        vf v = v_mul(v_load_n(dy + at + i, len - i), bk_of_run(gamma, &g, c, i, len, 1));
        BK_PIN(v);                          /* rounded as in the sums above: what cancels there cancels here */
        const vf xhat = v_mul(v_sub(v_load_n(x + at + i, len - i), m), r);
        v_store_n(dx + at + i, v_mul(r, v_fnma(xhat, a1, v_sub(v, a0))), len - i);
      }
  }
}

/* ---- dgamma = sum dy xhat, dbeta = sum dy: a unit is 16 channels, or one where T > 1 ---- */
static bk_plan plan_group_norm_grad_sums(const bk_args *a) {
  const double n = (double)(a->n[0] * a->n[1] * a->n[2] * a->n[3]);
  bk_plan p = {a->n[3] == 1 ? bk_ceil(a->n[2], BK_PANEL) : a->n[2], 0, 6 * n, 8 * n};
  return p;
}

#define SUM_VECTORS (BK_PANEL / VL)   /* that hold the channels of a unit */

BK_INLINE void bk_column_sums(const bk_args *a, const bk_groups *g, int64_t c0) {
  const int64_t C = g->C;
  vf dgamma[SUM_VECTORS], dbeta[SUM_VECTORS];
  BK_UNROLL for (int q = 0; q < SUM_VECTORS; q++) dgamma[q] = dbeta[q] = v_zero();
  for (int64_t b = 0; b < g->B; b++) {
    const float *mean = (const float *)a->p[2] + b * g->G, *rstd = (const float *)a->p[3] + b * g->G;
    vf m[SUM_VECTORS], r[SUM_VECTORS];
    BK_UNROLL for (int q = 0; q < SUM_VECTORS; q++) m[q] = v_set1(mean[0]), r[q] = v_set1(rstd[0]);
    if (g->G > 1) {
      float m_[BK_PANEL], r_[BK_PANEL];
      for (int i = 0; i < BK_PANEL; i++) {
        const int64_t k = bk_min(c0 + i, C - 1) / g->K;
        m_[i] = mean[k], r_[i] = rstd[k];
      }
      BK_UNROLL for (int q = 0; q < SUM_VECTORS; q++) m[q] = v_load(m_ + q * VL), r[q] = v_load(r_ + q * VL);
    }
    for (int64_t s = 0; s < g->S; s++) {
      const int64_t at = (b * g->S + s) * C + c0;
      BK_UNROLL for (int q = 0; q < SUM_VECTORS; q++) {
        const int64_t left = bk_max(C - c0 - q * VL, 0);
        const vf d = v_load_n((const float *)a->p[0] + at + q * VL, left);
        const vf x = v_sub(v_load_n((const float *)a->p[1] + at + q * VL, left), m[q]);
        dgamma[q] = v_fma(d, v_mul(x, r[q]), dgamma[q]);
        dbeta[q] = v_add(dbeta[q], d);
      }
    }
  }
  for (int q = 0; q < SUM_VECTORS; q++) {
    const int64_t left = bk_max(C - c0 - q * VL, 0);
    v_store_n((float *)a->p[4] + c0 + q * VL, dgamma[q], left);
    v_store_n((float *)a->p[5] + c0 + q * VL, dbeta[q], left);
  }
}

/* p0 dy, p1 x, p2 mean, p3 rstd, p4 dgamma, p5 dbeta */
BK_KERNEL(group_norm_grad_sums) {
  (void)w;
  const bk_groups g = bk_groups_of(a);
  for (int64_t u = lo; u < hi; u++) {
    if (g.T == 1) { bk_column_sums(a, &g, u * BK_PANEL); continue; }
    vf dgamma = v_zero(), dbeta = v_zero();
    for (int64_t b = 0; b < g.B; b++) {
      const int64_t k = b * g.G + u / g.K;
      const vf m = v_set1(((const float *)a->p[2])[k]), r = v_set1(((const float *)a->p[3])[k]);
      for (int64_t s = 0; s < g.S; s++) {
        const int64_t at = ((b * g.S + s) * g.C + u) * g.T;
        for (int64_t i = 0, n = g.T; n > 0; i += VL, n -= VL) {
          const vf d = v_load_n((const float *)a->p[0] + at + i, n);
          dgamma = v_fma(d, v_mul(v_sub(v_load_n((const float *)a->p[1] + at + i, n), m), r), dgamma);
          dbeta = v_add(dbeta, d);
        }
      }
    }
    ((float *)a->p[4])[u] = v_hsum(dgamma), ((float *)a->p[5])[u] = v_hsum(dbeta);
  }
}
#endif
