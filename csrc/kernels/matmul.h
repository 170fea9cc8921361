/* matmul.h: C = op(A) op(B) on row-major operands, batched.
 *
 * op(B) is packed into panels of MATMUL_KBLOCK x 16, unless it is small or met by few rows: by the first tile that reads it, or
 * just before where it must be transposed. op(A) is packed by strips of STRIP rows where there is more than one.
 */
#ifndef BRISKNET_MATMUL_H
#define BRISKNET_MATMUL_H
#include "kernels/microkernel.h"

#define NBLOCK 2048          /* columns worked on at a time: at most 3 MiB of packed b */
#define MATMUL_KBLOCK 384    /* longer than KBLOCK: c, which may lie far away, is read and written less often */
#define ROW_UNIT 16          /* rows in a unit where the columns are too few to share */

typedef struct bk_product {   /* one product, or the part of its columns and rows that a unit computes */
  int64_t M, N, K;
  const float *a; int64_t ars, aks;
  const float *b; int64_t brs, bcs;   /* strides of op(B): row (k) and column (n) */
  float *c; int64_t ldc;
} bk_product;

static inline int bk_direct_a(int64_t M) { return M <= STRIP + STRIP / 3; }
static inline int bk_direct_b(const bk_product *g) { return g->bcs == 1 && (g->M <= 2 * BK_MR || g->K * g->brs <= 4096); }

static int bk_matmul_by_rows(int64_t M, int64_t N) { return bk_ceil(N, BK_PANEL) < 8 && M >= 2 * N; }

static bk_plan plan_matmul(const bk_args *a) {
  int64_t M = a->n[0], N = a->n[1], K = a->n[2], batch = bk_max(a->n[5], 1);
  int64_t kb = bk_even_block(K, bk_ceil(K, MATMUL_KBLOCK)), panels = bk_ceil(N, BK_PANEL);
  int64_t slots = bk_direct_a(M) ? 1 : bk_min(panels, NBLOCK / BK_PANEL);
  int64_t units = batch > 1 ? batch : bk_matmul_by_rows(M, N) ? bk_ceil(M, ROW_UNIT) : panels;
  bk_plan p = {units, 4 * (kb * slots * BK_PANEL + bk_packed_size(STRIP, kb)), 2.0 * M * N * K * batch,
               4.0 * batch * (M * K + K * N + M * N)};
  return p;
}

/* Packs w columns of op(B), zeros past them. */
static void bk_pack_b(const float *b, int64_t brs, int64_t bcs, int64_t kc, int64_t w, float *out) {
  int64_t k = 0;
  if (bcs == 1) {
    for (; k < kc; k++)
      for (int q = 0; q < BK_PANEL; q += VL)
        v_store(out + k * BK_PANEL + q, w > q ? v_load_n(b + k * brs + q, w - q) : v_zero());
  } else if (w == BK_PANEL) {                 /* transposed: VL x VL blocks through registers */
    for (; k + VL <= kc; k += VL) {
      for (int q = 0; q < BK_PANEL; q += VL) {
        vf r[VL];
        v_load_transposed(b + q * bcs + k, bcs, r);
        BK_UNROLL for (int i = 0; i < VL; i++) v_store(out + (k + i) * BK_PANEL + q, r[i]);
      }
    }
  }
  for (; k < kc; k++)
    for (int64_t i = 0; i < BK_PANEL; i++) out[k * BK_PANEL + i] = i < w ? b[k * brs + i * bcs] : 0.0f;
}

/* Packs pieces of mr rows whose k runs along memory, VL x VL blocks through registers; a store may overhang the mr floats
 * of its k: the next one, or the gap, takes it. */
