/* attention.h: softmax(scale q k^T) v with heads side by side (ops/attention.py is the specification); attention_grad.h has
 * its gradients.
 *
 * A unit is one head of one row of the batch. Scores live in a tile of scratch: the forward pass keeps running maxima and sums
 * over tiles of ATT_TILE keys. With `causal`, blocks of ATT_ROWS queries skip the keys that come after them. What is done
 * with a score goes VL queries at a time, so that maxima and sums across a row cost little.
 * What products read as their second operand is packed into panels once a unit, so that rows of any stride cost the same;
 * scores are computed in whole panels, and what lies past the last key is never used.
 * Dropout: element j of row r = (b H + h) T + i of the probabilities is kept where draw r S' + j of the key at the step
 * reaches the threshold, as in kernels/random.h, with S' = S rounded up to whole groups of 64.
 */
#ifndef BRISKNET_ATTENTION_H
#define BRISKNET_ATTENTION_H
#include "kernels/matmul.h"
#include "kernels/random.h"
#include "kernels/softmax.h"

#define ATT_ROWS 16                  /* queries in a block: little waste on a diagonal, and a multiple of VL */
#define ATT_TILE 192                 /* queries, and keys, in a tile of scores: twelve blocks, three groups of draws */
#define ATT_LD (ATT_TILE + 24)       /* floats in a row of it: rows lie off each other's cache sets */

typedef struct bk_att {
  int64_t T, H, d, S, G, e, ldq, ldk, ldv, ldo;
  const float *q, *k, *v;            /* of this batch row and head */
  const int32_t *mask; int64_t mt, ms;
  int64_t first;                     /* the first key that query 0 may not see, or S + T */
  int zeros;                         /* a query that sees nothing gives 0, not the mean of all values */
  float scale;
  int64_t threshold, group;          /* dropout: draws below it drop, 0 for none; the group of 64 draws of query 0, key 0 */
  uint64_t key, step;
  float kept;                        /* what kept probabilities are multiplied by */
} bk_att;

