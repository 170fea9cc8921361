/* softmax.h: rows turned into probabilities, their logarithms, and both gradients. */
#ifndef BRISKNET_SOFTMAX_H
#define BRISKNET_SOFTMAX_H
#include "kernels/elementwise.h"

BK_INLINE float bk_row_max(const float *x, int64_t n) {
  if (n >= VL) {                                   /* the last vector overlaps the one before: a maximum does not mind */
    vf m = v_load(x);
    for (int64_t i = VL; i + VL <= n; i += VL) m = v_max(m, v_load(x + i));
    m = v_max(m, v_load(x + n - VL));
    float t[VL];
    v_store(t, m);
    for (int w = VL / 2; w; w /= 2) for (int i = 0; i < w; i++) t[i] = t[i] > t[i + w] ? t[i] : t[i + w];
    return t[0];
  }
  float m = x[0];
  for (int64_t i = 1; i < n; i++) m = x[i] > m ? x[i] : m;
  return m;
}

/* e[i] = exp(x[i] - max), and their sum; e may be x. A NaN or +inf in x makes the sum NaN. */
BK_INLINE float bk_row_exp(const float *x, float *e, int64_t n, float max) {
  const vf m = v_set1(max);
  vf s = v_zero();
  int64_t i = 0;
  for (; i + VL <= n; i += VL) {
    vf t = v_exp_negative(v_sub(v_load(x + i), m));
    v_store(e + i, t);
    s = v_add(s, t);
  }
  if (i < n) {
    vf t = v_exp_negative(v_sub(v_load_n(x + i, n - i), m));
    v_store_n(e + i, t, n - i);
    s = v_add(s, v_load_n(e + i, n - i));          /* lanes past the row are zero */
  }
  return v_hsum(s);
}

BK_INLINE float bk_row_dot(const float *x, const float *y, int64_t n) {
  vf s = v_zero();
  for (int64_t i = 0; i < n; i += VL) s = v_fma(v_load_n(x + i, n - i), v_load_n(y + i, n - i), s);
  return v_hsum(s);
}

BK_INLINE float bk_row_sum(const float *x, int64_t n) {
  vf s = v_zero();
  for (int64_t i = 0; i < n; i += VL) s = v_add(v_load_n(x + i, n - i), s);
  return v_hsum(s);
}

BK_KERNEL(softmax) {
  (void)w;
  const int64_t n = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *x = (const float *)a->p[0] + r * n;
    float *y = (float *)a->p[1] + r * n;
    const vf scale = v_set1(1.0f / bk_row_exp(x, y, n, bk_row_max(x, n)));
    for (int64_t i = 0; i < n; i += VL) v_store_n(y + i, v_mul(v_load_n(y + i, n - i), scale), n - i);
  }
}

BK_KERNEL(log_softmax) {
  (void)w;
  const int64_t n = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *x = (const float *)a->p[0] + r * n;
    float *y = (float *)a->p[1] + r * n;
    const float max = bk_row_max(x, n);
    const vf m = v_set1(max), log_sum = v_log(v_set1(bk_row_exp(x, y, n, max)));
    for (int64_t i = 0; i < n; i += VL)
      v_store_n(y + i, v_sub(v_sub(v_load_n(x + i, n - i), m), log_sum), n - i);
  }
}

BK_KERNEL(softmax_grad) {                          /* dx = y (dy - sum(dy y)) */
  (void)w;
  const int64_t n = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *dy = (const float *)a->p[0] + r * n, *y = (const float *)a->p[1] + r * n;
    float *dx = (float *)a->p[2] + r * n;
    const vf s = v_set1(bk_row_dot(dy, y, n));
    for (int64_t i = 0; i < n; i += VL)
      v_store_n(dx + i, v_mul(v_load_n(y + i, n - i), v_sub(v_load_n(dy + i, n - i), s)), n - i);
  }
}

BK_KERNEL(log_softmax_grad) {                      /* dx = dy - exp(y) sum(dy) */
  (void)w;
  const int64_t n = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *dy = (const float *)a->p[0] + r * n, *y = (const float *)a->p[1] + r * n;
    float *dx = (float *)a->p[2] + r * n;
    const vf s = v_set1(bk_row_sum(dy, n));
    for (int64_t i = 0; i < n; i += VL)
      v_store_n(dx + i, v_fnma(v_exp(v_load_n(y + i, n - i)), s, v_load_n(dy + i, n - i)), n - i);
  }
}

/* The first of the largest elements; a NaN counts as largest, as in NumPy. */
BK_INLINE int32_t bk_row_argmax(const float *x, int64_t n) {
  int64_t at = 0;
  float best = x[0];
  for (int64_t i = 1; i < n && best == best; i++) if (x[i] > best || x[i] != x[i]) best = x[i], at = i;
  return (int32_t)at;
}

BK_KERNEL(argmax) {
  (void)w;
  for (int64_t r = lo; r < hi; r++) ((int32_t *)a->p[1])[r] = bk_row_argmax((const float *)a->p[0] + r * a->n[1], a->n[1]);
}
#endif
