/* elementwise.h: functions of one, two or three elements. */
#ifndef BRISKNET_ELEMENTWISE_H
#define BRISKNET_ELEMENTWISE_H
#include "kernels/vmath.h"
#include <math.h>

/* ---- y[i] = f(x[i]); `v` is x, f0 and f1 the parameters ---- */
#define BK_UNARY(name, expression) \
  BK_KERNEL(name) { \
    (void)w; \
    BK_SPAN(a, lo, hi, i0, i1); \
    const float *x = a->p[0]; \
    float *y = a->p[1]; \
    const vf f0 = v_set1(a->f[0]), f1 = v_set1(a->f[1]), zero = v_zero(), one = v_set1(1.0f); \
    (void)f0; (void)f1; (void)zero; (void)one; \
    int64_t i = i0; \
    for (; i + VL <= i1; i += VL) { vf v = v_load(x + i); v_store(y + i, expression); } \
    if (i < i1) { vf v = v_load_n(x + i, i1 - i); v_store_n(y + i, expression, i1 - i); } \
  }

BK_INLINE vf v_sign(vf v) {   /* -1, 0, 1 and NaN */
  vf one = v_set1(1.0f), zero = v_zero();
  return v_sel(v_gt(v, zero), one, v_sel(v_lt(v, zero), v_neg(one), v));
}
BK_INLINE vf v_ceil(vf v) { return v_neg(v_floor(v_neg(v))); }
BK_INLINE vf v_square(vf v) { return v_mul(v, v); }

BK_UNARY(neg, v_neg(v))
BK_UNARY(abs, v_abs(v))
BK_UNARY(sign, v_sign(v))
BK_UNARY(square, v_mul(v, v))
BK_UNARY(sqrt, v_sqrt(v))
BK_UNARY(rsqrt, v_div(one, v_sqrt(v)))
BK_UNARY(reciprocal, v_div(one, v))
BK_UNARY(exp, v_exp(v))
BK_UNARY(expm1, v_expm1(v))
BK_UNARY(log, v_log(v))
BK_UNARY(log1p, v_log1p(v))
BK_UNARY(sin, v_sin(v))
BK_UNARY(cos, v_cos(v))
BK_UNARY(floor, v_floor(v))
BK_UNARY(ceil, v_ceil(v))
BK_UNARY(round, v_round(v))
BK_UNARY(erf, v_erf(v))
BK_UNARY(clip, v_min(f1, v_max(f0, v)))              /* a NaN of x stays */
BK_UNARY(logical_not, (vf)(((vi)v == 0) & 1))

/* ---- out[i] = f(x[i], y[i]) on one shape ---- */
#define BK_PAIR(name, expression) \
  BK_KERNEL(name) { \
    (void)w; \
    BK_SPAN(a, lo, hi, i0, i1); \
    const float *px = a->p[0], *py = a->p[1]; \
    float *out = a->p[2]; \
    const vf f0 = v_set1(a->f[0]), f1 = v_set1(a->f[1]), zero = v_zero(), one = v_set1(1.0f); \
    (void)f0; (void)f1; (void)zero; (void)one; \
    int64_t i = i0; \
    for (; i + VL <= i1; i += VL) { vf x = v_load(px + i), y = v_load(py + i); v_store(out + i, expression); } \
    if (i < i1) { \
      vf x = v_load_n(px + i, i1 - i), y = v_load_n(py + i, i1 - i); \
      v_store_n(out + i, expression, i1 - i); \
    } \
  }

BK_PAIR(l1l2_grad, v_fma(x, v_add(f1, f1), v_fma(v_sign(x), f0, y)))       /* x = w, y = g */
BK_PAIR(ema, v_fma(x, f0, v_mul(y, v_sub(one, f0))))

