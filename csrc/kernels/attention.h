/* attention.h: softmax(scale q k^T) v with heads side by side, and its gradients (ops/attention.py is the specification).
 *
 * A unit is one head of one row of the batch; in the backward pass it is one head of keys and values with all the query
 * heads that share it, so that every sum has one order. Scores live in a tile of scratch of ATT_TILE x ATT_TILE at most:
 * the forward pass keeps running maxima and sums over tiles of keys, the backward pass computes the tile again from q, k and lse.
 * With `causal`, blocks of ATT_ROWS queries skip the keys that come after them.
 * What products read as their second operand is packed into panels once a unit, so that rows of any stride cost the same.
 */
#ifndef BRISKNET_ATTENTION_H
#define BRISKNET_ATTENTION_H
#include "kernels/matmul.h"
#include "kernels/softmax.h"

#define ATT_ROWS 24                  /* queries in a block: four tiles of BK_MR, and little waste on a diagonal */
#define ATT_TILE 240                 /* queries, and keys, in a tile of scores: ten blocks */
#define ATT_LD (ATT_TILE + 24)       /* floats in a row of it: rows lie off each other's cache sets */

typedef struct bk_att {
  int64_t T, H, d, S, G, e, ldq, ldk, ldv, ldo;
  const float *q, *k, *v;            /* of this batch row and head */
  const int32_t *mask; int64_t mt, ms;
  int64_t first;                     /* the first key that query 0 may not see, or S + T */
  int zeros;                         /* a query that sees nothing gives 0, not the mean of all values */
  float scale;
} bk_att;

static bk_att bk_att_of(const bk_args *a, int64_t b, int64_t h) {
  bk_att t = {.T = a->n[1], .H = a->n[2], .d = a->n[3], .S = a->n[4], .G = a->n[5], .e = a->n[6], .scale = a->f[0]};
  const int64_t g = h / (t.H / t.G);
  t.ldq = t.H * t.d, t.ldk = t.G * t.d, t.ldv = t.G * t.e, t.ldo = t.H * t.e;
  t.q = (const float *)a->p[0] + b * t.T * t.ldq + h * t.d;
  t.k = (const float *)a->p[1] + b * t.S * t.ldk + g * t.d;
  t.v = (const float *)a->p[2] + b * t.S * t.ldv + g * t.e;
  t.mask = a->p[3] ? (const int32_t *)a->p[3] + b * a->n[8] + h * a->n[9] : 0;
  t.mt = a->n[10], t.ms = a->n[11], t.zeros = (int)a->n[12];
  t.first = a->n[7] ? 1 : t.S + t.T;
  return t;
}

/* How many of the first keys query i may see but for the mask. */
BK_INLINE int64_t bk_att_limit(const bk_att *t, int64_t i) { return bk_min(t->S, t->first + i); }

static int bk_att_sees(const bk_att *t, int64_t i) {          /* something at all? */
  if (!t->mask) return 1;
  const int32_t *m = t->mask + i * t->mt;
  const int64_t n = bk_att_limit(t, i);
  if (t->ms == 0) return m[0] != 0;
  for (int64_t j = 0; j < n; j++) if (m[j * t->ms]) return 1;
  return 0;
}

/* Keys that a block of queries [i0, i1) needs: all, where one of them sees nothing and takes the mean. */
static int64_t bk_att_reach(const bk_att *t, int64_t i0, int64_t i1) {
  for (int64_t i = i0; t->mask && !t->zeros && i < i1; i++) if (!bk_att_sees(t, i)) return t->S;
  return bk_att_limit(t, i1 - 1);
}

/* One row of scores of keys j0 .. j0 + n - 1, ready for exp: scaled, -inf where masked; zeros in a row that sees nothing. */
static void bk_att_row(const bk_att *t, int64_t i, int64_t j0, int64_t n, float *s) {
  const int64_t seen = bk_min(bk_max(bk_att_limit(t, i) - j0, 0), n);
  const vf scale = v_set1(t->scale);
  if (t->mask && !bk_att_sees(t, i)) {
    for (int64_t j = 0; j < n; j++) s[j] = 0;
    return;
  }
  for (int64_t j = 0; j < seen; j += VL) v_store_n(s + j, v_mul(v_load_n(s + j, seen - j), scale), seen - j);
  for (int64_t j = seen; j < n; j++) s[j] = -__builtin_inff();
  if (!t->mask) return;
  const int32_t *m = t->mask + i * t->mt + j0 * t->ms;
  for (int64_t j = 0; j < seen; j++) if (!m[j * t->ms]) s[j] = -__builtin_inff();
}

