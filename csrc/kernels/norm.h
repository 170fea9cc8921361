/* norm.h: batch normalisation of x[outer, C, inner]; statistics over outer and inner. A unit is 16 channels where inner is 1,
 * else one channel; it does all of its channels' rows, so sums have one order. */
#ifndef BRISKNET_NORM_H
#define BRISKNET_NORM_H
#include "kernels/elementwise.h"

#define CHANNELS 16

static bk_plan bk_norm_plan(const bk_args *a) {
  const double n = (double)(a->n[0] * a->n[1] * a->n[2]);
  bk_plan p = {a->n[2] == 1 ? bk_ceil(a->n[1], CHANNELS) : a->n[1], 0, 8 * n, 12 * n};
  return p;
}

/* Calls body for each run of elements that share channels: with inner == 1, `vc` of the channels c.. lie in a vector; else
 * the elements of a vector belong to channel c. `at` is where they are, `n` how many. */
#define BK_FOR_CHANNELS(a, lo, hi, c) \
  for (int64_t step_ = (a)->n[2] == 1 ? VL : 1, c = (a)->n[2] == 1 ? (lo) * CHANNELS : (lo), \
       end_ = (a)->n[2] == 1 ? bk_min((hi) * CHANNELS, (a)->n[1]) : (hi); c < end_; c += step_)

typedef struct { int64_t outer, C, inner, n; int vertical; } bk_norm_shape;
BK_INLINE bk_norm_shape bk_norm_of(const bk_args *a) {
  bk_norm_shape s = {a->n[0], a->n[1], a->n[2], a->n[0] * a->n[2], a->n[2] == 1};
  return s;
}
/* A parameter of the channels from c on: a vector of them, or one in every lane. */
BK_INLINE vf bk_channel(const float *p, const bk_norm_shape *s, int64_t c, float missing) {
  if (!p) return v_set1(missing);
  return s->vertical ? v_load_n(p + c, s->C - c) : v_set1(p[c]);
}
BK_INLINE void bk_channel_store(float *p, const bk_norm_shape *s, int64_t c, vf v) {
  if (s->vertical) v_store_n(p + c, v, s->C - c); else p[c] = v[0];
}
/* Sum over lanes where they belong to one channel. */
BK_INLINE vf bk_channel_sum(const bk_norm_shape *s, vf v) { return s->vertical ? v : v_set1(v_hsum(v)); }

#define BK_FOR_ELEMENTS(s, c, at, n) \
  for (int64_t o_ = 0; o_ < (s).outer; o_++) \
    for (int64_t i_ = 0, at = (o_ * (s).C + (c)) * (s).inner, n = (s).vertical ? (s).C - (c) : (s).inner; \
         i_ < ((s).vertical ? 1 : (s).inner); i_ += VL, at += VL, n -= VL)

/* Mean, then the mean squared distance from it: no cancellation. */
BK_INLINE void bk_channel_stats(const float *x, const bk_norm_shape *s, int64_t c, vf *mean, vf *var) {
  const vf scale = v_set1(1.0f / (float)s->n);
  vf sum = v_zero();
  BK_FOR_ELEMENTS(*s, c, at, n) sum = v_add(sum, v_load_n(x + at, n));
  *mean = v_mul(bk_channel_sum(s, sum), scale);
  sum = v_zero();
  BK_FOR_ELEMENTS(*s, c, at, n) {
    vf d = v_sub(v_load_n(x + at, n), *mean);
    if (!s->vertical && n < VL) { float t[VL]; v_store(t, d); d = v_load_n(t, n); }   /* lanes past the end hold -mean */
    sum = v_fma(d, d, sum);
  }
  *var = v_mul(bk_channel_sum(s, sum), scale);
}

BK_INLINE void bk_channel_apply(const float *x, float *y, const bk_norm_shape *s, int64_t c, vf mean, vf factor, vf beta) {
  BK_FOR_ELEMENTS(*s, c, at, n) v_store_n(y + at, v_fma(v_sub(v_load_n(x + at, n), mean), factor, beta), n);
}

BK_INLINE vf bk_inverse_deviation(vf var, float epsilon) { return v_div(v_set1(1.0f), v_sqrt(v_add(var, v_set1(epsilon)))); }

