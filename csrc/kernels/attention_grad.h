/* attention_grad.h: the gradients of attention.h. p0 q, p1 k, p2 v, p3 mask, p4 out, p5 lse, p6 dout, p7 dq, p8 dk, p9 dv,
 * p10 step or NULL.
 *
 * A unit is one head of keys and values with all the query heads that share it, so that every sum has one order. Nothing of the
 * forward pass is kept but out and lse: a tile of ATT_TILE x ATT_TILE probabilities is computed again from q, k and lse, and
 * what was dropped is drawn again.
 */
#ifndef BRISKNET_ATTENTION_GRAD_H
#define BRISKNET_ATTENTION_GRAD_H
#include "kernels/attention.h"

static bk_plan plan_attention_grad(const bk_args *a) {
  const int64_t T = a->n[1], H = a->n[2], d = a->n[3], S = a->n[4], G = a->n[5], e = a->n[6];
  const double pairs = (double)(a->n[0] * H * T * S) * ((a->n[7] & 1) && T == S ? 0.5 : 1.0);
  const int64_t floats = bk_att_packed(d, S) + bk_att_packed(S, d) + bk_att_packed(e, S) + bk_att_packed(T, d) +
                         bk_att_packed(T, e) + 2 * bk_min(ATT_TILE, bk_ceil(T, ATT_ROWS) * ATT_ROWS) * ATT_LD + T + VL + 64;
  bk_plan p = {a->n[0] * G, 4 * floats, pairs * (double)(6 * d + 4 * e + 30), 8.0 * (double)(a->n[0] * H * (T + S) * (d + e))};
  return p;
}

typedef struct bk_att_back {
  const float *out, *dout, *lse;     /* of this batch row and head */
  float *dq, *dk, *dv;
  float *kt, *kp, *vt, *qp, *dop;    /* panels of k^T, k, v^T, q, dout */
  float *p, *ds, *delta;             /* tiles [ATT_TILE][ATT_LD], and do . out of every query */
  int fresh;                         /* dk and dv hold nothing yet */
} bk_att_back;

/* One row of a tile: p = exp(score - lse), kept or not, and ds = exp(score - lse) (kept do v^T - delta) scale in place of do v^T;
 * zeros from `seen` to n. */
BK_INLINE void bk_att_slope(float *p, float *ds, int64_t seen, int64_t n, float lse, float delta, float scale, const float *keep) {
  const vf l = v_set1(lse), e = v_set1(delta), k = v_set1(scale);
  int64_t j = 0;
#define BK_SLOPE(lanes) do { \
    const vf x = lanes(v_exp_negative(v_sub(v_load(p + j), l))), m = keep ? v_load(keep + j) : v_zero(); \
    v_store(p + j, keep ? v_mul(x, m) : x); \
    const vf dp = keep ? v_mul(v_load(ds + j), m) : v_load(ds + j); \
    v_store(ds + j, lanes(v_mul(v_mul(x, v_sub(dp, e)), k))); \
  } while (0)
#define BK_ALL(v) (v)
#define BK_SOME(v) v_mask(bk_att_lanes(seen - j), v)
  for (; j + VL <= seen; j += VL) BK_SLOPE(BK_ALL);
  if (j < seen) {
    BK_SLOPE(BK_SOME);
    j += VL;
  }
#undef BK_SLOPE
#undef BK_ALL
#undef BK_SOME
  for (; j < n; j += VL) v_store(p + j, v_zero()), v_store(ds + j, v_zero());
}

/* Rows of a block of a tile of keys j0 .. j0 + n - 1; zeros behind them, as far as blocks of keys reach (ATT_ROWS is BK_PANEL). */
static void bk_att_slopes(const bk_att *t, const bk_att_back *g, const bk_att_rows *b, int64_t j0, int64_t n, float *p, float *ds) {
  const int64_t whole = bk_att_whole(n);
  float keep[ATT_TILE];
  for (int64_t r = 0; r < b->rows; r++, p += ATT_LD, ds += ATT_LD) {
    const int64_t i = b->i + r, seen = bk_att_seen(t, b, r, j0, n);
    if (t->threshold) bk_att_keep(t, i, j0, n, t->kept, keep);
    if (!b->sees[r]) {                               /* a mean: no score matters */
      const float each = t->zeros ? 0 : 1.0f / (float)t->S;
      for (int64_t j = 0; j < whole; j++) p[j] = j < n ? each * (t->threshold ? keep[j] : 1) : 0, ds[j] = 0;
      continue;
    }
    if (t->mask) bk_att_hide(t, b, r, j0, seen, p);
    if (t->threshold) bk_att_slope(p, ds, seen, whole, g->lse[i * t->H], g->delta[i], t->scale, keep);
    else bk_att_slope(p, ds, seen, whole, g->lse[i * t->H], g->delta[i], t->scale, 0);
  }
}