BK_INLINE void bk_pack_along_group(const float *a, int64_t ld, int64_t K, int64_t count, const int mr, float *out) {
  for (; count > 0; count--, a += mr * ld, out += PACK_GAP) {
    int64_t k = 0;
    for (; k + VL <= K; k += VL, out += VL * mr) {
      for (int q = 0; q < mr; q += VL) {
        vf r[VL];
        BK_UNROLL for (int i = 0; i < VL; i++) r[i] = q + i < mr ? v_load(a + (q + i) * ld + k) : v_zero();
        v_transpose(r);
        if (q + VL <= mr || q == 0) {
          BK_UNROLL for (int i = 0; i < VL; i++) v_store(out + i * mr + q, r[i]);
        } else {
          BK_UNROLL for (int i = 0; i < VL; i++) v_store_n(out + i * mr + q, r[i], mr - q);
        }
      }
    }
    for (; k < K; k++, out += mr) for (int64_t i = 0; i < mr; i++) out[i] = a[i * ld + k];
  }
}

static void bk_pack_along(const float *a, int64_t ld, int64_t K, bk_split s, float *out) {
  for (int pass = 0; pass < 2; pass++) {
    const int mr = s.mr - pass, count = pass ? s.small : s.large;
    if (mr == BK_MR) bk_pack_along_group(a, ld, K, count, BK_MR, out);
    else if (mr == BK_MR - 1) bk_pack_along_group(a, ld, K, count, BK_MR - 1, out);
    else bk_pack_along_group(a, ld, K, count, mr, out);
    a += (int64_t)count * mr * ld;
    out += count * (mr * K + PACK_GAP);
  }
}

/* One block of k and up to NBLOCK columns: every strip of rows against every panel. */
static void bk_multiply_block(const bk_product *g, int64_t k0, int64_t kc, int64_t j0, int64_t nc, float *scratch) {
  const int direct_a = bk_direct_a(g->M), direct_b = bk_direct_b(g);
  const int64_t strips = direct_a ? 1 : bk_ceil(g->M, STRIP), strip = bk_ceil(g->M, strips);
  float *packed_a = scratch, *panels = scratch + (direct_a ? 0 : bk_packed_size(STRIP, kc));
  for (int64_t i0 = 0; i0 < g->M; i0 += strip) {
    const int64_t rows = bk_min(strip, g->M - i0);
    const bk_split split = bk_split_rows(rows);
    bk_tile t = {.K = kc, .ldc = g->ldc, .init = bk_zeros, .add = k0 > 0, .ars = g->ars, .aks = g->aks};
    const float *a = g->a + i0 * g->ars + k0 * g->aks;
    if (!direct_a) {
      if (g->aks == 1) bk_pack_along(a, g->ars, kc, split, packed_a);
      else bk_pack_down(a, g->aks, kc, split, packed_a);
    }
    for (int64_t j = 0; j < nc; j += BK_PANEL) {
      const float *b = g->b + k0 * g->brs + (j0 + j) * g->bcs;
      float *panel = panels + (direct_a ? 0 : j * kc);
      t.nc = bk_min(BK_PANEL, nc - j);
      const int in_place = g->bcs == 1 && t.nc == BK_PANEL && (direct_b || i0 == 0);
      if (!in_place && i0 == 0) bk_pack_b(b, g->brs, g->bcs, kc, t.nc, panel);
      t.b = in_place ? b : panel, t.bks = in_place ? g->brs : BK_PANEL;
      t.a = direct_a ? a : packed_a;
      t.c = g->c + i0 * g->ldc + j0 + j;
      t.ahead = i0 && j + BK_PANEL < nc ? panel + BK_PANEL * kc : 0;
      if (in_place && !direct_b) bk_strip_copying(&t, split, !direct_a, panel);
      else bk_strip(&t, split, !direct_a);
    }
  }
}

static void bk_multiply(const bk_product *g, float *scratch) {
  const int64_t kb = bk_even_block(g->K, bk_ceil(g->K, MATMUL_KBLOCK));
  for (int64_t j0 = 0; j0 < g->N; j0 += NBLOCK)
    for (int64_t k0 = 0; k0 < g->K || k0 == 0; k0 += kb)
      bk_multiply_block(g, k0, bk_min(kb, g->K - k0), j0, bk_min(NBLOCK, g->N - j0), scratch);
}