/* ---- broadcasting: out is [n0 / n1, n1]; an operand advances by its row stride a row and by 0 or 1 a column ---- */
typedef struct { const float *p; int64_t row, col; } bk_operand;
BK_INLINE bk_operand bk_operand_of(const bk_args *a, int i, int at) {
  bk_operand o = {a->p[i], a->n[at], a->n[at + 1]};
  return o;
}
BK_INLINE vf bk_operand_load(bk_operand o, int64_t r, int64_t c, int64_t n) {
  const float *p = o.p + r * o.row;
  return o.col ? v_load_n(p + c, n) : v_bcast(p);
}

#define BK_BROADCAST(a, lo, hi, ...) do { \
  BK_SPAN(a, lo, hi, i0, i1); \
  const int64_t cols = (a)->n[1]; \
  for (int64_t i = i0, r = cols ? i0 / cols : 0, c = i0 - r * cols; i < i1; r++, c = 0) { \
    const int64_t end = bk_min(i1, (r + 1) * cols); \
    for (; i < end; i += VL, c += VL) { const int64_t n = end - i; __VA_ARGS__ } \
    i = end; \
  } \
} while (0)

#define BK_BINARY(name, expression) \
  BK_KERNEL(name) { \
    (void)w; \
    const bk_operand ox = bk_operand_of(a, 0, 2), oy = bk_operand_of(a, 1, 4); \
    float *out = a->p[2]; \
    if (ox.col && oy.col && a->n[0] == a->n[1]) {          /* nothing broadcasts */ \
      BK_SPAN(a, lo, hi, i0, i1); \
      int64_t i = i0; \
      for (; i + VL <= i1; i += VL) { vf x = v_load(ox.p + i), y = v_load(oy.p + i); v_store(out + i, expression); } \
      if (i < i1) { vf x = v_load_n(ox.p + i, i1 - i), y = v_load_n(oy.p + i, i1 - i); v_store_n(out + i, expression, i1 - i); } \
      return; \
    } \
    BK_BROADCAST(a, lo, hi, { \
      vf x = bk_operand_load(ox, r, c, n), y = bk_operand_load(oy, r, c, n); \
      v_store_n(out + i, expression, n); \
    }); \
  }

BK_INLINE vf bk_truth(vi mask) { return (vf)(mask & 1); }
BK_INLINE vf v_pow(vf x, vf y) {     /* libm's, lane by lane: signs, zeros and infinities as C99 has them */
  float s[VL], t[VL];
  v_store(s, x), v_store(t, y);
  for (int i = 0; i < VL; i++) s[i] = powf(s[i], t[i]);
  return v_load(s);
}

BK_BINARY(add, v_add(x, y))
BK_BINARY(subtract, v_sub(x, y))
BK_BINARY(multiply, v_mul(x, y))
BK_BINARY(divide, v_div(x, y))
BK_BINARY(power, v_pow(x, y))
BK_BINARY(maximum, v_sel(v_isnan(x), x, v_max(x, y)))     /* v_max gives y where either is NaN */
BK_BINARY(minimum, v_sel(v_isnan(x), x, v_min(x, y)))
BK_BINARY(equal, bk_truth(v_eq(x, y)))
BK_BINARY(not_equal, bk_truth(v_ne(x, y)))
BK_BINARY(less, bk_truth(v_lt(x, y)))
BK_BINARY(less_equal, bk_truth(v_le(x, y)))
BK_BINARY(greater, bk_truth(v_gt(x, y)))
BK_BINARY(greater_equal, bk_truth(v_ge(x, y)))
BK_BINARY(logical_and, (vf)((vi)x & (vi)y))
BK_BINARY(logical_or, (vf)((vi)x | (vi)y))

BK_KERNEL(where) {
  (void)w;
  const bk_operand oc = bk_operand_of(a, 0, 2), ox = bk_operand_of(a, 1, 4), oy = bk_operand_of(a, 2, 6);
  float *out = a->p[3];
  BK_BROADCAST(a, lo, hi, {
    vi mask = (vi)bk_operand_load(oc, r, c, n) != 0;
    v_store_n(out + i, v_sel(mask, bk_operand_load(ox, r, c, n), bk_operand_load(oy, r, c, n)), n);
  });
}
#endif
