/* microkernel.h: the tile that every matrix product is made of: mr rows x 16 columns held in registers.
 *
 *   c[i][16] = finish(init[16] + sum_k a[i*ars + k*aks] * b[k*bks + 0..15])
 *
 * a is read as scalars in place (any strides), b as rows of 16. The k loop is a chain of fused multiply-adds in
 * increasing k, so an element's bits depend on K and its blocking only, never on the tile it fell into.
 */
#ifndef BRISKNET_MICROKERNEL_H
#define BRISKNET_MICROKERNEL_H
#include "kernels/vmath.h"

#define NV (BK_PANEL / VL)   /* vectors in a row of a tile */
#define KBLOCK 256           /* about how many rows of a panel are worked on at a time: 16 KiB, half of an L1 cache */
#define STRIP 144            /* rows worked on at a time: with KBLOCK columns 144 KiB of a, which stays in an L2 cache */
#define AHEAD 16
#define COPY_AHEAD 8         /* rows of b fetched ahead while a tile copies it */
#define PACK_GAP 16          /* floats between packed pieces: keeps them off each other's cache sets, takes overhang */

/* What becomes of a finished sum. Those from FIN_CALL on leave the registers first: their code is too long to be in
 * every tile. */
enum bk_fin { FIN_NONE, FIN_RELU, FIN_SCALE, FIN_RELU_SLOPE, FIN_CALL, FIN_ACT = FIN_CALL, FIN_SLOPE };

/* `count` tiles below each other; after each, a advances by astep, c and y by their rows. */
typedef struct bk_tile {
  int64_t K;
  const float *a; int64_t ars, aks, astep;
  const float *b; int64_t bks;
  float *c; int64_t ldc;
  int64_t nc;                /* valid columns, 1..16 */
  int64_t count;
  const float *init;         /* 16 floats: a bias, or bk_zeros */
  const float *y; int64_t ldy;   /* FIN_*SLOPE: stored outputs whose activation is undone */
  const float *ahead;        /* what the next strip reads as b: fetched meanwhile, AHEAD lines a tile; or NULL */
  float *copy;               /* bk_copy_tiles: receives the rows of b as a panel */
  int add;                   /* c holds the sums of earlier k blocks */
  int fin, act;
  float alpha, scale;
} bk_tile;

/* Length of a k block where K is cut into so many: even ones, so that none is a thin remainder, of whole panels. */
BK_INLINE int64_t bk_even_block(int64_t K, int64_t blocks) {
  return bk_max(bk_ceil(bk_ceil(K, bk_max(blocks, 1)), BK_PANEL), 1) * BK_PANEL;
}
/* Blocks nearest to KBLOCK, at most half as long again. */
BK_INLINE int64_t bk_k_block(int64_t K) { return bk_even_block(K, (K + KBLOCK / 2) / KBLOCK); }

static const float bk_zeros[BK_PANEL] __attribute__((aligned(64))) = {0};

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
    case BK_TANH: return v_mul(g, v_mul(v_sub(one, y), v_add(one, y)));   /* no cancellation near 1 */
    default: return g;
  }
}

static inline int bk_fin_forward(int act) { return act == BK_LINEAR ? FIN_NONE : act == BK_RELU ? FIN_RELU : FIN_ACT; }

static inline int bk_fin_slope(const float *y, int act, float scale) {
  if (y && act != BK_LINEAR) return act == BK_RELU ? FIN_RELU_SLOPE : FIN_SLOPE;
  return scale == 1.0f ? FIN_NONE : FIN_SCALE;
}

/* Narrow tiles and long finishes: rows of 16 sums in memory, finished and stored as far as they are valid. */
BK_NOINLINE void bk_tile_slow(const bk_tile *t, int mr, const float *sums, float *c, const float *y) {
  for (int i = 0; i < mr; i++, sums += BK_PANEL, c += t->ldc, y += t->ldy) {
    for (int j = 0; j < BK_PANEL && j < t->nc; j += VL) {
      const int64_t n = t->nc - j;
      vf v = v_load(sums + j);
      if (t->add) v = v_add(v_load_n(c + j, n), v);
      switch (t->fin) {
        case FIN_RELU: v = v_max(v_zero(), v); break;
        case FIN_ACT: v = bk_activate(v, t->act, t->alpha); break;
        case FIN_SCALE: v = v_mul(v, v_set1(t->scale)); break;
        case FIN_RELU_SLOPE:
        case FIN_SLOPE: v = v_mul(bk_act_slope(v, v_load_n(y + j, n), t->act, t->alpha), v_set1(t->scale)); break;
      }
      v_store_n(c + j, v, n);
    }
  }
}

#define BK_EACH(i, j, mr) BK_UNROLL for (int i = 0; i < (mr); i++) BK_UNROLL for (int j = 0; j < NV; j++)

