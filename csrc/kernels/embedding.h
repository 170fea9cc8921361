/* embedding.h: rows of a table by their index, and the gradient of the table (ops/embedding.py is the specification). */
#ifndef BRISKNET_EMBEDDING_H
#define BRISKNET_EMBEDDING_H
#include "core/kernel.h"

#define EMB_COLS 32          /* columns of the table in a unit of its gradient: two cache lines */
#define EMB_SHARDS 4         /* runs of rows of the table, where it has few columns */
#define EMB_ROWS 16          /* rows in a unit of the forward pass */

static bk_plan plan_embedding(const bk_args *a) {
  bk_plan p = {bk_ceil(a->n[0], EMB_ROWS), 0, 0, 8.0 * (double)(a->n[0] * a->n[2])};
  return p;
}
BK_KERNEL(embedding) {
  (void)w;
  const int64_t V = a->n[1], D = a->n[2], end = bk_min(hi * EMB_ROWS, a->n[0]);
  for (int64_t i = lo * EMB_ROWS; i < end; i++) {
    const int64_t id = ((const int32_t *)a->p[1])[i];
    float *y = (float *)a->p[2] + i * D;
    if (id >= 0 && id < V) memcpy(y, (const float *)a->p[0] + id * D, 4 * (size_t)D);
    else for (int64_t c = 0; c < D; c++) y[c] = __builtin_nanf("");    /* no such row */
  }
}

/* A unit sums some columns of some rows of the table, over all positions in order. */
static int64_t bk_emb_shards(int64_t D) { return D >= 2 * EMB_COLS ? 1 : EMB_SHARDS; }

static bk_plan plan_embedding_grad(const bk_args *a) {
  const int64_t N = a->n[0], V = a->n[1], D = a->n[2];
  bk_plan p = {bk_ceil(D, EMB_COLS) * bk_emb_shards(D), 0, (double)(N * D), 4.0 * (double)(2 * N * D + V * D)};
  return p;
}
BK_KERNEL(embedding_grad) {
  (void)w;
  const int64_t N = a->n[0], V = a->n[1], D = a->n[2], shards = bk_emb_shards(D);
  const int32_t *ids = a->p[0];
  for (int64_t u = lo; u < hi; u++) {
    const int64_t c0 = u / shards * EMB_COLS, cols = bk_min(EMB_COLS, D - c0), shard = u % shards;
    const int64_t v0 = V * shard / shards, v1 = V * (shard + 1) / shards;
    const float *dy = (const float *)a->p[1] + c0;
    float *dw = (float *)a->p[2] + c0;
    for (int64_t v = v0; v < v1; v++) memset(dw + v * D, 0, 4 * (size_t)cols);
    for (int64_t i = 0; i < N; i++) {
      if (ids[i] < v0 || ids[i] >= v1) continue;
      float *row = dw + ids[i] * D;
      const float *g = dy + i * D;
      for (int64_t c = 0; c < cols; c += VL) v_store_n(row + c, v_add(v_load_n(row + c, cols - c), v_load_n(g + c, cols - c)), cols - c);
    }
  }
}
#endif
