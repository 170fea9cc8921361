/* vmath.h: elementary functions on vectors. NaN goes through; results are flushed to zero below the normal range.
 * Bounds against double precision are held by tests/native: exp, log <= 2 ULP; tanh, sigmoid <= 4 ULP; erf 5e-7 absolute;
 * expm1, log1p <= 4 ULP; sin, cos 2e-7 absolute for |x| <= 8000. A denormal argument may count as zero. */
#ifndef BRISKNET_VMATH_H
#define BRISKNET_VMATH_H

/* 2^n for integers n in [-126, 127], given as floats in a vector. */
BK_INLINE vf v_pow2(vi n) { return (vf)((n + 127) << 23); }

/* exp(x) - 1 over |x| <= ln(2)/2, by the Taylor series to degree 7 (remainder below 2^-25 relative to exp). */
BK_INLINE vf v_exp_core(vf r) {
  vf p = v_set1(1.0f / 5040);
  p = v_fma(p, r, v_set1(1.0f / 720));
  p = v_fma(p, r, v_set1(1.0f / 120));
  p = v_fma(p, r, v_set1(1.0f / 24));
  p = v_fma(p, r, v_set1(1.0f / 6));
  p = v_fma(p, r, v_set1(0.5f));
  return v_fma(v_mul(p, r), r, r);
}

/* x = n ln2 + r with |r| <= ln2/2; ln2 in two parts so that n * high is exact. */
BK_INLINE vf v_exp_reduce(vf x, vi *n) {
  vf k = v_round(v_mul(x, v_set1(1.44269504088896341f)));
  *n = v_to_vi(k);
  vf r = v_fnma(k, v_set1(0.693145751953125f), x);
  return v_fnma(k, v_set1(1.428606765330187e-06f), r);
}

BK_INLINE vf v_exp(vf x) {
  vi n;
  vf t = v_min(v_set1(89.0f), v_max(v_set1(-104.0f), x));   /* beyond: inf and 0 all the same; a NaN stays */
  vf p = v_exp_core(v_exp_reduce(t, &n));
  vi half = n >> 1;                                          /* 2^n in two factors: n reaches 128 and -150 */
  return v_mul(v_mul(v_add(p, v_set1(1.0f)), v_pow2(half)), v_pow2(n - half));
}

/* exp for x <= 0 and -inf, as in softmax: one factor is enough, results below 2^-126 are zero. */
BK_INLINE vf v_exp_negative(vf x) {
  vi n;
  vf t = v_max(v_set1(-87.33654f), x);
  vf p = v_add(v_exp_core(v_exp_reduce(t, &n)), v_set1(1.0f));
  return v_sel(v_lt(x, v_set1(-87.33654f)), v_zero(), v_mul(p, v_pow2(n)));
}

BK_INLINE vf v_expm1(vf x) {
  vi n;
  vf t = v_min(v_set1(89.0f), v_max(v_set1(-30.0f), x));
  vf p = v_exp_core(v_exp_reduce(t, &n));
  vi half = n >> 1;
  vf a = v_pow2(half), b = v_pow2(n - half);                 /* 2^n p + (2^n - 1): no cancellation near 0 */
  vf big = v_sub(v_mul(v_mul(v_add(p, v_set1(1.0f)), a), b), v_set1(1.0f));
  vf scale = v_mul(a, b);
  vf small = v_fma(p, scale, v_sub(scale, v_set1(1.0f)));
  return v_sel(v_gt(x, v_set1(80.0f)), big, v_sel(v_eq(x, v_zero()), x, small));
}

/* log of positive normal numbers; 0 -> -inf, negative -> NaN, inf -> inf. */
BK_INLINE vf v_log(vf x) {
  vf tiny = v_set1(1.17549435e-38f);
  vf m = v_sel(v_lt(x, tiny), tiny, x);
  vi bits = v_bits(m);
  vi e = (vi)((vu)bits >> 23) - 126;
  m = vi_bits((bits & vi_set1(0x007fffff)) | vi_set1(0x3f000000));      /* [0.5, 1) */
  vi low = v_lt(m, v_set1(0.70710678f));
  vf ef = vi_to_v(e + low);                                             /* low is -1 where true */
  m = v_sub(v_add(m, v_mask(low, m)), v_set1(1.0f));                    /* sqrt(1/2) - 1 .. sqrt(2) - 1 */
  vf z = v_mul(m, m);
  /* minimax polynomial of (log(1+m) - m + m^2/2) / m^3 on that interval (Cephes, S. Moshier) */
  vf p = v_set1(7.0376836292e-2f);
  p = v_fma(p, m, v_set1(-1.1514610310e-1f));
  p = v_fma(p, m, v_set1(1.1676998740e-1f));
  p = v_fma(p, m, v_set1(-1.2420140846e-1f));
  p = v_fma(p, m, v_set1(1.4249322787e-1f));
  p = v_fma(p, m, v_set1(-1.6668057665e-1f));
  p = v_fma(p, m, v_set1(2.0000714765e-1f));
  p = v_fma(p, m, v_set1(-2.4999993993e-1f));
  p = v_fma(p, m, v_set1(3.3333331174e-1f));
  p = v_mul(p, v_mul(m, z));
  p = v_fma(ef, v_set1(-2.12194440e-4f), p);
  p = v_fnma(z, v_set1(0.5f), p);
  vf y = v_fma(ef, v_set1(0.693359375f), v_add(m, p));
  y = v_sel(v_eq(x, v_set1(__builtin_inff())), x, y);
  y = v_sel(v_eq(x, v_zero()), v_set1(-__builtin_inff()), y);
  y = v_sel(v_lt(x, v_zero()), v_set1(__builtin_nanf("")), y);
  return v_sel(v_isnan(x), x, y);
}

