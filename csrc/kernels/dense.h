/* dense.h: a dense layer forward and backward.
 *
 * Weights w[K,N] live in panels [ceil(N/16)][K][16], zero padded, so that no product packs them; with N == 1 they are a
 * plain vector [K]. Activations are row-major.
 */
#ifndef BRISKNET_DENSE_H
#define BRISKNET_DENSE_H
#include "kernels/microkernel.h"

#define KBLOCK 256           /* rows of a panel worked on at a time: 16 KiB, half of an L1 cache */

/* Row blocks are cut only where there are too few panels to share among threads; by shapes alone. */
static inline int64_t bk_row_blocks(int64_t M, int64_t panels) {
  return panels >= 8 || M < 96 ? 1 : bk_min(bk_ceil(M, 48), 8);
}

static inline bk_plan bk_dense_plan(int64_t M, int64_t K, int64_t N, int64_t units, int64_t scratch) {
  bk_plan p = {units, scratch, 2.0 * M * K * N, 4.0 * (M * K + K * N + M * N)};
  return p;
}

/* ---- forward: y[m,n] = act(sum_k x[m,k] w[k,n] + bias[n]) ---- */
static bk_plan plan_dense_forward(const bk_args *a) {
  int64_t M = a->n[0], K = a->n[1], N = a->n[2], panels = bk_ceil(N, BK_PANEL);
  return bk_dense_plan(M, K, N, N == 1 ? bk_ceil(M, 64) : panels * bk_row_blocks(M, panels), 64);
}

/* One column: y[m] = act(x[m,:] . w + bias). */
static void bk_forward_column(const bk_args *a, int64_t m0, int64_t m1) {
  const float *x = a->p[0], *w = a->p[1], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t K = a->n[1];
  for (int64_t m = m0; m < m1; m += VL) {
    float z[VL] = {0};
    int64_t rows = bk_min(VL, m1 - m);
    for (int64_t i = 0; i < rows; i++) {
      const float *row = x + (m + i) * K;
      vf s0 = v_zero(), s1 = v_zero();
      int64_t k = 0;
      for (; k + 2 * VL <= K; k += 2 * VL) {
        s0 = v_fma(v_load(row + k), v_load(w + k), s0);
        s1 = v_fma(v_load(row + k + VL), v_load(w + k + VL), s1);
      }
      for (; k < K; k += VL) s0 = v_fma(v_load_n(row + k, K - k), v_load_n(w + k, K - k), s0);
      z[i] = v_hsum(v_add(s0, s1));
    }
    vf v = v_load(z);
    if (bias) v = v_add(v, v_set1(bias[0]));
    v_store_n(y + m, bk_activate(v, (int)a->n[3], a->f[0]), rows);
  }
}

/* One row: four panels side by side, so that eight chains of FMAs hide their latency; bound by reading w once. */
static void bk_forward_row(const bk_args *a, int64_t p0, int64_t p1) {
  const float *x = a->p[0], *w = a->p[1], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t K = a->n[1], N = a->n[2];
  for (int64_t p = p0; p < p1;) {
    const int64_t group = bk_min(4, p1 - p), step = K * BK_PANEL;
    vf c[4][NV];
    for (int g = 0; g < 4; g++) for (int j = 0; j < NV; j++) c[g][j] = v_zero();
    const float *b = w + p * step;
    if (group == 4) {
      for (int64_t k = 0; k < K; k++, b += BK_PANEL) {
        vf xv = v_bcast(x + k);
        BK_UNROLL for (int g = 0; g < 4; g++) {
          BK_UNROLL for (int j = 0; j < NV; j++) c[g][j] = v_fma(xv, v_load(b + g * step + j * VL), c[g][j]);
        }
      }
    } else {
      for (int64_t g = 0; g < group; g++) {
        const float *q = b + g * step;
        for (int64_t k = 0; k < K; k++, q += BK_PANEL) {
          vf xv = v_bcast(x + k);
          BK_UNROLL for (int j = 0; j < NV; j++) c[g][j] = v_fma(xv, v_load(q + j * VL), c[g][j]);
        }
      }
    }
    for (int64_t g = 0; g < group; g++, p++) {
      for (int j = 0; j < NV; j++) {
        int64_t col = p * BK_PANEL + j * VL, n = N - col;
        if (n <= 0) break;
        vf v = c[g][j];
        if (bias) v = v_add(v, v_load_n(bias + col, n));
        v_store_n(y + col, bk_activate(v, (int)a->n[3], a->f[0]), n);
      }
    }
  }
}

