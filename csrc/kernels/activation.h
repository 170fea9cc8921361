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

/* x Phi(x), Phi the normal distribution function */
BK_INLINE vf v_normal_cdf(vf x) {
  return v_mul(v_set1(0.5f), v_add(v_set1(1.0f), v_erf(v_mul(x, v_set1(0.70710678118654752f)))));
}
BK_INLINE vf v_normal_pdf(vf x) {
  return v_mul(v_set1(0.3989422804014327f), v_exp(v_mul(v_set1(-0.5f), v_mul(x, x))));
}
BK_UNARY(gelu, v_mul(v, v_normal_cdf(v)))
BK_PAIR(gelu_grad, v_mul(x, v_fma(y, v_normal_pdf(y), v_normal_cdf(y))))    /* x = dy, y = x */

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
