/* matmul.h: C = op(A) op(B) on row-major operands, batched. op(B) is packed into panels by blocks of KBLOCK x NBLOCK,
 * op(A) is read in place or packed by blocks of ABLOCK rows. */
#ifndef BRISKNET_MATMUL_H
#define BRISKNET_MATMUL_H
#include "kernels/microkernel.h"

#define NBLOCK 512
#define ABLOCK (24 * BK_MR)
#ifndef KBLOCK
#define KBLOCK 256
#endif

typedef struct bk_product {   /* one product, or the part of its columns and rows that a unit computes */
  int64_t M, N, K;
  const float *a; int64_t ars, aks;
  const float *b; int64_t brs, bcs;   /* strides of op(B): row (k) and column (n) */
  float *c; int64_t ldc;
} bk_product;

/* Small or tall-free operands are read where they are. */
static inline int bk_direct_a(int64_t M) { return M <= 32 * BK_MR; }
static inline int bk_direct_b(int64_t M, int64_t bcs) { return bcs == 1 && M <= 2 * BK_MR; }

/* k blocks of even size, a multiple of 8, so that none is a thin remainder. */
static inline int64_t bk_k_block(int64_t K) { return bk_min(K, bk_ceil(bk_ceil(K, bk_max(bk_ceil(K, KBLOCK), 1)), 8) * 8); }

static int64_t bk_matmul_units(int64_t M, int64_t N, int64_t batch) {
  if (batch > 1) return batch;
  int64_t panels = bk_ceil(N, BK_PANEL);
  return panels >= 4 ? panels : bk_ceil(M, 48);
}

static bk_plan plan_matmul(const bk_args *a) {
  int64_t M = a->n[0], N = a->n[1], K = a->n[2], batch = bk_max(a->n[5], 1);
  int64_t kc = bk_k_block(K), nc = bk_min(bk_ceil(N, BK_PANEL) * BK_PANEL, NBLOCK);
  bk_plan p = {bk_matmul_units(M, N, batch), 4 * kc * (nc + bk_min(M + BK_MR, ABLOCK + BK_MR)) + 256,
               2.0 * M * N * K * batch, 4.0 * batch * (M * K + K * N + M * N)};
  return p;
}

static void bk_pack_b(const float *b, int64_t brs, int64_t bcs, int64_t kc, int64_t nc, float *out) {
  for (int64_t j = 0; j < nc; j += BK_PANEL, out += kc * BK_PANEL) {
    const int64_t w = bk_min(BK_PANEL, nc - j);
    const float *s = b + j * bcs;
    int64_t k = 0;
    if (bcs == 1) {
      for (; k < kc; k++) {
        BK_UNROLL for (int q = 0; q < NV; q++) {
          vf v = w == BK_PANEL ? v_load(s + k * brs + q * VL)
               : w > q * VL ? v_load_n(s + k * brs + q * VL, w - q * VL) : v_zero();
          v_store(out + k * BK_PANEL + q * VL, v);
        }
      }
      continue;
    }
    if (brs == 1 && w == BK_PANEL) {            /* transposed: VL x VL blocks through registers */
      for (; k + VL <= kc; k += VL) {
        for (int q = 0; q < BK_PANEL; q += VL) {
          vf r[VL];
          BK_UNROLL for (int i = 0; i < VL; i++) r[i] = v_load(s + (q + i) * bcs + k);
          v_transpose(r);
          BK_UNROLL for (int i = 0; i < VL; i++) v_store(out + (k + i) * BK_PANEL + q, r[i]);
        }
      }
    }
    for (; k < kc; k++)
      for (int64_t i = 0; i < BK_PANEL; i++) out[k * BK_PANEL + i] = i < w ? s[k * brs + i * bcs] : 0.0f;
  }
}

static void bk_pack_a(const float *a, int64_t ars, int64_t aks, int64_t rows, int64_t kc, float *out) {
  for (int64_t pieces = bk_ceil(rows, BK_MR); pieces > 0; pieces--) {
    int64_t mr = bk_ceil(rows, pieces), k = 0;
    if (aks == 1 && mr <= VL) {
      for (; k + VL <= kc; k += VL) {
        vf r[VL];
        for (int i = 0; i < VL; i++) r[i] = i < mr ? v_load(a + i * ars + k) : v_zero();
        v_transpose(r);
        for (int i = 0; i < VL; i++) v_store_n(out + (k + i) * mr, r[i], mr);
      }
    }
    for (; k < kc; k++) for (int64_t i = 0; i < mr; i++) out[k * mr + i] = a[i * ars + k * aks];
    out += mr * kc, a += mr * ars, rows -= mr;
  }
}

