/* lookup.h: bins of numbers, indices of tokens, tokens of rows. */
#ifndef BRISKNET_LOOKUP_H
#define BRISKNET_LOOKUP_H
#include "core/kernel.h"

/* How many of the sorted bins are <= x; NaN is above all. */
BK_KERNEL(digitize) {
  (void)w;
  const float *x = a->p[0], *bins = a->p[1];
  int32_t *y = a->p[2];
  BK_SPAN(a, lo, hi, i0, i1);
  for (int64_t i = i0; i < i1; i++) {
    int64_t first = 0, last = a->n[1];
    while (first < last) {
      int64_t mid = (first + last) / 2;
      if (x[i] < bins[mid]) last = mid; else first = mid + 1;
    }
    y[i] = (int32_t)first;
  }
}

BK_KERNEL(index_of) {
  (void)w;
  const int32_t *x = a->p[0], *keys = a->p[1], *values = a->p[2];
  int32_t *y = a->p[3];
  const int64_t n = a->n[1], oov = a->n[2], start = a->n[3];
  BK_SPAN(a, lo, hi, i0, i1);
  for (int64_t i = i0; i < i1; i++) {
    int64_t first = 0, last = n;
    while (first < last) {
      int64_t mid = (first + last) / 2;
      if (keys[mid] < x[i]) first = mid + 1; else last = mid;
    }
    if (first < n && keys[first] == x[i]) {
      y[i] = values[first];
    } else if (oov == 0) {
      y[i] = -1;
    } else {
      int64_t rest = x[i] % oov;
      y[i] = (int32_t)(start + (rest < 0 ? rest + oov : rest));
    }
  }
}

BK_KERNEL(count_tokens) {
  (void)w;
  const int64_t n = a->n[1], depth = a->n[2], binary = a->n[3];
  for (int64_t r = lo; r < hi; r++) {
    const int32_t *x = (const int32_t *)a->p[0] + r * n;
    float *y = (float *)a->p[1] + r * depth;
    memset(y, 0, 4 * (size_t)depth);
    for (int64_t i = 0; i < n; i++)
      if (x[i] >= 0 && x[i] < depth) y[x[i]] = binary ? 1.0f : y[x[i]] + 1.0f;
  }
}
#endif