/* Queries [i0, i1) against keys [j0, j1), both at most ATT_TILE. */
static void bk_att_back_tile(const bk_att *t, const bk_att_back *g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  int64_t begins[ATT_TILE / ATT_ROWS];               /* for every block of keys: the first query that sees it */
  int64_t seen = 0;                                  /* keys of the tile; a later query never sees fewer (p is 0 there) */
  const int64_t blocks = bk_ceil(j1 - j0, ATT_ROWS);
  for (int64_t k = 0; k < blocks; k++) begins[k] = i1;
  for (int64_t i = i0; i < i1; i += ATT_ROWS) {
    const bk_att_rows b = bk_att_rows_of(t, i);
    const int64_t n = bk_max(bk_min(b.reach, j1) - j0, seen);
    if (n <= 0) continue;
    float *p = g->p + (i - i0) * ATT_LD, *ds = g->ds + (i - i0) * ATT_LD;
    const int64_t whole = bk_att_whole(n);
    bk_att_product(b.rows, whole, t->d, t->q + i * t->ldq, t->ldq, 1, g->kt + j0 * t->d, BK_PANEL * t->d, p, ATT_LD, 0, t->scale);
    bk_att_product(b.rows, whole, t->e, g->dout + i * t->ldo, t->ldo, 1, g->vt + j0 * t->e, BK_PANEL * t->e, ds, ATT_LD, 0, 1);
    bk_att_slopes(t, g, &b, j0, n, p, ds);
    bk_att_product(b.rows, t->d, n, ds, ATT_LD, 1, g->kp + j0 * BK_PANEL, BK_PANEL * t->S, g->dq + i * t->ldq, t->ldq, j0 > 0, 1);
    for (int64_t k = 0; k < bk_ceil(n, ATT_ROWS); k++) begins[k] = bk_min(begins[k], i);
    seen = n;
  }
  const int add = !g->fresh || i0;
  for (int64_t k = 0; k < blocks; k++) {
    const int64_t from = begins[k], j = k * ATT_ROWS, count = bk_min(ATT_ROWS, j1 - j0 - j), rows = i1 - from;
    if (rows <= 0 && add) continue;
    const float *p = g->p + (from - i0) * ATT_LD + j, *ds = g->ds + (from - i0) * ATT_LD + j;
    bk_att_product(count, t->e, rows, p, 1, ATT_LD, g->dop + from * BK_PANEL, BK_PANEL * t->T, g->dv + (j0 + j) * t->ldv, t->ldv, add, 1);
    bk_att_product(count, t->d, rows, ds, 1, ATT_LD, g->qp + from * BK_PANEL, BK_PANEL * t->T, g->dk + (j0 + j) * t->ldk, t->ldk, add, 1);
  }
}

/* do . out of every query, VL at a time. */
static void bk_att_deltas(const bk_att *t, const bk_att_back *g) {
  for (int64_t i = 0; i < t->T; i += VL) {
    vf sum[VL];
    for (int64_t q = 0; q < VL; q++) {
      const int64_t at = bk_min(i + q, t->T - 1) * t->ldo;
      vf s = v_zero();
      for (int64_t c = 0; c < t->e; c += VL) s = v_fma(v_load_n(g->out + at + c, t->e - c), v_load_n(g->dout + at + c, t->e - c), s);
      sum[q] = s;
    }
    v_store(g->delta + i, v_sum_rows(sum));
  }
}

static void bk_att_back_head(const bk_att *t, bk_att_back *g) {
  bk_att_deltas(t, g);
  bk_att_pack(t->q, t->ldq, 1, t->T, t->d, g->qp);
  bk_att_pack(g->dout, t->ldo, 1, t->T, t->e, g->dop);
  for (int64_t i0 = 0; i0 < t->T; i0 += ATT_TILE)
    for (int64_t j0 = 0; j0 < t->S; j0 += ATT_TILE)
      bk_att_back_tile(t, g, i0, bk_min(i0 + ATT_TILE, t->T), j0, bk_min(j0 + ATT_TILE, t->S));
  g->fresh = 0;
}

BK_KERNEL(attention_grad) {
  const int64_t H = a->n[2], G = a->n[5], repeats = H / G;
  for (int64_t u = lo; u < hi; u++) {
    const int64_t b = u / G, group = u % G;
    bk_att t = bk_att_of(a, b, group * repeats, a->p[10]);
    bk_att_back g = {.fresh = 1};
    const int64_t tile = bk_min(ATT_TILE, bk_ceil(t.T, ATT_ROWS) * ATT_ROWS) * ATT_LD;
    g.kt = w->scratch;
    g.kp = g.kt + bk_att_packed(t.d, t.S);
    g.vt = g.kp + bk_att_packed(t.S, t.d);
    g.qp = g.vt + bk_att_packed(t.e, t.S);
    g.dop = g.qp + bk_att_packed(t.T, t.d);
    g.p = g.dop + bk_att_packed(t.T, t.e);
    g.ds = g.p + tile;
    g.delta = g.ds + tile;
    g.dk = (float *)a->p[8] + b * t.S * t.ldk + group * t.d;
    g.dv = (float *)a->p[9] + b * t.S * t.ldv + group * t.e;
    bk_att_pack(t.k, 1, t.ldk, t.d, t.S, g.kt);
    bk_att_pack(t.k, t.ldk, 1, t.S, t.d, g.kp);
    bk_att_pack(t.v, 1, t.ldv, t.e, t.S, g.vt);
    for (int64_t h = group * repeats; h < (group + 1) * repeats; h++) {
      t = bk_att_of(a, b, h, a->p[10]);
      const int64_t at = b * t.T * t.ldo + h * t.e;
      g.out = (const float *)a->p[4] + at, g.dout = (const float *)a->p[6] + at;
      g.lse = (const float *)a->p[5] + b * t.T * H + h;
      g.dq = (float *)a->p[7] + b * t.T * t.ldq + h * t.d;
      bk_att_back_head(&t, &g);
    }
  }
}
#endif