static void bk_multiply(const bk_product *g, float *scratch) {
  const int64_t kb = bk_k_block(g->K), direct_a = bk_direct_a(g->M), direct_b = bk_direct_b(g->M, g->bcs);
  for (int64_t j0 = 0; j0 < g->N; j0 += NBLOCK) {
    const int64_t nc = bk_min(NBLOCK, g->N - j0);
    float *packed_b = scratch, *packed_a = scratch + kb * bk_ceil(nc, BK_PANEL) * BK_PANEL;
    for (int64_t k0 = 0; k0 < g->K || k0 == 0; k0 += bk_max(kb, 1)) {
      const int64_t kc = bk_min(kb, g->K - k0);
      if (!direct_b) bk_pack_b(g->b + k0 * g->brs + j0 * g->bcs, g->brs, g->bcs, kc, nc, packed_b);
      for (int64_t i0 = 0; i0 < g->M; i0 += direct_a ? g->M : ABLOCK) {
        const int64_t mc = direct_a ? g->M : bk_min(ABLOCK, g->M - i0);
        const float *a = g->a + i0 * g->ars + k0 * g->aks;
        if (!direct_a) bk_pack_a(a, g->ars, g->aks, mc, kc, packed_a);
        for (int64_t j = 0; j < nc; j += BK_PANEL) {
          bk_tile t = {.K = kc, .c = g->c + i0 * g->ldc + j0 + j, .ldc = g->ldc, .nc = bk_min(BK_PANEL, nc - j),
                       .first = k0 == 0, .b = packed_b + j * kc, .bks = BK_PANEL};
          if (direct_b) {
            t.b = g->b + k0 * g->brs + j0 + j, t.bks = g->brs;
            if (t.nc < BK_PANEL) {
              bk_pack_b(t.b, g->brs, 1, kc, t.nc, packed_b);
              t.b = packed_b, t.bks = BK_PANEL;
            }
          }
          if (direct_a) {
            t.a = a, t.ars = g->ars, t.aks = g->aks;
            bk_rows(t, mc, EP_PLAIN);
            continue;
          }
          t.a = packed_a;
          for (int64_t rows = mc, pieces = bk_ceil(mc, BK_MR); pieces > 0; pieces--) {
            int64_t mr = bk_ceil(rows, pieces);
            t.ars = 1, t.aks = mr;
            bk_tile_table[EP_PLAIN][mr](&t);
            t.a += mr * kc, t.c += mr * g->ldc, rows -= mr;
          }
        }
      }
    }
  }
}

BK_KERNEL(matmul) {
  const int64_t M = a->n[0], N = a->n[1], K = a->n[2], ta = a->n[3], tb = a->n[4], batch = bk_max(a->n[5], 1);
  bk_product g = {M, N, K, a->p[0], ta ? 1 : K, ta ? M : 1, a->p[1], tb ? 1 : N, tb ? K : 1, a->p[2], N};
  if (batch > 1) {
    for (int64_t i = lo; i < hi; i++) {
      bk_product one = g;
      one.a += i * a->n[6], one.b += i * a->n[7], one.c += i * a->n[8];
      bk_multiply(&one, w->scratch);
    }
    return;
  }
  if (bk_ceil(N, BK_PANEL) >= 4) {                /* units are panels of columns */
    int64_t n0 = lo * BK_PANEL;
    g.b += n0 * g.bcs, g.c += n0, g.N = bk_min(hi * BK_PANEL, N) - n0;
  } else {                                        /* units are blocks of 48 rows */
    int64_t m0 = lo * 48;
    g.a += m0 * g.ars, g.c += m0 * g.ldc, g.M = bk_min(hi * 48, M) - m0;
  }
  if (g.M > 0 && g.N > 0) bk_multiply(&g, w->scratch);
}
#endif
