/* rnn.h: recurrent networks over whole sequences. Everything is time-major, [T,B,...]; the projection of the inputs, over all
 * steps at once, is a dense layer's work, and so are the gradients of weights. What is left is a loop over steps: one product
 * with the recurrent weights, and the gates.
 *
 * A unit is a row of the batch: rows do not meet, so threads share the batch and need no barrier within the loop. A row's
 * bits do not depend on the rows beside it; only B == 1 has a product of its own.
 *
 * hs [T+1,B,H] holds the initial state, then the state after every step: its first T steps are what the products over all
 * steps (weights) read, its last T are the outputs. Where the mask [T,B] is 0, a step hands the state on as it is. */
#ifndef BRISKNET_RNN_H
#define BRISKNET_RNN_H
#include "kernels/dense.h"

#define RNN_ROWS 48          /* rows that go through all steps together: what a step touches stays in an L2 cache */

static bk_plan bk_rnn_plan(const bk_args *a, int64_t gates, int64_t scratch_row) {
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2];
  bk_plan p = {B, 4 * scratch_row * bk_min(B, RNN_ROWS), 2.0 * T * B * H * gates * H, 4.0 * T * B * H * (gates + 2)};
  return p;
}

/* Rows [r0, r0 + rows) of blocks that units [lo, hi) are cut into, even ones. */
#define BK_RNN_EACH_BLOCK(lo, hi, r0, rows) \
  for (int64_t step_ = bk_ceil((hi) - (lo), bk_ceil((hi) - (lo), RNN_ROWS)), r0 = (lo), rows; \
       rows = bk_min(step_, (hi) - r0), r0 < (hi); r0 += step_)

/* ---- c[rows,N] (+)= init + a[rows,K] w, w in panels `stride` floats apart ---- */
typedef struct bk_rnn_product {
  const float *w, *init;     /* init: [N] and readable to a whole panel, or NULL */
  int64_t K, N, stride;
  int add;                   /* to c; else c = init + ... */
} bk_rnn_product;

/* The one row of a batch: four chains of k hide the latency of the FMAs. */
static void bk_rnn_one(const bk_rnn_product *g, const float *a, float *c) {
  for (int64_t n0 = 0; n0 < g->N; n0 += BK_PANEL) {
    const float *b = g->w + n0 / BK_PANEL * g->stride;
    vf s[4][NV];
    BK_EACH(q, j, 4) s[q][j] = v_zero();
    int64_t k = 0;
    for (; k + 4 <= g->K; k += 4, b += 4 * BK_PANEL)
      BK_EACH(q, j, 4) s[q][j] = v_fma(v_bcast(a + k + q), v_load(b + q * BK_PANEL + j * VL), s[q][j]);
    for (; k < g->K; k++, b += BK_PANEL)
      BK_UNROLL for (int j = 0; j < NV; j++) s[0][j] = v_fma(v_bcast(a + k), v_load(b + j * VL), s[0][j]);
    BK_UNROLL for (int j = 0; j < NV; j++) {
      const int64_t at = n0 + j * VL, n = g->N - at;
      if (n <= 0) break;
      vf v = v_add(v_add(s[0][j], s[1][j]), v_add(s[2][j], s[3][j]));
      if (g->init) v = v_add(v, v_load_n(g->init + at, n));
      if (g->add) v = v_add(v, v_load_n(c + at, n));
      v_store_n(c + at, v, n);
    }
  }
}

static void bk_rnn_multiply(const bk_rnn_product *g, const float *a, int64_t rows, int64_t B, float *c) {
  if (B == 1) { bk_rnn_one(g, a, c); return; }
  const int64_t block = bk_k_block(g->K);
  const bk_split split = bk_split_rows(rows);
  for (int64_t k0 = 0; k0 < g->K; k0 += block) {
    bk_tile t = {.K = bk_min(block, g->K - k0), .ars = g->K, .aks = 1, .bks = BK_PANEL, .ldc = g->N, .add = g->add || k0 > 0};
    for (int64_t n0 = 0; n0 < g->N; n0 += BK_PANEL) {
      t.a = a + k0;
      t.b = g->w + n0 / BK_PANEL * g->stride + k0 * BK_PANEL;
      t.c = c + n0;
      t.nc = bk_min(BK_PANEL, g->N - n0);
      t.init = g->init && !k0 ? g->init + n0 : bk_zeros;
      bk_strip(&t, split, 0);
    }
  }
}

BK_INLINE void bk_copy_floats(float *out, const float *in, int64_t n) { memcpy(out, in, (size_t)(4 * n)); }
/* The initial gradient of a state: what came from above, or nothing. */
BK_INLINE void bk_rnn_start(float *out, const float *in, int64_t n) {
  if (in) bk_copy_floats(out, in, n);
  else memset(out, 0, (size_t)(4 * n));
}

/* A masked row of a backward step: nothing flows into dz, and the gradient of the state goes on as it is. */
static void bk_rnn_masked(float *dz, int64_t G, const float *dy, float *dh, int64_t H) {
  memset(dz, 0, (size_t)(4 * G));
  for (int64_t j = 0; dy && j < H; j += VL) v_store_n(dh + j, v_add(v_load_n(dh + j, H - j), v_load_n(dy + j, H - j)), H - j);
}

/* dh (+)= dz w^T with what transpose_panels has made of w[H,N] */
static bk_rnn_product bk_rnn_back(const bk_args *a, int64_t H, int64_t N) {
  bk_rnn_product g = {a->p[0], 0, N, H, bk_transposed_stride(N), 1};
  return g;
}

#include "kernels/rnn_lstm.h"
#include "kernels/rnn_gru.h"
#include "kernels/rnn_simple.h"
#endif
