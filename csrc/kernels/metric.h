/* metric.h: what metrics add up over batches, in double, and the row matches that accuracies are made of. */
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

BK_KERNEL(in_top_k) {                  /* fewer than k entries are larger than the label's own, which is finite */
  (void)w;
  const int64_t C = a->n[1], k = a->n[2];
  const int32_t *labels = a->p[0];
  for (int64_t r = lo; r < hi; r++) {
    const float *p = (const float *)a->p[1] + r * C;
    float hit = 0;
    if (labels[r] >= 0 && labels[r] < C) {
      const float own = p[labels[r]];
      int64_t better = 0;
      for (int64_t i = 0; i < C; i++) better += p[i] > own;
      hit = own - own == 0 && better < k ? 1.0f : 0.0f;
    }
    ((float *)a->p[2])[r] = hit;
  }
}

BK_KERNEL(keep_top_k) {                /* one pass for each entry that stays; the first of equals first, NaN last */
  (void)w;
  const int64_t C = a->n[1], k = bk_min(a->n[2], C);
  for (int64_t r = lo; r < hi; r++) {
    const float *x = (const float *)a->p[0] + r * C;
    float *y = (float *)a->p[1] + r * C;
    for (int64_t i = 0; i < C; i++) y[i] = -1e10f;
    float last = 0;
    int64_t last_at = -1;              /* entries up to (last, last_at) in falling order are there already */
    for (int64_t j = 0; j < k; j++) {
      int64_t at = -1;
      for (int64_t i = 0; i < C; i++) {
        const int left = x[i] == x[i] && (last_at < 0 || x[i] < last || (x[i] == last && i > last_at));
        if (left && (at < 0 || x[i] > x[at])) at = i;
      }
      if (at < 0) break;
      y[at] = last = x[at], last_at = at;
    }
  }
}

/* ---- states: p0 double in, p1 true, p2 pred[n0,n1], p3 weights or NULL, p4 double out; n2 true is i32, n3 weights are one an element ---- */
BK_INLINE double *bk_state(const bk_args *a, int64_t count) {
  double *state = a->p[4];
  if (a->p[0] != a->p[4]) memcpy(state, a->p[0], (size_t)count * sizeof *state);
  return state;
}
BK_INLINE double bk_target(const bk_args *a, int64_t i) {
  return a->n[2] ? (double)((const int32_t *)a->p[1])[i] : (double)((const float *)a->p[1])[i];
}
BK_INLINE double bk_weight(const bk_args *a, int64_t row, int64_t i) {
  const float *weights = a->p[3];
  return weights ? (double)weights[a->n[3] ? i : row] : 1.0;
}

/* How many of T sorted thresholds p exceeds; NaN exceeds none. */
BK_INLINE int64_t bk_exceeded(const float *thresholds, int64_t T, float p) {
  if (T <= 8) {
    int64_t found = 0;
    for (int64_t i = 0; i < T; i++) found += p > thresholds[i];
    return found;
  }
  int64_t from = 0, left = T;
  while (left > 0) {
    const int64_t half = left / 2;
    if (p > thresholds[from + half]) from += half + 1, left -= half + 1;
    else left = half;
  }
  return from;
}
/* The same for thresholds i / (T - 1), as Keras computes it; with `open` a first one below 0 and a last one above 1. */
BK_INLINE int64_t bk_exceeded_even(int64_t T, int open, float p) {
  p = p > 0 ? (p < 1 ? p : 1.0f) : 0.0f;
  const float scaled = p * (float)(T - 1);
  const int64_t whole = (int64_t)scaled, found = whole + (scaled > (float)whole);
  return open && found < 1 ? 1 : found;
}

/* One threshold, no weights: counts in registers. above[label] of all, all[label] of them. */
BK_NOINLINE void bk_count_above(const bk_args *a, int64_t n, float threshold, int64_t all[2], int64_t above[2]) {
  const float *pred = a->p[2], *tf = a->p[1];
  const int32_t *ti = a->p[1];
  int64_t positive = 0, high = 0, both = 0;
  for (int64_t i0 = 0; i0 < n; i0 += 1 << 20) {    /* 32-bit counters, so that all lanes count */
    const int64_t i1 = bk_min(i0 + (1 << 20), n);
    int32_t c[3] = {0, 0, 0};
    if (a->n[2]) for (int64_t i = i0; i < i1; i++) {
      const int32_t t = ti[i] != 0, h = pred[i] > threshold;
      c[0] += t, c[1] += h, c[2] += t & h;
    } else for (int64_t i = i0; i < i1; i++) {
      const int32_t t = tf[i] != 0, h = pred[i] > threshold;
      c[0] += t, c[1] += h, c[2] += t & h;
    }
    positive += c[0], high += c[1], both += c[2];
  }
  all[0] = n - positive, all[1] = positive, above[0] = high - both, above[1] = both;
}