BK_KERNEL(dense_forward) {
  const float *x = a->p[0], *panels = a->p[1], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2], count = bk_ceil(N, BK_PANEL);
  if (N == 1) { bk_forward_column(a, lo * 64, bk_min(hi * 64, M)); return; }
  if (M == 1) { bk_forward_row(a, lo, hi); return; }
  const int64_t blocks = bk_row_blocks(M, count), rows = bk_ceil(M, blocks);
  for (int64_t k0 = 0; k0 < K || k0 == 0; k0 += KBLOCK) {
    int64_t kc = bk_min(KBLOCK, K - k0);
    for (int64_t u = lo; u < hi; u++) {
      int64_t p = u / blocks, m0 = (u % blocks) * rows, n0 = p * BK_PANEL;
      float padded[BK_PANEL];
      bk_tile t = {.K = kc, .a = x + m0 * K + k0, .ars = K, .aks = 1, .b = panels + (p * K + k0) * BK_PANEL,
                   .bks = BK_PANEL, .c = y + m0 * N + n0, .ldc = N, .nc = bk_min(BK_PANEL, N - n0), .first = k0 == 0,
                   .last = k0 + kc >= K, .act = (int)a->n[3], .alpha = a->f[0]};
      if (bias) {
        t.bias = bias + n0;
        if (t.nc < BK_PANEL) {
          for (int64_t i = 0; i < BK_PANEL; i++) padded[i] = i < t.nc ? bias[n0 + i] : 0.0f;
          t.bias = padded;
        }
      }
      bk_rows(t, bk_min(rows, M - m0), EP_FORWARD);
    }
  }
}

/* ---- gradient of the input: dx[m,k] = scale f'(y[m,k]) sum_n dz[m,n] w[k,n] ---- */
static bk_plan plan_dense_dgrad(const bk_args *a) {
  int64_t M = a->n[0], K = a->n[1], N = a->n[2], panels = bk_ceil(K, BK_PANEL);
  int64_t units = N == 1 ? bk_ceil(M, 64) : panels * bk_row_blocks(M, panels);
  return bk_dense_plan(M, K, N, units, 4 * BK_PANEL * bk_min(bk_ceil(N, BK_PANEL) * BK_PANEL, KBLOCK) + 64);
}

/* scratch[n][16] = w[k0..k0+15, n0..n0+nc)^T; rows of w past K are zero. */
static void bk_transpose_panels(const float *w, int64_t K, int64_t k0, int64_t n0, int64_t nc, float *out) {
  const int64_t rows = bk_min(BK_PANEL, K - k0);
  for (int64_t n = 0; n < nc; n += VL) {
    const float *panel = w + ((n0 + n) / BK_PANEL * K + k0) * BK_PANEL + (n0 + n) % BK_PANEL;
    for (int64_t i = 0; i < BK_PANEL; i += VL) {
      vf r[VL];
      BK_UNROLL for (int q = 0; q < VL; q++) r[q] = i + q < rows ? v_load(panel + (i + q) * BK_PANEL) : v_zero();
      v_transpose(r);
      BK_UNROLL for (int q = 0; q < VL; q++) v_store(out + (n + q) * BK_PANEL + i, r[q]);
    }
  }
}