/* ---- products ---- */

/* Floats of b [K, N] in panels. */
BK_INLINE int64_t bk_att_packed(int64_t K, int64_t N) { return bk_ceil(N, BK_PANEL) * BK_PANEL * K; }

static void bk_att_pack(const float *b, int64_t brs, int64_t bcs, int64_t K, int64_t N, float *out) {
  for (int64_t j = 0; j < N; j += BK_PANEL) bk_pack_b(b + j * bcs, brs, bcs, K, bk_min(BK_PANEL, N - j), out + j * K);
}

/* c[M,N] (+)= a[M,K] b, where panel j of b begins at b + j * step. */
static void bk_att_product(int64_t M, int64_t N, int64_t K, const float *a, int64_t ars, int64_t aks, const float *b,
                           int64_t step, float *c, int64_t ldc, int add) {
  if (M <= 0) return;
  for (int64_t j = 0; j < N; j += BK_PANEL) {
    bk_tile t = {.K = K, .a = a, .ars = ars, .aks = aks, .b = b + j / BK_PANEL * step, .bks = BK_PANEL, .c = c + j, .ldc = ldc,
                 .nc = bk_min(BK_PANEL, N - j), .init = bk_zeros, .add = add};
    bk_strip(&t, bk_split_rows(M), 0);
  }
}

/* What a row of exponentials is multiplied by at the end. */
static float bk_att_factor(const bk_att *t, int64_t i, float total) { return t->zeros && !bk_att_sees(t, i) ? 0 : 1.0f / total; }

/* ---- forward ---- */
static bk_plan plan_attention(const bk_args *a) {
  const int64_t T = a->n[1], H = a->n[2], d = a->n[3], S = a->n[4], e = a->n[6];
  const double pairs = (double)(a->n[0] * H * T * S) * (a->n[7] && T == S ? 0.5 : 1.0);
  bk_plan p = {a->n[0] * H, 4 * (bk_att_packed(d, S) + bk_att_packed(S, e) + ATT_ROWS * (ATT_LD + e + 34) + S + 64),
               pairs * (double)(2 * d + 2 * e + 30), 4.0 * (double)(a->n[0] * H * (T + S) * (d + e))};
  return p;
}

/* Few queries: a row of scores at a time, nothing packed. */
static void bk_att_rows(const bk_att *t, float *out, float *lse, float *s) {
  for (int64_t i = 0; i < t->T; i++) {
    const int64_t n = bk_att_reach(t, i, i + 1);
    bk_vector_along(t->k, t->ldk, t->q + i * t->ldq, t->d, n, s);
    bk_att_row(t, i, 0, n, s);
    const float max = bk_row_max(s, n), total = bk_row_exp(s, s, n, max);
    float *o = out + i * t->ldo;
    bk_vector_down(t->v, t->ldv, s, n, t->e, o);
    const vf scale = v_set1(bk_att_factor(t, i, total));
    for (int64_t c = 0; c < t->e; c += VL) v_store_n(o + c, v_mul(v_load_n(o + c, t->e - c), scale), t->e - c);
    lse[i * t->H] = bk_att_sees(t, i) ? max + v_log(v_set1(total))[0] : v_log(v_set1((float)t->S))[0];
  }
}

/* Scores of a block of rows become exp(score - maximum so far); what was summed before is scaled to the new maximum. */
static void bk_att_online(const bk_att *t, int64_t i0, int64_t rows, int64_t j0, int64_t n, float *s, float *acc, float *top,
                          float *sum) {
  for (int64_t r = 0; r < rows; r++) {
    float *x = s + r * ATT_LD;
    bk_att_row(t, i0 + r, j0, n, x);
    const float here = bk_row_max(x, n), max = top[r] > here ? top[r] : here;
    if (max == -__builtin_inff()) {                  /* nothing seen yet */
      for (int64_t j = 0; j < n; j++) x[j] = 0;
      continue;
    }
    const float total = bk_row_exp(x, x, n, max);
    if (j0) {
      const float keep = v_exp_negative(v_set1(top[r] - max))[0];
      sum[r] = sum[r] * keep + total;
      const vf k = v_set1(keep);
      for (int64_t c = 0; c < t->e; c += VL) v_store_n(acc + r * t->e + c, v_mul(v_load_n(acc + r * t->e + c, t->e - c), k), t->e - c);
    } else {
      sum[r] = total;
    }
    top[r] = max;
  }
}

