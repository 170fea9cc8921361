/* metric.h: streaming totals in double, and the row matches that accuracies are made of. */
#ifndef BRISKNET_METRIC_H
#define BRISKNET_METRIC_H
#include "kernels/softmax.h"

BK_KERNEL(metric_add) {
  (void)w;
  if (lo >= hi) return;
  const float *values = a->p[2], *weights = a->p[3];
  double total = 0, count = 0;
  if (weights) {
    for (int64_t i = 0; i < a->n[0]; i++) total += (double)values[i] * (double)weights[i], count += (double)weights[i];
  } else {
    double s[4] = {0, 0, 0, 0};
    int64_t i = 0;
    for (; i + 4 <= a->n[0]; i += 4) for (int j = 0; j < 4; j++) s[j] += (double)values[i + j];
    for (; i < a->n[0]; i++) s[0] += (double)values[i];
    total = (s[0] + s[1]) + (s[2] + s[3]), count = (double)a->n[0];
  }
  const double factor = (double)a->f[0];
  *(double *)a->p[4] = *(const double *)a->p[0] + factor * total;
  *(double *)a->p[5] = *(const double *)a->p[1] + factor * count;
}

BK_KERNEL(binary_match) {              /* the share of a row's entries where true == (pred > threshold) */
  (void)w;
  const int64_t C = a->n[1];
  const float *t = a->p[0], *p = a->p[1];
  float *out = a->p[2];
  const vf threshold = v_set1(a->f[0]), one = v_set1(1.0f);
  if (C == 1) {
    for (int64_t r = lo; r < hi; r += VL) {
      vf guess = v_mask(v_gt(v_load_n(p + r, hi - r), threshold), one);
      v_store_n(out + r, v_mask(v_eq(v_load_n(t + r, hi - r), guess), one), hi - r);
    }
    return;
  }
  for (int64_t r = lo; r < hi; r++) {
    int64_t hits = 0;
    for (int64_t i = r * C; i < (r + 1) * C; i++) hits += t[i] == (p[i] > a->f[0] ? 1.0f : 0.0f);
    out[r] = (float)hits / (float)C;
  }
}

BK_KERNEL(categorical_match) {
  (void)w;
  const int64_t C = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *t = (const float *)a->p[0] + r * C, *p = (const float *)a->p[1] + r * C;
    ((float *)a->p[2])[r] = bk_row_argmax(t, C) == bk_row_argmax(p, C) ? 1.0f : 0.0f;
  }
}

BK_KERNEL(sparse_match) {
  (void)w;
  const int64_t C = a->n[1];
  const int32_t *labels = a->p[0];
  for (int64_t r = lo; r < hi; r++)
    ((float *)a->p[2])[r] = labels[r] == bk_row_argmax((const float *)a->p[1] + r * C, C) ? 1.0f : 0.0f;
}

BK_KERNEL(count_step) {
  (void)w;
  if (lo < hi) *(int64_t *)a->p[1] = *(const int64_t *)a->p[0] + a->n[0];
}
#endif
