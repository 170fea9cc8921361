/* scalar_math.h: functions that the C library computes, element by element. */
#ifndef BRISKNET_SCALAR_MATH_H
#define BRISKNET_SCALAR_MATH_H
#include "kernels/elementwise.h"

#define BK_SCALAR(name, expression) \
  BK_KERNEL(name) { \
    (void)w; \
    BK_SPAN(a, lo, hi, i0, i1); \
    const float *x = a->p[0]; \
    float *y = a->p[1]; \
    for (int64_t i = i0; i < i1; i++) { const float v = x[i]; y[i] = expression; } \
  }

/* The inverse of erf: Giles' polynomials (2012), then one step of Newton's method in double. */
BK_INLINE float bk_erfinv(float x) {
  if (!(x > -1.0f && x < 1.0f)) return x == 1.0f ? __builtin_inff() : x == -1.0f ? -__builtin_inff() : __builtin_nanf("");
  const double u = x, t = -log((1.0 - u) * (1.0 + u));
  double p, s;
  if (t < 5.0) {
    s = t - 2.5;
    p = 2.81022636e-08, p = 3.43273939e-07 + p * s, p = -3.5233877e-06 + p * s, p = -4.39150654e-06 + p * s;
    p = 0.00021858087 + p * s, p = -0.00125372503 + p * s, p = -0.00417768164 + p * s, p = 0.246640727 + p * s;
    p = 1.50140941 + p * s;
  } else {
    s = sqrt(t) - 3.0;
    p = -0.000200214257, p = 0.000100950558 + p * s, p = 0.00134934322 + p * s, p = -0.00367342844 + p * s;
    p = 0.00573950773 + p * s, p = -0.0076224613 + p * s, p = 0.00943887047 + p * s, p = 1.00167406 + p * s;
    p = 2.83297682 + p * s;
  }
  const double y = p * u;
  return (float)(y - (erf(y) - u) / (1.1283791670955126 * exp(-y * y)));
}

BK_SCALAR(tan, tanf(v))
BK_SCALAR(arcsin, asinf(v))
BK_SCALAR(arccos, acosf(v))
BK_SCALAR(arctan, atanf(v))
BK_SCALAR(sinh, sinhf(v))
BK_SCALAR(cosh, coshf(v))
BK_SCALAR(arcsinh, asinhf(v))
BK_SCALAR(arccosh, acoshf(v))
BK_SCALAR(arctanh, atanhf(v))
BK_SCALAR(log2, log2f(v))
BK_SCALAR(log10, log10f(v))
BK_SCALAR(exp2, exp2f(v))
BK_SCALAR(cbrt, cbrtf(v))
BK_SCALAR(trunc, truncf(v))
BK_SCALAR(erfinv, bk_erfinv(v))

#define BK_SCALAR_BINARY(name, expression) \
  BK_INLINE vf bk_lanes_##name(vf p, vf q) { \
    float s[VL], t[VL]; \
    v_store(s, p), v_store(t, q); \
    for (int i = 0; i < VL; i++) { const float x = s[i], y = t[i]; s[i] = expression; } \
    return v_load(s); \
  } \
  BK_BINARY(name, bk_lanes_##name(x, y))

/* Remainder with the divisor's sign, and the quotient that belongs to it, as NumPy has them. */
BK_INLINE float bk_mod(float x, float y) {
  const float r = fmodf(x, y);
  return r == 0 ? copysignf(0.0f, y) : (r < 0) != (y < 0) ? r + y : r;
}
BK_INLINE float bk_quotient(float x, float y) {
  if (y == 0) return x / y;
  float r = fmodf(x, y), q = (x - r) / y;
  if (r != 0 && (r < 0) != (y < 0)) q -= 1.0f;
  if (q == 0) return copysignf(0.0f, x / y);
  const float f = floorf(q);
  return q - f > 0.5f ? f + 1.0f : f;
}
BK_SCALAR_BINARY(floor_divide, bk_quotient(x, y))
BK_SCALAR_BINARY(mod, bk_mod(x, y))
BK_SCALAR_BINARY(arctan2, atan2f(x, y))
#endif