static void bk_att_block(const bk_att *t, int64_t i0, const float *kt, const float *vp, float *s, float *out, float *lse) {
  const int64_t rows = bk_min(ATT_ROWS, t->T - i0), reach = bk_att_reach(t, i0, i0 + rows);
  float *acc = s + ATT_ROWS * ATT_LD, *top = acc + ATT_ROWS * t->e, *sum = top + ATT_ROWS;
  for (int64_t r = 0; r < rows; r++) top[r] = -__builtin_inff(), sum[r] = 0;
  for (int64_t j0 = 0; j0 < reach; j0 += ATT_TILE) {
    const int64_t n = bk_min(ATT_TILE, reach - j0);
    bk_att_product(rows, n, t->d, t->q + i0 * t->ldq, t->ldq, 1, kt + j0 * t->d, BK_PANEL * t->d, s, ATT_LD, 0);
    bk_att_online(t, i0, rows, j0, n, s, acc, top, sum);
    bk_att_product(rows, t->e, n, s, ATT_LD, 1, vp + j0 * BK_PANEL, BK_PANEL * t->S, acc, t->e, j0 > 0);
  }
  for (int64_t r = 0; r < rows; r++) {
    const vf scale = v_set1(bk_att_factor(t, i0 + r, sum[r]));
    float *o = out + (i0 + r) * t->ldo;
    for (int64_t c = 0; c < t->e; c += VL) v_store_n(o + c, v_mul(v_load_n(acc + r * t->e + c, t->e - c), scale), t->e - c);
    lse[(i0 + r) * t->H] = bk_att_sees(t, i0 + r) ? top[r] + v_log(v_set1(sum[r]))[0] : v_log(v_set1((float)t->S))[0];
  }
}

BK_KERNEL(attention) {
  const int64_t H = a->n[2];
  for (int64_t u = lo; u < hi; u++) {
    const int64_t b = u / H, h = u % H;
    bk_att t = bk_att_of(a, b, h);
    if (a->p[4]) t.first += *(const int32_t *)a->p[4];
    float *out = (float *)a->p[5] + b * t.T * t.ldo + h * t.e, *lse = (float *)a->p[6] + b * t.T * H + h;
    float *kt = w->scratch, *vp = kt + bk_att_packed(t.d, t.S), *s = vp + bk_att_packed(t.S, t.e);
    if (t.T < 4) {
      bk_att_rows(&t, out, lse, w->scratch);
      continue;
    }
    bk_att_pack(t.k, 1, t.ldk, t.d, t.S, kt);
    bk_att_pack(t.v, t.ldv, 1, t.S, t.e, vp);
    for (int64_t i0 = 0; i0 < t.T; i0 += ATT_ROWS) bk_att_block(&t, i0, kt, vp, s, out, lse);
  }
}

/* ---- backward: p0 q, p1 k, p2 v, p3 mask, p4 out, p5 lse, p6 dout, p7 dq, p8 dk, p9 dv ---- */
static bk_plan plan_attention_grad(const bk_args *a) {
  const int64_t T = a->n[1], H = a->n[2], d = a->n[3], S = a->n[4], G = a->n[5], e = a->n[6];
  const double pairs = (double)(a->n[0] * H * T * S) * (a->n[7] && T == S ? 0.5 : 1.0);
  const int64_t floats = bk_att_packed(d, S) + bk_att_packed(S, d) + bk_att_packed(e, S) + bk_att_packed(T, d) +
                         bk_att_packed(T, e) + 2 * ATT_TILE * ATT_LD + T + 64;
  bk_plan p = {a->n[0] * G, 4 * floats, pairs * (double)(6 * d + 4 * e + 30), 8.0 * (double)(a->n[0] * H * (T + S) * (d + e))};
  return p;
}