/* One column of w: dx[m,k] = dz[m] w[k], an outer product. */
static void bk_dgrad_column(const bk_args *a, int64_t m0, int64_t m1) {
  const float *dz = a->p[0], *w = a->p[1], *y = a->p[2];
  float *dx = a->p[3];
  const int64_t K = a->n[1];
  for (int64_t m = m0; m < m1; m++) {
    vf d = v_set1(dz[m] * a->f[1]);
    for (int64_t k = 0; k < K; k += VL) {
      int64_t n = K - k;
      vf v = v_mul(d, v_load_n(w + k, n));
      if (y) v = bk_act_slope(v, v_load_n(y + m * K + k, n), (int)a->n[3], a->f[0]);
      v_store_n(dx + m * K + k, v, n);
    }
  }
}

/* One row: dx[k] = dz . w[k,:], 16 dot products at a time over the panels; w is read once, in place. */
static void bk_dgrad_row(const bk_args *a, int64_t p0, int64_t p1) {
  const float *dz = a->p[0], *w = a->p[1], *y = a->p[2];
  float *dx = a->p[3];
  const int64_t K = a->n[1], N = a->n[2];
  for (int64_t k = p0 * BK_PANEL; k < bk_min(p1 * BK_PANEL, K); k += VL) {
    const int64_t rows = bk_min(VL, K - k);
    vf s[VL];
    for (int q = 0; q < VL; q++) s[q] = v_zero();
    for (int64_t n = 0; n < N; n += BK_PANEL) {
      const float *panel = w + (n / BK_PANEL * K + k) * BK_PANEL;
      for (int j = 0; j < NV && n + j * VL < N; j++) {
        vf d = v_load_n(dz + n + j * VL, N - n - j * VL);
        if (rows == VL) {
          BK_UNROLL for (int q = 0; q < VL; q++) s[q] = v_fma(d, v_load(panel + q * BK_PANEL + j * VL), s[q]);
        } else {
          for (int64_t q = 0; q < rows; q++) s[q] = v_fma(d, v_load(panel + q * BK_PANEL + j * VL), s[q]);
        }
      }
    }
    v_transpose(s);
    vf v = s[0];
    for (int q = 1; q < VL; q++) v = v_add(v, s[q]);
    if (y) v = bk_act_slope(v, v_load_n(y + k, rows), (int)a->n[3], a->f[0]);
    v_store_n(dx + k, v_mul(v, v_set1(a->f[1])), rows);
  }
}

BK_KERNEL(dense_dgrad) {
  const float *dz = a->p[0], *weights = a->p[1], *y = a->p[2];
  float *dx = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2], count = bk_ceil(K, BK_PANEL);
  if (N == 1) { bk_dgrad_column(a, lo * 64, bk_min(hi * 64, M)); return; }
  if (M == 1) { bk_dgrad_row(a, lo, hi); return; }
  const int64_t blocks = bk_row_blocks(M, count), rows = bk_ceil(M, blocks);
  for (int64_t n0 = 0; n0 < N; n0 += KBLOCK) {
    int64_t nc = bk_min(KBLOCK, N - n0), transposed = -1;
    for (int64_t u = lo; u < hi; u++) {
      int64_t p = u / blocks, m0 = (u % blocks) * rows, k0 = p * BK_PANEL;
      if (p != transposed) {
        bk_transpose_panels(weights, K, k0, n0, nc, w->scratch);
        transposed = p;
      }
      bk_tile t = {.K = nc, .a = dz + m0 * N + n0, .ars = N, .aks = 1, .b = w->scratch, .bks = BK_PANEL,
                   .c = dx + m0 * K + k0, .ldc = K, .nc = bk_min(BK_PANEL, K - k0), .first = n0 == 0,
                   .last = n0 + nc >= N, .y = y ? y + m0 * K + k0 : 0, .ldy = K, .act = (int)a->n[3], .alpha = a->f[0],
                   .scale = a->f[1]};
      bk_rows(t, bk_min(rows, M - m0), EP_DGRAD);
    }
  }
}