BK_KERNEL(metric_thresholds) {         /* p5 thresholds[T]; n4 T, n5 spacing: 0 any, 1 even, 2 even and open; n6 a state a column */
  (void)w;
  if (lo >= hi) return;
  const int64_t M = a->n[0], C = a->n[1], T = a->n[4], spacing = a->n[5], side = T + 1, each = a->n[6] ? 2 * side : 0;
  double *state = bk_state(a, 2 * side * (a->n[6] ? C : 1));
  const float *pred = a->p[2];
  if (T == 1 && !a->p[3] && !each) {
    int64_t all[2], above[2];
    bk_count_above(a, M * C, *(const float *)a->p[5], all, above);
    for (int i = 0; i < 2; i++) state[2 * i] += (double)(all[i] - above[i]), state[2 * i + 1] += (double)above[i];
    return;
  }
  for (int64_t r = 0; r < M; r++)
    for (int64_t c = 0; c < C; c++) {
      const int64_t i = r * C + c;
      const int64_t found = spacing ? bk_exceeded_even(T, spacing == 2, pred[i]) : bk_exceeded(a->p[5], T, pred[i]);
      state[c * each + (bk_target(a, i) != 0 ? side : 0) + found] += bk_weight(a, r, i);
    }
}

BK_KERNEL(metric_fscore) {             /* f0 threshold; n4 1: the largest entries of a row instead */
  (void)w;
  if (lo >= hi) return;
  const int64_t M = a->n[0], C = a->n[1];
  double *hit = bk_state(a, 3 * C), *invented = hit + C, *missed = invented + C;
  for (int64_t r = 0; r < M; r++) {
    const float *pred = (const float *)a->p[2] + r * C;
    float most = pred[0];
    if (a->n[4]) for (int64_t c = 1; c < C; c++) most = pred[c] > most || pred[c] != pred[c] ? pred[c] : most;
    for (int64_t c = 0; c < C; c++) {
      const double t = bk_target(a, r * C + c), weight = bk_weight(a, r, r * C + c);
      const float size = pred[c] < 0 ? -pred[c] : pred[c];
      if (a->n[4] ? pred[c] >= most && size > 1e-9f : pred[c] > a->f[0]) hit[c] += weight * t, invented[c] += weight * (1 - t);
      else missed[c] += weight * t;
    }
  }
}

BK_KERNEL(metric_confusion) {          /* n4 classes, n5 pred is i32, n6 class left out or -1, n7 weights are cut to whole numbers */
  (void)w;
  if (lo >= hi) return;
  const int64_t N = a->n[4];
  double *state = bk_state(a, N * N);
  for (int64_t i = 0; i < a->n[0]; i++) {
    const double td = bk_target(a, i);
    const double pd = a->n[5] ? (double)((const int32_t *)a->p[2])[i] : (double)((const float *)a->p[2])[i];
    if (!(td > -1 && td < (double)N && pd > -1 && pd < (double)N)) continue;
    const int64_t t = (int64_t)td, p = (int64_t)pd;
    const double weight = bk_weight(a, i, i);
    if (t != a->n[6]) state[t * N + p] += a->n[7] ? (double)(int64_t)weight : weight;
  }
}

BK_KERNEL(metric_regression) {
  (void)w;
  if (lo >= hi) return;
  const int64_t M = a->n[0], C = a->n[1];
  double *state = bk_state(a, 5 * C);
  const float *pred = a->p[2];
  for (int64_t r = 0; r < M; r++)
    for (int64_t c = 0; c < C; c++) {
      const double t = bk_target(a, r * C + c), e = t - (double)pred[r * C + c], weight = bk_weight(a, r, r * C + c);
      double *s = state + c;
      s[0] += weight, s[C] += weight * t, s[2 * C] += weight * t * t, s[3 * C] += weight * e * e, s[4 * C] += 1;
    }
}

BK_KERNEL(count_step) {
  (void)w;
  if (lo < hi) *(int64_t *)a->p[1] = *(const int64_t *)a->p[0] + a->n[0];
}
#endif