/* Visits the rows of a tile by a walking pointer: gcc would otherwise keep the address of every row through the k loop. */
#define BK_WALK(p, start, step, i, j, mr, body) do { \
    typeof(start) p = start; \
    BK_UNROLL for (int i = 0; i < (mr); i++) { BK_UNROLL for (int j = 0; j < NV; j++) { body; } BK_STEP(p, step); } \
  } while (0)
#define BK_STEP(p, step) do { p += step; __asm__("" : "+r"(p)); } while (0)

/* The sums leave the registers: added to c, finished, stored. */
BK_INLINE void bk_tile_finish(const bk_tile *t, const int mr, vf c[][NV], float *c0, const float *y) {
  const int64_t ldc = t->ldc;
  if (t->add) BK_WALK(p, c0, ldc, i, j, mr, c[i][j] = v_add(v_load(p + j * VL), c[i][j]));
  if (t->fin == FIN_RELU) {
    BK_EACH(i, j, mr) c[i][j] = v_max(v_zero(), c[i][j]);
  } else if (t->fin == FIN_SCALE) {
    BK_EACH(i, j, mr) c[i][j] = v_mul(c[i][j], v_set1(t->scale));
  } else if (t->fin == FIN_RELU_SLOPE) {
    const vf scale = v_set1(t->scale);
    BK_WALK(p, y, t->ldy, i, j, mr, c[i][j] = v_mul(c[i][j], v_mask(v_gt(v_load(p + j * VL), v_zero()), scale)));
  }
  BK_WALK(p, c0, ldc, i, j, mr, v_store(p + j * VL, c[i][j]));
}

BK_INLINE void bk_tile_body(const bk_tile *t, const int mr, const int copying) {
  const int64_t ars = t->ars, aks = t->aks, bks = t->bks;
  const float *a0 = t->a, *y = t->y, *ahead = t->ahead;
  float *c0 = t->c;
  for (int64_t tile = t->count; tile > 0; tile--, a0 += t->astep, c0 += mr * t->ldc, y += mr * t->ldy) {
    vf c[BK_MR][NV];
    BK_EACH(i, j, mr) c[i][j] = v_load(t->init + j * VL);
    if (t->add) BK_WALK(p, c0, t->ldc, i, j, mr, if (j == 0) __builtin_prefetch(p, 1));
    if (y) BK_WALK(p, y, t->ldy, i, j, mr, if (j == 0) __builtin_prefetch(p));
    if (ahead) {
      for (int q = 0; q < AHEAD; q++) __builtin_prefetch(ahead + q * BK_PANEL, 0, 2);
      ahead += AHEAD * BK_PANEL;
    }
    const float *a = a0, *b = t->b, *lower = a + 6 * ars;   /* two bases need half the index registers */
    if (mr > 6) __asm__("" : "+r"(lower));
    float *copy = t->copy;
    for (int64_t k = t->K; k > 0; k--) {
      vf bv[NV];
      BK_UNROLL for (int j = 0; j < NV; j++) {
        bv[j] = v_load(b + j * VL);
        if (NV <= 2) BK_PIN(bv[j]);      /* keep it in a register: gcc folds the load into every FMA otherwise */
      }
      if (copying) {
        __builtin_prefetch(b + COPY_AHEAD * bks);
        BK_UNROLL for (int j = 0; j < NV; j++) v_store(copy + j * VL, bv[j]);
        copy += BK_PANEL;
      }
      BK_UNROLL for (int i = 0; i < mr; i++) {
        vf av = v_bcast(i < 6 ? a + i * ars : lower + (i - 6) * ars);
        if (BK_MR * NV > 16) BK_PIN(av);          /* row by row: gcc loads all of a first otherwise, and spills */
        BK_UNROLL for (int j = 0; j < NV; j++) {
          c[i][j] = v_fma(av, bv[j], c[i][j]);
          if (BK_MR * NV > 16) BK_PIN(c[i][j]);
        }
      }
      a += aks;
      if (mr > 6) lower += aks;
      b += bks;
    }
    if (t->nc < BK_PANEL || t->fin >= FIN_CALL) {
      float sums[BK_MR * BK_PANEL] __attribute__((aligned(16)));
      BK_EACH(i, j, mr) v_store(sums + i * BK_PANEL + j * VL, c[i][j]);
      int rows = mr;
      __asm__("" : "+r"(rows));          /* not a constant: gcc would clone the function for each */
      bk_tile_slow(t, rows, sums, c0, y);
    } else {
      bk_tile_finish(t, mr, c, c0, y);
    }
  }
}

typedef void (*bk_tile_fn)(const bk_tile *t);
#define BK_TILE(R) \
  BK_NOINLINE void bk_tile_##R(const bk_tile *t) { bk_tile_body(t, R, 0); } \
  BK_NOINLINE void bk_copy_tile_##R(const bk_tile *t) { bk_tile_body(t, R, 1); }
