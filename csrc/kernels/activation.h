/* activation.h: activations and their derivatives as passes of their own. */
#ifndef BRISKNET_ACTIVATION_H
#define BRISKNET_ACTIVATION_H
#include "kernels/elementwise.h"
#include "kernels/microkernel.h"

BK_UNARY(relu, bk_activate(v, BK_RELU, 0))
BK_UNARY(leaky_relu, bk_activate(v, BK_LEAKY_RELU, a->f[0]))
BK_UNARY(elu, bk_activate(v, BK_ELU, a->f[0]))
BK_UNARY(sigmoid, v_sigmoid(v))
BK_UNARY(tanh, v_tanh(v))
BK_UNARY(step, v_sel(v_gt(v, zero), f1, v_sel(v_isnan(v), v, f0)))
BK_UNARY(straight_step, v_sel(v_gt(v, zero), one, v_sel(v_isnan(v), v, v_neg(one))))

/* The normal distribution: Phi(-|x|) = exp(-x^2 / 2) M(|x|), M (Mills' ratio / sqrt(2 pi)) a rational minimax fit for |x| <= 13.3,
 * beyond which the exponential is 0. One exponential serves function and density. */
typedef struct { vf cdf, bell; } v_normal;           /* Phi(x), exp(-x^2 / 2) */
BK_INLINE v_normal v_normal_of(vf x) {
  const vf a = v_min(v_set1(14.0f), v_abs(x)), bell = v_exp_negative(v_mul(v_mul(a, v_set1(-0.5f)), a));
  vf n = v_fma(v_set1(0.00402024598440384f), a, v_set1(0.03998455947700503f));
  vf d = v_fma(v_set1(0.010077119050467398f), a, v_set1(0.10023380805277908f));
  n = v_fma(n, a, v_set1(0.1813079188341602f)), d = v_fma(d, a, v_set1(0.4643833884988986f));
  n = v_fma(n, a, v_set1(0.4356878950528775f)), d = v_fma(d, a, v_set1(1.194489049858021f));
  n = v_fma(n, a, v_set1(0.5f)), d = v_fma(d, a, v_set1(1.669260708973538f));
  d = v_fma(d, a, v_set1(1.0f));
  const vf tail = v_mul(bell, v_div(n, d));
  v_normal r = {v_sel(v_lt(x, v_zero()), tail, v_sub(v_set1(1.0f), tail)), bell};
  return r;
}
BK_INLINE vf v_gelu_slope(vf x) {                    /* Phi(x) + x phi(x) */
  const v_normal n = v_normal_of(x);
  return v_fma(v_mul(x, v_set1(0.3989422804014327f)), n.bell, n.cdf);
}
BK_UNARY(gelu, v_mul(v, v_normal_of(v).cdf))
BK_PAIR(gelu_grad, v_mul(x, v_gelu_slope(y)))        /* x = dy, y = x */

/* x (1 + t) / 2, t = tanh(c (x + 0.044715 x^3)) */
BK_INLINE vf v_gelu_t(vf x) {
  vf u = v_mul(v_mul(x, v_set1(0.7978845608028654f)), v_fma(v_mul(x, x), v_set1(0.044715f), v_set1(1.0f)));
  return v_tanh(u);
}
BK_INLINE vf v_gelu_tanh_slope(vf x) {
  vf half = v_set1(0.5f), one = v_set1(1.0f), t = v_gelu_t(x);
  vf du = v_mul(v_set1(0.7978845608028654f), v_fma(v_mul(x, x), v_set1(3 * 0.044715f), one));
  return v_fma(v_mul(v_mul(half, x), v_fnma(t, t, one)), du, v_mul(half, v_add(one, t)));
}
BK_UNARY(gelu_tanh, v_mul(v_mul(v_set1(0.5f), v), v_add(one, v_gelu_t(v))))
BK_PAIR(gelu_tanh_grad, v_mul(x, v_gelu_tanh_slope(y)))