typedef struct bk_att_back {
  const float *out, *dout, *lse;     /* of this batch row and head */
  float *dq, *dk, *dv;
  float *kt, *kp, *vt, *qp, *dop;    /* panels of k^T, k, v^T, q, dout */
  float *p, *ds, *delta;             /* tiles [ATT_TILE][ATT_LD], and do . out of every query */
} bk_att_back;

/* Rows [i0, i0 + rows) of a tile of keys j0 .. j0 + n - 1: p = exp(score - lse), and ds = p (do v^T - delta) scale in place of
 * do v^T. */
static void bk_att_slopes(const bk_att *t, const bk_att_back *g, int64_t i0, int64_t rows, int64_t j0, int64_t n, float *p, float *ds) {
  for (int64_t r = 0; r < rows; r++, p += ATT_LD, ds += ATT_LD) {
    const int64_t i = i0 + r;
    bk_att_row(t, i, j0, n, p);
    if (!bk_att_sees(t, i)) {                        /* a mean: no score matters */
      for (int64_t j = 0; j < n; j++) p[j] = t->zeros ? 0 : 1.0f / (float)t->S, ds[j] = 0;
      continue;
    }
    const vf lse = v_set1(g->lse[i * t->H]), delta = v_set1(g->delta[i]), scale = v_set1(t->scale);
    for (int64_t j = 0; j < n; j += VL) {
      const vf x = v_exp(v_sub(v_load_n(p + j, n - j), lse));
      v_store_n(p + j, x, n - j);
      v_store_n(ds + j, v_mul(v_mul(x, v_sub(v_load_n(ds + j, n - j), delta)), scale), n - j);
    }
  }
}

/* Queries [i0, i1) against keys [j0, j1), both at most ATT_TILE. */
static void bk_att_back_tile(const bk_att *t, const bk_att_back *g, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
  int64_t begins[ATT_TILE / ATT_ROWS + 1];           /* for every block of keys: the first query that sees it */
  int64_t seen = 0;                                  /* keys of the tile; a later query never sees fewer (p is 0 there) */
  const int64_t blocks = bk_ceil(j1 - j0, ATT_ROWS);
  for (int64_t k = 0; k < blocks; k++) begins[k] = i1;
  for (int64_t i = i0; i < i1; i += ATT_ROWS) {
    const int64_t rows = bk_min(ATT_ROWS, i1 - i), n = bk_max(bk_min(bk_att_reach(t, i, i + rows), j1) - j0, seen);
    if (n <= 0) continue;
    float *p = g->p + (i - i0) * ATT_LD, *ds = g->ds + (i - i0) * ATT_LD;
    bk_att_product(rows, n, t->d, t->q + i * t->ldq, t->ldq, 1, g->kt + j0 * t->d, BK_PANEL * t->d, p, ATT_LD, 0);
    bk_att_product(rows, n, t->e, g->dout + i * t->ldo, t->ldo, 1, g->vt + j0 * t->e, BK_PANEL * t->e, ds, ATT_LD, 0);
    bk_att_slopes(t, g, i, rows, j0, n, p, ds);
    bk_att_product(rows, t->d, n, ds, ATT_LD, 1, g->kp + j0 * BK_PANEL, BK_PANEL * t->S, g->dq + i * t->ldq, t->ldq, 1);
    const int64_t begun = bk_ceil(n, ATT_ROWS), end = bk_min(begun * ATT_ROWS, j1 - j0);
    for (int64_t r = 0; r < rows; r++)
      for (int64_t j = n; j < end; j++) p[r * ATT_LD + j] = ds[r * ATT_LD + j] = 0;
    for (int64_t k = 0; k < begun; k++) begins[k] = bk_min(begins[k], i);
    seen = n;
  }
  for (int64_t k = 0; k < blocks; k++) {
    const int64_t from = begins[k], j = k * ATT_ROWS, count = bk_min(ATT_ROWS, j1 - j0 - j), rows = i1 - from;
    if (rows <= 0) continue;
    const float *p = g->p + (from - i0) * ATT_LD + j, *ds = g->ds + (from - i0) * ATT_LD + j;
    bk_att_product(count, t->e, rows, p, 1, ATT_LD, g->dop + from * BK_PANEL, BK_PANEL * t->T, g->dv + (j0 + j) * t->ldv, t->ldv, 1);
    bk_att_product(count, t->d, rows, ds, 1, ATT_LD, g->qp + from * BK_PANEL, BK_PANEL * t->T, g->dk + (j0 + j) * t->ldk, t->ldk, 1);
  }
}

