/* sampling.h: the next token from logits (ops/sampling.py is the specification). */
#ifndef BRISKNET_SAMPLING_H
#define BRISKNET_SAMPLING_H
#include "kernels/random.h"
#include "kernels/softmax.h"

static bk_plan plan_sample_tokens(const bk_args *a) {
  bk_plan p = {a->n[0], 8 * a->n[1] + 128, 20.0 * (double)(a->n[0] * a->n[1]), 4.0 * (double)(a->n[0] * a->n[1])};
  return p;
}

/* A heap of indices, the likeliest on top, of equals the first. */
BK_INLINE int bk_likelier(const float *p, int32_t a, int32_t b) { return p[a] > p[b] || (p[a] == p[b] && a < b); }

static void bk_sift(const float *p, int32_t *heap, int64_t n, int64_t i) {
  const int32_t moved = heap[i];
  for (int64_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && bk_likelier(p, heap[child + 1], heap[child])) child++;
    if (!bk_likelier(p, heap[child], moved)) break;
    heap[i] = heap[child];
  }
  heap[i] = moved;
}

/* Moves the top to the end: after k calls heap[n - 1] is the likeliest, heap[n - k] the k-th. */
static void bk_pop(const float *p, int32_t *heap, int64_t n, int64_t popped) {
  const int32_t top = heap[0];
  heap[0] = heap[n - popped - 1];
  heap[n - popped - 1] = top;
  bk_sift(p, heap, n - popped - 1, 0);
}

static int32_t bk_draw_among(const float *p, int32_t *heap, int64_t n, int64_t most, double top_p, double u) {
  double total = 0, kept = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++) heap[i] = (int32_t)i;
  for (int64_t i = n / 2 - 1; i >= 0; i--) bk_sift(p, heap, n, i);
  if (most >= n) {                                   /* top_p alone: of all */
    for (int64_t i = 0; i < n; i++) total += (double)p[i];
  } else {
    for (; count < most; count++) bk_pop(p, heap, n, count), total += (double)p[heap[n - count - 1]];
  }
  const int64_t ready = count;
  for (count = 0; count < most && count < n;) {
    if (count >= ready) bk_pop(p, heap, n, count);
    kept += (double)p[heap[n - ++count]];
    if (top_p < 1 && kept >= top_p * total) break;
  }
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    sum += (double)p[heap[n - i - 1]];
    if (sum > u * kept) return heap[n - i - 1];
  }
  return heap[n - count];
}

BK_KERNEL(sample_tokens) {
  const int64_t V = a->n[1];
  const float *settings = a->p[2], temperature = settings[0];
  const uint64_t step = (uint64_t)*(const int64_t *)a->p[3];
  float *p = w->scratch;
  for (int64_t b = lo; b < hi; b++) {
    const float *z = (const float *)a->p[0] + b * V;
    const int32_t forced = ((const int32_t *)a->p[1])[b];
    int32_t *out = (int32_t *)a->p[4] + b;
    if (forced >= 0 || temperature == 0) {
      *out = forced >= 0 ? forced : bk_row_argmax(z, V);
      continue;
    }
    int32_t words[4][GROUP];
    bk_philox_group((uint64_t)a->n[2], step, b / 32, words);
    const double u = (double)((float)((uint32_t)words[b % 32 / 8][b % 8] >> 8) * 0x1p-24f);
    const vf max = v_set1(bk_row_max(z, V)), t = v_set1(temperature);
    for (int64_t i = 0; i < V; i += VL) v_store_n(p + i, v_exp_negative(v_div(v_sub(v_load_n(z + i, V - i), max), t)), V - i);
    const int64_t top_k = (int64_t)settings[1];
    if (top_k || settings[2] < 1) {
      *out = bk_draw_among(p, (int32_t *)(p + (V + 15) / 16 * 16), V, top_k ? bk_min(top_k, V) : V, (double)settings[2], u);
      continue;
    }
    double total = 0, sum = 0;
    for (int64_t i = 0; i < V; i++) total += (double)p[i];
    int64_t i = 0;
    for (; i < V - 1; i++) if ((sum += (double)p[i]) > u * total) break;
    *out = (int32_t)i;
  }
}
#endif