BK_INLINE vf v_silu_slope(vf x) {            /* s (1 + x (1 - s)) */
  vf s = v_sigmoid(x), one = v_set1(1.0f);
  return v_mul(s, v_fma(x, v_sub(one, s), one));
}
BK_UNARY(silu, v_mul(v, v_sigmoid(v)))
BK_PAIR(silu_grad, v_mul(x, v_silu_slope(y)))

BK_INLINE vf v_softplus(vf x) { return v_add(v_max(v_zero(), x), v_log1p(v_exp_negative(v_neg(v_abs(x))))); }
BK_UNARY(softplus, v_softplus(v))
BK_PAIR(softplus_grad, v_mul(x, v_sigmoid(y)))

/* tanh(softplus(x)) = n / d and 1 - it = rest / d, from e = exp(-|x|): no cancellation on either side. */
typedef struct { vf t, rest; } v_mish_parts;
BK_INLINE v_mish_parts v_mish_of(vf x) {
  const vf one = v_set1(1.0f), two = v_set1(2.0f);
  vf e = v_exp_negative(v_neg(v_abs(x)));
  vi right = v_ge(x, v_zero());
  vf n = v_sel(right, v_fma(two, e, one), v_mul(e, v_add(e, two)));
  vf rest = v_sel(right, v_mul(two, v_mul(e, e)), two);
  vf scale = v_div(one, v_add(n, rest));
  v_mish_parts m = {v_mul(n, scale), v_mul(rest, scale)};
  m.t = v_sel(v_isnan(x), x, m.t);
  return m;
}
BK_INLINE vf v_mish_slope(vf x) {            /* t + x s (1 - t) (1 + t) */
  v_mish_parts m = v_mish_of(x);
  return v_fma(v_mul(x, v_sigmoid(x)), v_mul(m.rest, v_add(v_set1(1.0f), m.t)), m.t);
}
BK_UNARY(mish, v_mul(v, v_mish_of(v).t))
BK_PAIR(mish_grad, v_mul(x, v_mish_slope(y)))

BK_UNARY(log_sigmoid, v_neg(v_softplus(v_neg(v))))
BK_PAIR(log_sigmoid_grad, v_mul(x, v_sigmoid(v_neg(y))))

BK_INLINE vf v_tanh_shrink(vf x) {           /* x - tanh(x); near 0 by tanh's polynomial, whose x has gone already */
  vf q = v_mul(x, x);
  vf near = v_neg(v_mul(v_mul(v_tanh_tail(q), q), x));
  return v_sel(v_lt(v_abs(x), v_set1(0.625f)), near, v_sub(x, v_tanh(x)));
}
BK_UNARY(tanh_shrink, v_tanh_shrink(v))
BK_PAIR(tanh_shrink_grad, v_mul(x, v_square(v_tanh(y))))

BK_UNARY(softsign, v_div(v, v_add(one, v_abs(v))))
BK_PAIR(softsign_grad, v_div(x, v_square(v_add(one, v_abs(y)))))

BK_INLINE vf v_squareplus_root(vf x, vf b) { return v_sqrt(v_fma(x, x, b)); }
BK_INLINE vf v_squareplus(vf x, vf b) {      /* (x + root) / 2; below 0, where that cancels, b / (root - x) / 2 */
  vf root = v_squareplus_root(x, b);
  return v_mul(v_set1(0.5f), v_sel(v_lt(x, v_zero()), v_div(b, v_sub(root, x)), v_add(x, root)));
}
BK_INLINE vf v_squareplus_slope(vf x, vf b) {
  vf root = v_squareplus_root(x, b), half = v_set1(0.5f);
  return v_sel(v_lt(x, v_zero()), v_div(v_squareplus(x, b), root), v_fma(half, v_div(x, root), half));
}
BK_UNARY(squareplus, v_squareplus(v, f0))
BK_PAIR(squareplus_grad, v_mul(x, v_squareplus_slope(y, f0)))

