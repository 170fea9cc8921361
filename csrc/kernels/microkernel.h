/* microkernel.h: the tile that every matrix product is made of: MR rows x 16 columns held in registers.
 *
 *   c[i][16] (+)= sum_k a[i*ars + k*aks] * b[k*bks + 0..15]
 *
 * a is read as scalars in place (any strides), b as rows of 16. The k loop is a chain of fused multiply-adds in
 * increasing k, so an element's bits depend on K and its blocking only, never on the tile it fell into.
 */
#ifndef BRISKNET_MICROKERNEL_H
#define BRISKNET_MICROKERNEL_H
#include "kernels/vmath.h"

#define NV (BK_PANEL / VL)   /* vectors in a row of a tile */

typedef struct bk_tile {
  int64_t K;
  const float *a; int64_t ars, aks;
  const float *b; int64_t bks;
  float *c; int64_t ldc;
  int64_t nc;                /* valid columns, 1..16 */
  int first, last;           /* first k block: overwrite c; last: apply the epilogue */
  const float *bias;         /* FORWARD: padded to 16 by the caller, or NULL */
  const float *y; int64_t ldy;   /* DGRAD: stored outputs whose activation is undone, or NULL */
  int act;
  float alpha, scale;
} bk_tile;

enum { EP_PLAIN, EP_FORWARD, EP_DGRAD };

/* f(z) for the activations of enum bk_act. */
BK_INLINE vf bk_activate(vf z, int act, float alpha) {
  vf zero = v_zero();
  switch (act) {
    case BK_RELU: return v_max(zero, z);                       /* keeps NaN */
    case BK_LEAKY_RELU: return v_sel(v_lt(z, zero), v_mul(z, v_set1(alpha)), z);
    case BK_ELU: return v_sel(v_lt(z, zero), v_mul(v_expm1(z), v_set1(alpha)), z);
    case BK_SIGMOID: return v_sigmoid(z);
    case BK_TANH: return v_tanh(z);
    default: return z;
  }
}

/* g * f'(z), with f' from the output y = f(z). */
BK_INLINE vf bk_act_slope(vf g, vf y, int act, float alpha) {
  vf one = v_set1(1.0f), zero = v_zero();
  switch (act) {
    case BK_RELU: return v_mul(g, v_mask(v_gt(y, zero), one));
    case BK_LEAKY_RELU: return v_mul(g, v_sel(v_gt(y, zero), one, v_set1(alpha)));
    case BK_ELU: return v_mul(g, v_sel(v_gt(y, zero), one, v_add(y, v_set1(alpha))));
    case BK_SIGMOID: return v_mul(g, v_mul(y, v_sub(one, y)));
    case BK_TANH: return v_mul(g, v_fnma(y, y, one));
    default: return g;
  }
}

BK_INLINE void bk_finish(const bk_tile *t, const int mr, const int kind, vf c[][NV]) {
  const int64_t nc = t->nc;
  BK_UNROLL for (int i = 0; i < mr; i++) {
    BK_UNROLL for (int j = 0; j < NV; j++) {
      float *out = t->c + i * t->ldc + j * VL;
      int64_t n = nc - j * VL;
      if (n <= 0) break;
      vf v = c[i][j];
      if (!t->first) v = v_add(v_load_n(out, n), v);
      if (kind == EP_FORWARD && t->last) {
        if (t->bias) v = v_add(v, v_load(t->bias + j * VL));
        v = bk_activate(v, t->act, t->alpha);
      }
      if (kind == EP_DGRAD && t->last) {
        if (t->y) v = bk_act_slope(v, v_load_n(t->y + i * t->ldy + j * VL, n), t->act, t->alpha);
        v = v_mul(v, v_set1(t->scale));
      }
      v_store_n(out, v, n);
    }
  }
}

BK_INLINE void bk_tile_body(const bk_tile *t, const int mr, const int kind) {
  vf c[BK_MR][NV];
  BK_UNROLL for (int i = 0; i < mr; i++) { BK_UNROLL for (int j = 0; j < NV; j++) c[i][j] = v_zero(); }
  const float *a = t->a, *b = t->b;
  const int64_t ars = t->ars, aks = t->aks, bks = t->bks;
  for (int64_t k = t->K; k > 0; k--) {
    vf bv[NV];
    BK_UNROLL for (int j = 0; j < NV; j++) {
      bv[j] = v_load(b + j * VL);
      if (NV <= 2) BK_PIN(bv[j]);      /* keep it in a register: gcc folds the load into every FMA otherwise */
    }
    BK_UNROLL for (int i = 0; i < mr; i++) {
      vf av = v_bcast(a + i * ars);
      BK_UNROLL for (int j = 0; j < NV; j++) c[i][j] = v_fma(av, bv[j], c[i][j]);
    }
    a += aks;
    b += bks;
  }
  bk_finish(t, mr, kind, c);
}

typedef void (*bk_tile_fn)(const bk_tile *t);
#define BK_TILES(R) \
  BK_NOINLINE void tile_plain_##R(const bk_tile *t) { bk_tile_body(t, R, EP_PLAIN); } \
  BK_NOINLINE void tile_forward_##R(const bk_tile *t) { bk_tile_body(t, R, EP_FORWARD); } \
  BK_NOINLINE void tile_dgrad_##R(const bk_tile *t) { bk_tile_body(t, R, EP_DGRAD); }
BK_TILES(1) BK_TILES(2) BK_TILES(3)
#if BK_MR >= 6
BK_TILES(4) BK_TILES(5) BK_TILES(6)
#endif
#if BK_MR >= 12
BK_TILES(7) BK_TILES(8) BK_TILES(9) BK_TILES(10) BK_TILES(11) BK_TILES(12)
#endif

#if BK_MR == 3
#define BK_ROW_OF(kind) {0, kind##_1, kind##_2, kind##_3}
#elif BK_MR == 6
#define BK_ROW_OF(kind) {0, kind##_1, kind##_2, kind##_3, kind##_4, kind##_5, kind##_6}
#else
#define BK_ROW_OF(kind) {0, kind##_1, kind##_2, kind##_3, kind##_4, kind##_5, kind##_6, kind##_7, kind##_8, kind##_9, \
                         kind##_10, kind##_11, kind##_12}
#endif
static const bk_tile_fn bk_tile_table[3][BK_MR + 1] = {
  BK_ROW_OF(tile_plain), BK_ROW_OF(tile_forward), BK_ROW_OF(tile_dgrad),
};

/* Runs a tile over `rows` rows: balanced pieces of at most BK_MR (32 -> 6,6,5,5,5,5), advancing a, c and y. */
BK_INLINE void bk_rows(bk_tile t, int64_t rows, int kind) {
  for (int64_t pieces = bk_ceil(rows, BK_MR); pieces > 0; pieces--) {
    int64_t mr = bk_ceil(rows, pieces);
    bk_tile_table[kind][mr](&t);
    t.a += mr * t.ars;
    t.c += mr * t.ldc;
    if (t.y) t.y += mr * t.ldy;
    rows -= mr;
  }
}
#endif