/* ---- gradient of the weights: dw[k,n] = sum_m x[m,k] dz[m,n], db[n] = sum_m dz[m,n] ---- */
#define MBLOCK 128           /* rows summed at a time */
#define XBLOCK 192           /* columns of x packed at a time: 96 KiB with MBLOCK rows */

static inline int bk_fits_direct(int64_t M, int64_t columns) { return M <= 4 || M * columns <= 4096; }

static bk_plan plan_dense_wgrad(const bk_args *a) {
  int64_t M = a->n[0], K = a->n[1], N = a->n[2], mb = bk_min(M, MBLOCK);
  int64_t units = N == 1 ? 1 : bk_ceil(N, BK_PANEL);
  return bk_dense_plan(M, K, N, units, 4 * mb * (XBLOCK + BK_MR + BK_PANEL) + 256);
}

/* One column: dw[k] = sum_m x[m,k] dz[m]; runs down the rows with VL * 4 columns of x at a time. */
static void bk_wgrad_column(const bk_args *a) {
  const float *x = a->p[0], *dz = a->p[1];
  float *dw = a->p[2], *db = a->p[3];
  const int64_t M = a->n[0], K = a->n[1];
  for (int64_t k = 0; k < K; k += 4 * VL) {
    vf s[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    const int64_t n = K - k;
    if (n >= 4 * VL) {
      for (int64_t m = 0; m < M; m++) {
        vf d = v_bcast(dz + m);
        BK_UNROLL for (int j = 0; j < 4; j++) s[j] = v_fma(d, v_load(x + m * K + k + j * VL), s[j]);
      }
    } else {
      for (int64_t m = 0; m < M; m++) {
        vf d = v_bcast(dz + m);
        for (int j = 0; j * VL < n; j++) s[j] = v_fma(d, v_load_n(x + m * K + k + j * VL, n - j * VL), s[j]);
      }
    }
    for (int j = 0; j < 4 && j * VL < n; j++) v_store_n(dw + k + j * VL, s[j], n - j * VL);
  }
  if (db) {
    vf s = v_zero();
    for (int64_t m = 0; m < M; m += VL) s = v_add(s, v_load_n(dz + m, M - m));
    db[0] = v_hsum(s);
  }
}

/* Packs rows m0..m0+mc of columns k0..k0+kc of x into tiles [BK_MR columns][mc], the last one narrower. */
static void bk_pack_columns(const float *x, int64_t ld, int64_t m0, int64_t mc, int64_t k0, int64_t kc, float *out) {
  for (int64_t k = 0, pieces = bk_ceil(kc, BK_MR); pieces > 0; pieces--) {
    int64_t mr = bk_ceil(kc - k, pieces);
    const float *s = x + m0 * ld + k0 + k;
    if (mr == 6) {
      for (int64_t m = 0; m < mc; m++, s += ld, out += 6) memcpy(out, s, 24);
    } else {
      for (int64_t m = 0; m < mc; m++, s += ld, out += mr) for (int64_t i = 0; i < mr; i++) out[i] = s[i];
    }
    k += mr;
  }
}

/* Copies 16 columns of dz (zeros past the last) and adds them up. */
static void bk_pack_panel(const float *dz, int64_t N, int64_t n0, int64_t m0, int64_t mc, float *out, float *sum) {
  const int64_t nc = bk_min(BK_PANEL, N - n0);
  vf s[NV];
  BK_UNROLL for (int j = 0; j < NV; j++) s[j] = m0 ? v_load(sum + j * VL) : v_zero();
  for (int64_t m = 0; m < mc; m++) {
    const float *row = dz + (m0 + m) * N + n0;
    BK_UNROLL for (int j = 0; j < NV; j++) {
      vf v = nc == BK_PANEL ? v_load(row + j * VL) : nc > j * VL ? v_load_n(row + j * VL, nc - j * VL) : v_zero();
      v_store(out + m * BK_PANEL + j * VL, v);
      s[j] = v_add(s[j], v);
    }
  }
  BK_UNROLL for (int j = 0; j < NV; j++) v_store(sum + j * VL, s[j]);
}

/* One row: dw = x^T dz, written once. */
static void bk_wgrad_row(const bk_args *a, int64_t p0, int64_t p1) {
  const float *x = a->p[0], *dz = a->p[1];
  float *db = a->p[3];
  const int64_t K = a->n[1], N = a->n[2];
  for (int64_t p = p0; p < p1; p++) {
    float *dw = (float *)a->p[2] + p * K * BK_PANEL;
    vf d[NV];
    BK_UNROLL for (int j = 0; j < NV; j++) {
      int64_t n = N - p * BK_PANEL - j * VL;
      d[j] = n > 0 ? v_load_n(dz + p * BK_PANEL + j * VL, n) : v_zero();
      if (db && n > 0) v_store_n(db + p * BK_PANEL + j * VL, d[j], n);
    }
    for (int64_t k = 0; k < K; k++) {
      vf xv = v_bcast(x + k);
      BK_UNROLL for (int j = 0; j < NV; j++) v_store(dw + k * BK_PANEL + j * VL, v_mul(xv, d[j]));
    }
  }
}

BK_KERNEL(dense_wgrad) {
  const float *x = a->p[0], *dz = a->p[1];
  float *dw = a->p[2], *db = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2];
  if (N == 1) { if (lo < hi) bk_wgrad_column(a); return; }
  if (M == 1) { bk_wgrad_row(a, lo, hi); return; }
  const int direct_x = bk_fits_direct(M, K), direct_z = bk_fits_direct(M, N);
  float *z_scratch = w->scratch, *x_scratch = z_scratch + bk_min(M, MBLOCK) * BK_PANEL;
  for (int64_t m0 = 0; m0 < M; m0 += MBLOCK) {
    const int64_t mc = bk_min(MBLOCK, M - m0), xb = direct_x ? K : XBLOCK;
    for (int64_t k0 = 0; k0 < K; k0 += xb) {
      const int64_t kc = bk_min(xb, K - k0);
      if (!direct_x) bk_pack_columns(x, K, m0, mc, k0, kc, x_scratch);
      for (int64_t p = lo; p < hi; p++) {
        const int64_t n0 = p * BK_PANEL;
        float sum[BK_PANEL];
        if (k0 == 0 && db && m0) for (int i = 0; i < BK_PANEL; i++) sum[i] = n0 + i < N ? db[n0 + i] : 0;
        const int in_place = direct_z && n0 + BK_PANEL <= N;
        if (!in_place || (k0 == 0 && db)) bk_pack_panel(dz, N, n0, m0, mc, z_scratch, sum);
        if (k0 == 0 && db) for (int64_t i = 0; i < bk_min(BK_PANEL, N - n0); i++) db[n0 + i] = sum[i];
        bk_tile t = {.K = mc, .b = in_place ? dz + m0 * N + n0 : z_scratch, .bks = in_place ? N : BK_PANEL,
                     .c = dw + (p * K + k0) * BK_PANEL, .ldc = BK_PANEL, .nc = BK_PANEL, .first = m0 == 0};
        if (direct_x) {
          t.a = x + m0 * K + k0, t.ars = 1, t.aks = K;
          bk_rows(t, kc, EP_PLAIN);
        } else {
          const float *packed = x_scratch;
          for (int64_t k = 0, pieces = bk_ceil(kc, BK_MR); pieces > 0; pieces--) {
            int64_t mr = bk_ceil(kc - k, pieces);
            t.a = packed, t.ars = 1, t.aks = mr;
            bk_tile_table[EP_PLAIN][mr](&t);
            packed += mr * mc, t.c += mr * BK_PANEL, k += mr;
          }
        }
      }
    }
  }
}
#endif