BK_TILE(1) BK_TILE(2) BK_TILE(3)
#if BK_MR >= 6
BK_TILE(4) BK_TILE(5) BK_TILE(6)
#endif
#if BK_MR >= 12
BK_TILE(7) BK_TILE(8) BK_TILE(9) BK_TILE(10) BK_TILE(11) BK_TILE(12)
#endif
#if BK_MR == 3
#define BK_TABLE_OF(f) {0, f##1, f##2, f##3}
#elif BK_MR == 6
#define BK_TABLE_OF(f) {0, f##1, f##2, f##3, f##4, f##5, f##6}
#else
#define BK_TABLE_OF(f) {0, f##1, f##2, f##3, f##4, f##5, f##6, f##7, f##8, f##9, f##10, f##11, f##12}
#endif
static const bk_tile_fn bk_tiles[BK_MR + 1] = BK_TABLE_OF(bk_tile_);
static const bk_tile_fn bk_copy_tiles[BK_MR + 1] = BK_TABLE_OF(bk_copy_tile_);

/* How a strip of rows falls into tiles: `large` of mr rows, then `small` of mr - 1 (32 rows: 2 of 6, 4 of 5). */
typedef struct bk_split { int32_t mr, large, small; } bk_split;

BK_INLINE bk_split bk_split_rows(int64_t rows) {
  const uint32_t pieces = ((uint32_t)rows + BK_MR - 1) / BK_MR, least = (uint32_t)rows / pieces, extra = (uint32_t)rows % pieces;
  bk_split s = {(int32_t)least + 1, (int32_t)extra, (int32_t)(pieces - extra)};
  return s;
}

/* Floats that a packed strip takes. */
BK_INLINE int64_t bk_packed_size(int64_t rows, int64_t K) { return rows * K + (bk_ceil(rows, BK_MR) + 1) * PACK_GAP; }

/* Runs t over a strip of at least one row of a: in place, or packed as bk_split_rows cuts it, each piece [K][mr] and a gap.
 * Leaves t's a, c and y anywhere. */
BK_INLINE void bk_strip(bk_tile *t, bk_split s, int packed) {
  if (packed) t->ars = 1;
  if (s.large) {
    if (packed) t->aks = s.mr, t->astep = s.mr * t->K + PACK_GAP;
    else t->astep = s.mr * t->ars;
    t->count = s.large;
    bk_tiles[s.mr](t);
    t->a += s.large * t->astep;
    t->c += s.large * s.mr * t->ldc;
    if (t->ahead) t->ahead += s.large * AHEAD * BK_PANEL;
    if (t->y) t->y += s.large * s.mr * t->ldy;
  }
  const int64_t mr = s.mr - 1;
  if (packed) t->aks = mr, t->astep = mr * t->K + PACK_GAP;
  else t->astep = mr * t->ars;
  t->count = s.small;
  if (s.small) bk_tiles[mr](t);
}

/* The same where b is read in place for the first time: the first tile leaves it in `panel`, which the others read. */
BK_INLINE void bk_strip_copying(bk_tile *t, bk_split s, int packed, float *panel) {
  const int64_t mr = s.large ? s.mr : s.mr - 1;
  if (packed) t->ars = 1, t->aks = mr;
  t->astep = packed ? mr * t->K + PACK_GAP : mr * t->ars;
  t->count = 1;
  t->copy = panel;
  bk_copy_tiles[mr](t);
  t->b = panel, t->bks = BK_PANEL;
  t->a += t->astep, t->c += mr * t->ldc;
  if (s.large) s.large--;
  else s.small--;
  if (s.large + s.small) bk_strip(t, s, packed);
}

/* ---- packing rows of a whose k runs down memory (aks = ld, ars = 1) ---- */
BK_INLINE void bk_copy_piece(const float *a, float *out, const int mr) {   /* may write VL floats: the next row overwrites them */
  v_store(out, v_load(a));
  if (mr > VL) v_store(out + mr - VL, v_load(a + mr - VL));
}

BK_INLINE void bk_pack_down_group(const float *a, int64_t ld, int64_t K, int64_t count, const int mr, float *out) {
  const int64_t step = mr * K + PACK_GAP;
  for (int64_t k = 0; k < K - 1; k++) {
    const float *s = a + k * ld;
    float *d = out + k * mr;
    for (int64_t i = 0; i < count; i++, s += mr, d += step) bk_copy_piece(s, d, mr);
  }
  const float *s = a + (K - 1) * ld;                       /* the last row may end where memory does */
  float *d = out + (K - 1) * mr;
  for (int64_t i = 0; i < count; i++, s += mr, d += step) for (int r = 0; r < mr; r++) d[r] = s[r];
}

static void bk_pack_down(const float *a, int64_t ld, int64_t K, bk_split s, float *out) {
  for (int pass = 0; pass < 2; pass++) {
    const int mr = s.mr - pass, count = pass ? s.small : s.large;
    if (mr == BK_MR) bk_pack_down_group(a, ld, K, count, BK_MR, out);
    else if (mr == BK_MR - 1) bk_pack_down_group(a, ld, K, count, BK_MR - 1, out);
    else bk_pack_down_group(a, ld, K, count, mr, out);
    a += (int64_t)count * mr;
    out += count * (mr * K + PACK_GAP);
  }
}
#endif