/* n7: bit 0 causal, 1 zeros, 2 an offset for each row of the batch; n8..11 strides of the mask; n12 key, n13 threshold. */
static bk_att bk_att_of(const bk_args *a, int64_t b, int64_t h, const int64_t *step) {
  bk_att t = {.T = a->n[1], .H = a->n[2], .d = a->n[3], .S = a->n[4], .G = a->n[5], .e = a->n[6], .scale = a->f[0]};
  const int64_t g = h / (t.H / t.G);
  t.ldq = t.H * t.d, t.ldk = t.G * t.d, t.ldv = t.G * t.e, t.ldo = t.H * t.e;
  t.q = (const float *)a->p[0] + b * t.T * t.ldq + h * t.d;
  t.k = (const float *)a->p[1] + b * t.S * t.ldk + g * t.d;
  t.v = (const float *)a->p[2] + b * t.S * t.ldv + g * t.e;
  t.mask = a->p[3] ? (const int32_t *)a->p[3] + b * a->n[8] + h * a->n[9] : 0;
  t.mt = a->n[10], t.ms = a->n[11], t.zeros = (int)(a->n[7] >> 1 & 1);
  t.first = a->n[7] & 1 ? 1 : t.S + t.T;
  t.threshold = a->n[13], t.kept = 1;
  if (t.threshold) {
    t.group = (b * t.H + h) * t.T * bk_ceil(t.S, 64);
    t.key = (uint64_t)a->n[12], t.step = (uint64_t)*step, t.kept = a->f[1];
  }
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

/* A block of queries [i, i + rows): which see anything, and the keys that all of them together need: all, where one sees
 * nothing and takes the mean. */
typedef struct bk_att_rows { int64_t i, rows, reach; int sees[ATT_ROWS]; } bk_att_rows;

static bk_att_rows bk_att_rows_of(const bk_att *t, int64_t i) {
  bk_att_rows b = {.i = i, .rows = bk_min(ATT_ROWS, t->T - i)};
  b.reach = bk_att_limit(t, i + b.rows - 1);
  for (int64_t r = 0; r < b.rows; r++) {
    b.sees[r] = bk_att_sees(t, i + r);
    if (!b.sees[r] && !t->zeros) b.reach = t->S;
  }
  return b;
}

/* How many of the keys j0 .. j0 + n - 1 query r of the block takes in. */
BK_INLINE int64_t bk_att_seen(const bk_att *t, const bk_att_rows *b, int64_t r, int64_t j0, int64_t n) {
  return b->sees[r] ? bk_min(bk_max(bk_att_limit(t, b->i + r) - j0, 0), n) : n;
}

/* What the mask says to `seen` scores of query r: -inf where it may not look; where it sees nothing, all scores are 0. */
static void bk_att_hide(const bk_att *t, const bk_att_rows *b, int64_t r, int64_t j0, int64_t seen, float *s) {
  if (!b->sees[r]) {
    memset(s, 0, 4 * (size_t)seen);
    return;
  }
  const int32_t *m = t->mask + (b->i + r) * t->mt + j0 * t->ms;
  int64_t j = 0;
  if (t->ms == 1) {
    for (; j + VL <= seen; j += VL) {
      const vi hidden = vi_load(m + j) == vi_set1(0);
      v_store(s + j, v_sel(hidden, v_set1(-__builtin_inff()), v_load(s + j)));
    }
  }
  for (; j < seen; j++) if (!m[j * t->ms]) s[j] = -__builtin_inff();
}

/* All bits of the lanes below n. */
BK_INLINE vi bk_att_lanes(int64_t n) { return bk_iota() < vi_set1((int32_t)n); }

/* ---- dropout ---- */

/* keep[0..n) of query i and keys from j0 on, a multiple of 64: `yes` where a probability is kept, else 0. Writes whole groups. */
static void bk_att_keep(const bk_att *t, int64_t i, int64_t j0, int64_t n, float yes, float *keep) {
  const vi threshold = vi_set1((int32_t)t->threshold - 1), low = vi_set1(0xffff);
  const vf one = v_set1(yes);
  int64_t g = t->group + i * bk_ceil(t->S, 64) + j0 / 64;
  for (int64_t j = 0; j < n; j += 64, g++) {
#if VL <= GROUP
    for (int s = 0; s < SPLIT; s++) {
      vi words[4];
      bk_philox_vector(t->key, t->step, (uint64_t)g * GROUP + (uint64_t)s * VL, words);
      BK_UNROLL for (int w = 0; w < 4; w++) {
        v_store(keep + j + 16 * w + s * VL, v_mask((words[w] & low) > threshold, one));
        v_store(keep + j + 16 * w + 8 + s * VL, v_mask((vi)((vu)words[w] >> 16) > threshold, one));
      }
    }
#else
    int32_t words[4][GROUP];
    bk_philox_group(t->key, t->step, g, words);
    for (int e = 0; e < 64; e++) {
      const int32_t half = (int32_t)((uint32_t)words[e / 16][e % 8] >> (e & 8 ? 16 : 0)) & 0xffff;
      keep[j + e] = half >= (int32_t)t->threshold ? yes : 0.0f;
    }
    (void)threshold, (void)low, (void)one;
#endif
  }
}

/* Drops some of n probabilities of query i; what is kept is multiplied at the end. */
static void bk_att_drop(const bk_att *t, int64_t i, int64_t j0, int64_t n, float *p) {
  float keep[ATT_TILE];
  for (int64_t k = 0; k < n; k += ATT_TILE) {
    const int64_t count = bk_min(ATT_TILE, n - k);
    bk_att_keep(t, i, j0 + k, count, 1, keep);
    for (int64_t j = 0; j < count; j += VL) v_store_n(p + k + j, v_mul(v_load_n(p + k + j, count - j), v_load(keep + j)), count - j);
  }
}

/* ---- products ---- */

/* Floats of b [K, N] in panels. */
BK_INLINE int64_t bk_att_packed(int64_t K, int64_t N) { return bk_ceil(N, BK_PANEL) * BK_PANEL * K; }
/* n, and room for whole panels. */
BK_INLINE int64_t bk_att_whole(int64_t n) { return bk_ceil(n, BK_PANEL) * BK_PANEL; }

static void bk_att_pack(const float *b, int64_t brs, int64_t bcs, int64_t K, int64_t N, float *out) {
  for (int64_t j = 0; j < N; j += BK_PANEL) bk_pack_b(b + j * bcs, brs, bcs, K, bk_min(BK_PANEL, N - j), out + j * K);
}

/* c[M,N] (+)= a[M,K] b, where panel j of b begins at b + j * step; scale != 1 multiplies. */
static void bk_att_product(int64_t M, int64_t N, int64_t K, const float *a, int64_t ars, int64_t aks, const float *b,
                           int64_t step, float *c, int64_t ldc, int add, float scale) {
  if (M <= 0) return;
  const bk_split split = bk_split_rows(M);
  for (int64_t j = 0; j < N; j += BK_PANEL) {
    bk_tile t = {.K = K, .a = a, .ars = ars, .aks = aks, .b = b + j / BK_PANEL * step, .bks = BK_PANEL, .c = c + j, .ldc = ldc,
                 .nc = bk_min(BK_PANEL, N - j), .init = bk_zeros, .add = add, .fin = scale == 1.0f ? FIN_NONE : FIN_SCALE,
                 .scale = scale};
    bk_strip(&t, split, 0);
  }
}

/* ---- forward ---- */
static bk_plan plan_attention(const bk_args *a) {
  const int64_t T = a->n[1], H = a->n[2], d = a->n[3], S = a->n[4], e = a->n[6];
  const double pairs = (double)(a->n[0] * H * T * S) * ((a->n[7] & 1) && T == S ? 0.5 : 1.0);
  bk_plan p = {a->n[0] * H, 4 * (bk_att_packed(d, S) + bk_att_packed(S, e) + ATT_ROWS * ATT_LD + S + 64),
               pairs * (double)(2 * d + 2 * e + 30), 4.0 * (double)(a->n[0] * H * (T + S) * (d + e))};
  return p;
}

/* Few queries: a row of scores at a time, nothing packed. */
static void bk_att_few(const bk_att *t, float *out, float *lse, float *s) {
  for (int64_t i = 0; i < t->T; i++) {
    bk_att_rows b = {.i = i, .rows = 1, .sees = {bk_att_sees(t, i)}};
    const int64_t n = b.sees[0] ? bk_att_limit(t, i) : t->S;
    bk_vector_along(t->k, t->ldk, t->q + i * t->ldq, t->d, n, s);
    for (int64_t j = 0; j < n; j += VL) v_store_n(s + j, v_mul(v_load_n(s + j, n - j), v_set1(t->scale)), n - j);
    if (t->mask) bk_att_hide(t, &b, 0, 0, n, s);
    const float max = bk_row_max(s, n), total = bk_row_exp(s, s, n, max);
    if (t->threshold) bk_att_drop(t, i, 0, n, s);
    float *o = out + i * t->ldo;
    bk_vector_down(t->v, t->ldv, s, n, t->e, o);
    const vf scale = v_set1(b.sees[0] || !t->zeros ? t->kept / total : 0);
    for (int64_t c = 0; c < t->e; c += VL) v_store_n(o + c, v_mul(v_load_n(o + c, t->e - c), scale), t->e - c);
    lse[i * t->H] = b.sees[0] ? max + v_log(v_set1(total))[0] : v_log(v_set1((float)t->S))[0];
  }
}

/* The largest of the scores that each of VL rows takes in: seen[q] of row q. */
BK_INLINE vf bk_att_max(const float *s, const int64_t *seen) {
  const vf none = v_set1(-__builtin_inff());
  vf top[VL];
  for (int q = 0; q < VL; q++, s += ATT_LD) {
    vf m = none;
    int64_t j = 0;
    for (; j + VL <= seen[q]; j += VL) m = v_max(m, v_load(s + j));
    if (j < seen[q]) m = v_max(m, v_sel(bk_att_lanes(seen[q] - j), v_load(s + j), none));
    top[q] = m;
  }
  v_transpose(top);
  for (int w = VL / 2; w; w /= 2) for (int q = 0; q < w; q++) top[q] = v_max(top[q], top[q + w]);
  return top[0];
}

/* exp(score - max) of VL rows, zeros from seen[q] to n, and the sums. */
BK_INLINE vf bk_att_exp(float *s, const int64_t *seen, int64_t n, vf max) {
  vf sum[VL];
  for (int q = 0; q < VL; q++, s += ATT_LD) {
    const vf m = v_set1(max[q]);
    vf total = v_zero();
    int64_t j = 0;
    for (; j + VL <= seen[q]; j += VL) {
      const vf x = v_exp_negative(v_sub(v_load(s + j), m));
      v_store(s + j, x);
      total = v_add(total, x);
    }
    if (j < seen[q]) {
      const vf x = v_mask(bk_att_lanes(seen[q] - j), v_exp_negative(v_sub(v_load(s + j), m)));
      v_store(s + j, x);
      total = v_add(total, x);
      j += VL;
    }
    for (; j < n; j += VL) v_store(s + j, v_zero());
    sum[q] = total;
  }
  return v_sum_rows(sum);
}

/* VL rows from r on of a block of scores become exp(score - maximum so far); what was summed before is scaled to the new
 * maximum. */
static void bk_att_online(const bk_att *t, const bk_att_rows *b, int64_t r, int64_t j0, int64_t n, float *s, float *out,
                          vf *top, vf *sum) {
  int64_t seen[VL];
  const int64_t rows = bk_min(VL, b->rows - r);
  for (int64_t q = 0; q < VL; q++) {
    seen[q] = q < rows ? bk_att_seen(t, b, r + q, j0, n) : 0;
    if (t->mask && seen[q]) bk_att_hide(t, b, r + q, j0, seen[q], s + q * ATT_LD);
  }
  const vf max = v_max(*top, bk_att_max(s, seen));
  const vf least = v_sel(v_eq(max, v_set1(-__builtin_inff())), v_zero(), max);   /* nothing seen yet */
  const vf total = bk_att_exp(s, seen, n, least);
  const vf keep = v_exp_negative(v_sub(*top, least));
  *sum = j0 ? v_fma(*sum, keep, total) : total;
  *top = max;
  for (int64_t q = 0; q < rows; q++) {
    if (t->threshold) bk_att_drop(t, b->i + r + q, j0, seen[q], s + q * ATT_LD);
    if (!j0) continue;
    float *o = out + (b->i + r + q) * t->ldo;
    const vf k = v_set1(keep[q]);
    for (int64_t c = 0; c < t->e; c += VL) v_store_n(o + c, v_mul(v_load_n(o + c, t->e - c), k), t->e - c);
  }
}

static void bk_att_block(const bk_att *t, int64_t i0, const float *kt, const float *vp, float *s, float *out, float *lse) {
  const bk_att_rows b = bk_att_rows_of(t, i0);
  vf top[ATT_ROWS / VL], sum[ATT_ROWS / VL];
  for (int v = 0; v < ATT_ROWS / VL; v++) top[v] = v_set1(-__builtin_inff()), sum[v] = v_zero();
  for (int64_t j0 = 0; j0 < b.reach; j0 += ATT_TILE) {
    const int64_t n = bk_min(ATT_TILE, b.reach - j0);
    bk_att_product(b.rows, bk_att_whole(n), t->d, t->q + i0 * t->ldq, t->ldq, 1, kt + j0 * t->d, BK_PANEL * t->d, s, ATT_LD, 0,
                   t->scale);
    for (int64_t r = 0; r < b.rows; r += VL) bk_att_online(t, &b, r, j0, n, s + r * ATT_LD, out, top + r / VL, sum + r / VL);
    bk_att_product(b.rows, t->e, n, s, ATT_LD, 1, vp + j0 * BK_PANEL, BK_PANEL * t->S, out + i0 * t->ldo, t->ldo, j0 > 0, 1);
  }
  for (int64_t r = 0; r < b.rows; r += VL) {
    const vf factor = v_div(v_set1(t->kept), sum[r / VL]), log = v_add(top[r / VL], v_log(sum[r / VL]));
    for (int64_t q = 0; q < bk_min(VL, b.rows - r); q++) {
      const int sees = b.sees[r + q];
      const vf scale = v_set1(sees || !t->zeros ? factor[q] : 0);
      float *o = out + (i0 + r + q) * t->ldo;
      for (int64_t c = 0; c < t->e; c += VL) v_store_n(o + c, v_mul(v_load_n(o + c, t->e - c), scale), t->e - c);
      lse[(i0 + r + q) * t->H] = sees ? log[q] : v_log(v_set1((float)t->S))[0];
    }
  }
}

BK_KERNEL(attention) {
  const int64_t H = a->n[2];
  for (int64_t u = lo; u < hi; u++) {
    const int64_t b = u / H, h = u % H;
    bk_att t = bk_att_of(a, b, h, a->p[7]);
    if (a->p[4]) t.first += ((const int32_t *)a->p[4])[a->n[7] & 4 ? b : 0];
    float *out = (float *)a->p[5] + b * t.T * t.ldo + h * t.e, *lse = (float *)a->p[6] + b * t.T * H + h;
    float *kt = w->scratch, *vp = kt + bk_att_packed(t.d, t.S), *s = vp + bk_att_packed(t.S, t.e);
    if (t.T < 4) {
      bk_att_few(&t, out, lse, w->scratch);
      continue;
    }
    bk_att_pack(t.k, 1, t.ldk, t.d, t.S, kt);
    bk_att_pack(t.v, t.ldv, 1, t.S, t.e, vp);
    for (int64_t i0 = 0; i0 < t.T; i0 += ATT_ROWS) bk_att_block(&t, i0, kt, vp, s, out, lse);
  }
}

/* ---- the cache of keys and values: p0 new[n0, n1 rows of n3], p1 position (n4: one for each n0), p2 cache[n0, n2 rows of n3] ---- */
static bk_plan plan_cache_store(const bk_args *a) {
  bk_plan p = {a->n[0], 0, 0, 8.0 * (double)(a->n[0] * a->n[1] * a->n[3])};
  return p;
}
BK_KERNEL(cache_store) {
  (void)w;
  const int64_t rows = a->n[1], total = a->n[2], n = a->n[3];
  for (int64_t b = lo; b < hi; b++) {
    const int64_t at = ((const int32_t *)a->p[1])[a->n[4] ? b : 0];
    if (at < 0 || at + rows > total) continue;
    memcpy((float *)a->p[2] + (b * total + at) * n, (const float *)a->p[0] + b * rows * n, 4 * (size_t)(rows * n));
  }
}
#endif