static bk_plan plan_bn_stats(const bk_args *a) { return bk_norm_plan(a); }
BK_KERNEL(bn_stats) {
  (void)w;
  const bk_norm_shape s = bk_norm_of(a);
  BK_FOR_CHANNELS(a, lo, hi, c) {
    vf mean, var;
    bk_channel_stats(a->p[0], &s, c, &mean, &var);
    bk_channel_store(a->p[1], &s, c, mean);
    bk_channel_store(a->p[2], &s, c, var);
  }
}

static bk_plan plan_batch_norm(const bk_args *a) { return bk_norm_plan(a); }
BK_KERNEL(batch_norm) {
  (void)w;
  const bk_norm_shape s = bk_norm_of(a);
  BK_FOR_CHANNELS(a, lo, hi, c) {
    vf mean, var;
    bk_channel_stats(a->p[0], &s, c, &mean, &var);
    bk_channel_store(a->p[4], &s, c, mean);
    bk_channel_store(a->p[5], &s, c, var);
    vf factor = v_mul(bk_inverse_deviation(var, a->f[0]), bk_channel(a->p[1], &s, c, 1));
    bk_channel_apply(a->p[0], a->p[3], &s, c, mean, factor, bk_channel(a->p[2], &s, c, 0));
  }
}

static bk_plan plan_bn_apply(const bk_args *a) { return bk_norm_plan(a); }
BK_KERNEL(bn_apply) {
  (void)w;
  const bk_norm_shape s = bk_norm_of(a);
  BK_FOR_CHANNELS(a, lo, hi, c) {
    vf factor = v_mul(bk_inverse_deviation(bk_channel(a->p[2], &s, c, 0), a->f[0]), bk_channel(a->p[3], &s, c, 1));
    bk_channel_apply(a->p[0], a->p[5], &s, c, bk_channel(a->p[1], &s, c, 0), factor, bk_channel(a->p[4], &s, c, 0));
  }
}

/* dgamma = sum dy xhat, dbeta = sum dy */
static bk_plan plan_bn_grad_sums(const bk_args *a) { return bk_norm_plan(a); }
BK_KERNEL(bn_grad_sums) {
  (void)w;
  const bk_norm_shape s = bk_norm_of(a);
  const float *dy = a->p[0], *x = a->p[1];
  BK_FOR_CHANNELS(a, lo, hi, c) {
    const vf mean = bk_channel(a->p[2], &s, c, 0), r = bk_inverse_deviation(bk_channel(a->p[3], &s, c, 0), a->f[0]);
    vf dgamma = v_zero(), dbeta = v_zero();
    BK_FOR_ELEMENTS(s, c, at, n) {
      vf g = v_load_n(dy + at, n);                   /* zero past the end */
      dgamma = v_fma(g, v_mul(v_sub(v_load_n(x + at, n), mean), r), dgamma);
      dbeta = v_add(dbeta, g);
    }
    bk_channel_store(a->p[4], &s, c, bk_channel_sum(&s, dgamma));
    bk_channel_store(a->p[5], &s, c, bk_channel_sum(&s, dbeta));
  }
}

/* dx = gamma r (dy - dbeta/n - xhat dgamma/n) */
static bk_plan plan_bn_grad_x(const bk_args *a) { return bk_norm_plan(a); }
BK_KERNEL(bn_grad_x) {
  (void)w;
  const bk_norm_shape s = bk_norm_of(a);
  const float *dy = a->p[0], *x = a->p[1];
  float *dx = a->p[7];
  const vf scale = v_set1(1.0f / (float)s.n);
  BK_FOR_CHANNELS(a, lo, hi, c) {
    const vf mean = bk_channel(a->p[2], &s, c, 0), r = bk_inverse_deviation(bk_channel(a->p[3], &s, c, 0), a->f[0]);
    const vf factor = v_mul(r, bk_channel(a->p[6], &s, c, 1));
    const vf db = v_mul(bk_channel(a->p[5], &s, c, 0), scale), dg = v_mul(v_mul(bk_channel(a->p[4], &s, c, 0), scale), r);
    BK_FOR_ELEMENTS(s, c, at, n) {
      vf xc = v_sub(v_load_n(x + at, n), mean);
      v_store_n(dx + at, v_mul(factor, v_fnma(xc, dg, v_sub(v_load_n(dy + at, n), db))), n);
    }
  }
}
#endif