static void bk_att_zero(float *x, int64_t rows, int64_t ld, int64_t n) {
  for (int64_t i = 0; i < rows; i++) memset(x + i * ld, 0, 4 * (size_t)n);
}

static void bk_att_back_head(const bk_att *t, bk_att_back *g) {
  for (int64_t i = 0; i < t->T; i++) g->delta[i] = bk_row_dot(g->out + i * t->ldo, g->dout + i * t->ldo, t->e);
  bk_att_pack(t->q, t->ldq, 1, t->T, t->d, g->qp);
  bk_att_pack(g->dout, t->ldo, 1, t->T, t->e, g->dop);
  bk_att_zero(g->dq, t->T, t->ldq, t->d);
  for (int64_t i0 = 0; i0 < t->T; i0 += ATT_TILE)
    for (int64_t j0 = 0; j0 < t->S; j0 += ATT_TILE)
      bk_att_back_tile(t, g, i0, bk_min(i0 + ATT_TILE, t->T), j0, bk_min(j0 + ATT_TILE, t->S));
}

BK_KERNEL(attention_grad) {
  const int64_t H = a->n[2], G = a->n[5], repeats = H / G;
  for (int64_t u = lo; u < hi; u++) {
    const int64_t b = u / G, group = u % G;
    bk_att t = bk_att_of(a, b, group * repeats);
    bk_att_back g;
    g.kt = w->scratch;
    g.kp = g.kt + bk_att_packed(t.d, t.S);
    g.vt = g.kp + bk_att_packed(t.S, t.d);
    g.qp = g.vt + bk_att_packed(t.e, t.S);
    g.dop = g.qp + bk_att_packed(t.T, t.d);
    g.p = g.dop + bk_att_packed(t.T, t.e);
    g.ds = g.p + ATT_TILE * ATT_LD;
    g.delta = g.ds + ATT_TILE * ATT_LD;
    g.dk = (float *)a->p[8] + b * t.S * t.ldk + group * t.d;
    g.dv = (float *)a->p[9] + b * t.S * t.ldv + group * t.e;
    bk_att_pack(t.k, 1, t.ldk, t.d, t.S, g.kt);
    bk_att_pack(t.k, t.ldk, 1, t.S, t.d, g.kp);
    bk_att_pack(t.v, 1, t.ldv, t.e, t.S, g.vt);
    bk_att_zero(g.dk, t.S, t.ldk, t.d);
    bk_att_zero(g.dv, t.S, t.ldv, t.e);
    for (int64_t h = group * repeats; h < (group + 1) * repeats; h++) {
      t = bk_att_of(a, b, h);
      const int64_t at = b * t.T * t.ldo + h * t.e;
      g.out = (const float *)a->p[4] + at, g.dout = (const float *)a->p[6] + at;
      g.lse = (const float *)a->p[5] + b * t.T * H + h;
      g.dq = (float *)a->p[7] + b * t.T * t.ldq + h * t.d;
      bk_att_back_head(&t, &g);
    }
  }
}

/* ---- the cache of keys and values: p0 new[n0, n1 rows of n3], p1 position, p2 cache[n0, n2 rows of n3] ---- */
static bk_plan plan_cache_store(const bk_args *a) {
  bk_plan p = {a->n[0], 0, 0, 8.0 * (double)(a->n[0] * a->n[1] * a->n[3])};
  return p;
}
BK_KERNEL(cache_store) {
  (void)w;
  const int64_t rows = a->n[1], total = a->n[2], n = a->n[3], at = *(const int32_t *)a->p[1];
  if (at < 0 || at + rows > total) return;
  for (int64_t b = lo; b < hi; b++)
    memcpy((float *)a->p[2] + (b * total + at) * n, (const float *)a->p[0] + b * rows * n, 4 * (size_t)(rows * n));
}
#endif