/* ---- in pieces. A NaN compares false everywhere: pieces are chosen so that it stays where NumPy's stays ---- */
BK_UNARY(ramp, v_mul(v_add(v_min(f1, v_max(f0, v)), v_set1(a->f[2])), v_set1(a->f[3])))
BK_PAIR(ramp_grad, v_mul(x, v_mask(a->f[4] != 0 ? v_ge(y, f0) & v_le(y, f1) : v_gt(y, f0) & v_lt(y, f1), v_set1(a->f[3]))))

BK_INLINE vf v_hard_silu_slope(vf x) {       /* (2 x + 3) / 6 for |x| < 3 */
  const vf three = v_set1(3.0f);
  vf ends = v_mask(v_gt(x, v_zero()), v_set1(1.0f));
  return v_sel(v_lt(v_abs(x), three), v_mul(v_add(v_add(x, x), three), v_set1(1.0f / 6)), ends);
}
BK_UNARY(hard_silu, v_mul(v, v_mul(v_min(v_set1(6.0f), v_max(zero, v_add(v, v_set1(3.0f)))), v_set1(1.0f / 6))))
BK_PAIR(hard_silu_grad, v_mul(x, v_hard_silu_slope(y)))

BK_INLINE vf v_sparse_plus(vf x) {
  const vf one = v_set1(1.0f);
  vf r = v_add(v_min(one, v_max(v_neg(one), x)), one);
  return v_sel(v_ge(x, one), x, v_mul(v_set1(0.25f), v_mul(r, r)));
}
BK_UNARY(sparse_plus, v_sparse_plus(v))
BK_PAIR(sparse_plus_grad, v_mul(x, v_min(one, v_max(zero, v_mul(v_set1(0.5f), v_add(y, one))))))

BK_UNARY(hard_shrink, v_mask(v_gt(v_abs(v), f0), v))
BK_UNARY(soft_shrink, v_mask(v_gt(v_abs(v), f0), v_sub(v, v_copysign(f0, v))))
BK_PAIR(hard_shrink_grad, v_mul(x, v_mask(v_gt(v_abs(y), f0), one)))
BK_UNARY(threshold, v_sel(v_gt(v, f0), v, f1))
BK_PAIR(threshold_grad, v_mul(x, v_mask(v_gt(y, f0), one)))

BK_UNARY(scaled_elu, v_sel(v_lt(v, zero), v_mul(v_mul(f0, f1), v_expm1(v_mul(v, v_set1(a->f[2])))), v_mul(f0, v)))
BK_PAIR(scaled_elu_grad, v_mul(x, v_sel(v_lt(y, zero), v_mul(v_fma(f0, f1, y), v_set1(a->f[2])), f0)))

/* scale dy f'(x), f' from y = f(x) */
#define BK_ACT_GRAD_CASE(kind) case kind: for (; i < i1; i += VL) { \
    vf g = bk_act_slope(v_load_n(dy + i, i1 - i), v_load_n(y + i, i1 - i), kind, alpha); \
    v_store_n(out + i, v_mul(g, scale), i1 - i); } break;
BK_KERNEL(act_grad) {
  (void)w;
  BK_SPAN(a, lo, hi, i0, i1);
  const float *dy = a->p[0], *y = a->p[1], alpha = a->f[0];
  float *out = a->p[2];
  const vf scale = v_set1(a->f[1]);
  int64_t i = i0;
  switch (a->n[1]) {
    BK_ACT_GRAD_CASE(BK_LINEAR) BK_ACT_GRAD_CASE(BK_RELU) BK_ACT_GRAD_CASE(BK_LEAKY_RELU)
    BK_ACT_GRAD_CASE(BK_ELU) BK_ACT_GRAD_CASE(BK_SIGMOID) BK_ACT_GRAD_CASE(BK_TANH)
  }
}
#endif