/* ---- a matrix and a vector ---- */

/* out[j] = sum_k v[k] r[k*ld + j]: runs down the rows, 4 VL columns at a time. */
static void bk_vector_down(const float *r, int64_t ld, const float *v, int64_t K, int64_t n, float *out) {
  int64_t j = 0;
  for (; j + 4 * VL <= n; j += 4 * VL) {
    vf s[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    for (int64_t k = 0; k < K; k++) {
      const vf x = v_bcast(v + k);
      BK_UNROLL for (int q = 0; q < 4; q++) s[q] = v_fma(x, v_load(r + k * ld + j + q * VL), s[q]);
    }
    BK_UNROLL for (int q = 0; q < 4; q++) v_store(out + j + q * VL, s[q]);
  }
  for (; j < n; j += VL) {
    vf s = v_zero();
    for (int64_t k = 0; k < K; k++) s = v_fma(v_bcast(v + k), v_load_n(r + k * ld + j, n - j), s);
    v_store_n(out + j, s, n - j);
  }
}

/* out[i] = sum_k v[k] r[i*ld + k]: VL rows side by side. */
static void bk_vector_along(const float *r, int64_t ld, const float *v, int64_t K, int64_t n, float *out) {
  for (int64_t i = 0; i < n; i += VL, r += VL * ld) {
    const int64_t last = bk_min(VL, n - i) - 1;
    vf s[VL];
    BK_UNROLL for (int q = 0; q < VL; q++) s[q] = v_zero();
    for (int64_t k = 0; k < K; k += VL) {
      const int64_t left = K - k;
      const vf x = v_load_n(v + k, left);
      BK_UNROLL for (int q = 0; q < VL; q++) s[q] = v_fma(v_load_n(r + bk_min(q, last) * ld + k, left), x, s[q]);
    }
    v_store_n(out + i, v_sum_rows(s), last + 1);
  }
}

static void bk_multiply_vector(const bk_product *g) {
  const int row = g->M == 1;                      /* c = a op(B), else c = op(A) b; the vector is contiguous */
  const float *r = row ? g->b : g->a, *v = row ? g->a : g->b;
  const int64_t n = row ? g->N : g->M, along = row ? g->brs : g->aks, across = row ? g->bcs : g->ars;
  if (across == 1 && (along > 1 || g->K == 1)) bk_vector_down(r, along, v, g->K, n, g->c);
  else bk_vector_along(r, across, v, g->K, n, g->c);
}

BK_KERNEL(matmul) {
  const int64_t M = a->n[0], N = a->n[1], K = a->n[2], ta = a->n[3], tb = a->n[4], batch = bk_max(a->n[5], 1);
  bk_product g = {M, N, K, a->p[0], ta ? 1 : K, ta ? M : 1, a->p[1], tb ? 1 : N, tb ? K : 1, a->p[2], N};
  if (batch > 1) {
    for (int64_t i = lo; i < hi; i++) {
      bk_product one = g;
      one.a += i * a->n[6], one.b += i * a->n[7], one.c += i * a->n[8];
      if (M == 1 || N == 1) bk_multiply_vector(&one);
      else bk_multiply(&one, w->scratch);
    }
    return;
  }
  if (bk_matmul_by_rows(M, N)) {
    const int64_t m0 = lo * ROW_UNIT;
    g.a += m0 * g.ars, g.c += m0 * g.ldc, g.M = bk_min(hi * ROW_UNIT, M) - m0;
  } else {
    const int64_t n0 = lo * BK_PANEL;
    g.b += n0 * g.bcs, g.c += n0, g.N = bk_min(hi * BK_PANEL, N) - n0;
  }
  if (g.M <= 0 || g.N <= 0) return;
  if (M == 1 || N == 1) bk_multiply_vector(&g);
  else bk_multiply(&g, w->scratch);
}
#endif