BK_INLINE vf v_log1p(vf x) {
  /* log(u) * x / (u - 1), u = 1 + x: the rounding of u cancels (Goldberg 1991, theorem 4) */
  vf one = v_set1(1.0f), u = v_add(one, x), d = v_sub(u, one);
  vf y = v_mul(v_log(u), v_div(x, d));
  y = v_sel(v_eq(d, v_zero()), x, y);
  return v_sel(v_eq(x, v_set1(__builtin_inff())), x, y);
}

/* 1 / (1 + exp(-x)): nothing cancels on either side. From -x = 88.4 on 2^128 is infinite, and the result 0. */
BK_INLINE vf v_sigmoid(vf x) {
  vi n;
  const vf one = v_set1(1.0f), t = v_min(v_set1(89.0f), v_max(v_set1(-40.0f), v_neg(x)));
  const vf p = v_exp_core(v_exp_reduce(t, &n)), e = v_mul(v_add(p, one), v_pow2(n));
  return v_div(one, v_add(one, e));
}

/* (tanh(x) / x - 1) / x^2 for q = x^2, |x| < 0.625: an even minimax polynomial (Cephes, S. Moshier) */
BK_INLINE vf v_tanh_tail(vf q) {
  vf p = v_fma(v_set1(-5.70498872745e-3f), q, v_set1(2.06390887954e-2f));
  p = v_fma(p, q, v_set1(-5.37397155531e-2f));
  p = v_fma(p, q, v_set1(1.33314422036e-1f));
  return v_fma(p, q, v_set1(-3.33332819422e-1f));
}

/* -m / (2 + m), m = expm1(-2 |x|) = 2^n p + (2^n - 1): no cancellation near 0; from |x| = 20 on it is 1. */
BK_INLINE vf v_tanh(vf x) {
  vi n;
  const vf p = v_exp_core(v_exp_reduce(v_max(v_set1(-40.0f), v_mul(v_abs(x), v_set1(-2.0f))), &n)), scale = v_pow2(n);
  const vf m = v_fma(p, scale, v_sub(scale, v_set1(1.0f)));
  return v_copysign(v_abs(v_div(m, v_add(m, v_set1(2.0f)))), x);     /* the sign of -0 too */
}

/* erf: x + x P(x^2) for |x| < 1, else 1 - exp(Q(|x|)); P and Q are Chebyshev fits of erf(x)/x - 1 and log(erfc(x)). */
BK_INLINE vf v_erf(vf x) {
  vf ax = v_abs(x), one = v_set1(1.0f), q = v_mul(x, x);
  vf p = v_set1(7.882497448008507e-05f);
  p = v_fma(p, q, v_set1(-0.0008018855005502701f));
  p = v_fma(p, q, v_set1(0.005189312156289816f));
  p = v_fma(p, q, v_set1(-0.02685432881116867f));
  p = v_fma(p, q, v_set1(0.11283597350120544f));
  p = v_fma(p, q, v_set1(-0.3761262595653534f));
  p = v_fma(p, q, v_set1(0.12837916612625122f));
  vf t = v_min(v_set1(4.0f), ax);                          /* from 4 on, erf is 1 in single precision */
  vf e = v_set1(-1.3309389942151029e-05f);
  e = v_fma(e, t, v_set1(0.0003175720339640975f));
  e = v_fma(e, t, v_set1(-0.0034368676133453846f));
  e = v_fma(e, t, v_set1(0.022621985524892807f));
  e = v_fma(e, t, v_set1(-0.10331898182630539f));
  e = v_fma(e, t, v_set1(-0.6390933394432068f));
  e = v_fma(e, t, v_set1(-1.125925898551941f));
  e = v_fma(e, t, v_set1(-0.0007569686276838183f));
  vf y = v_sel(v_lt(ax, one), v_fma(ax, p, ax), v_sub(one, v_exp_negative(e)));
  return v_sel(v_isnan(x), x, v_copysign(y, x));
}

/* sin and cos: reduction by pi/2 in three parts (good to about |x| = 8000), polynomials on [-pi/4, pi/4]. */
BK_INLINE vf v_sincos(vf x, int quadrant) {
  vf k = v_round(v_mul(x, v_set1(0.63661977236758134f)));
  vi n = v_to_vi(k) + quadrant;
  vf r = v_fnma(k, v_set1(1.5703125f), x);
  r = v_fnma(k, v_set1(4.837512969970703125e-4f), r);
  r = v_fnma(k, v_set1(7.549789948768648e-8f), r);
  vf q = v_mul(r, r);
  vf s = v_fma(v_set1(-1.9515295891e-4f), q, v_set1(8.3321608736e-3f));
  s = v_fma(s, q, v_set1(-1.6666654611e-1f));
  s = v_fma(v_mul(s, q), r, r);
  vf c = v_fma(v_set1(2.443315711809948e-5f), q, v_set1(-1.388731625493765e-3f));
  c = v_fma(c, q, v_set1(4.166664568298827e-2f));
  c = v_fma(v_mul(c, q), q, v_fnma(q, v_set1(0.5f), v_set1(1.0f)));
  vf y = v_sel((vi)((n & 1) != 0), c, s);
  return vi_bits(v_bits(y) ^ ((n & 2) << 30));
}
BK_INLINE vf v_sin(vf x) { return v_sel(v_eq(x, v_zero()), x, v_sincos(x, 0)); }   /* keeps -0 */
BK_INLINE vf v_cos(vf x) { return v_sincos(x, 1); }
#endif
