/* dense_dgrad.h: gradient of a dense layer's input, dx[m,k] = scale f'(y[m,k]) sum_n dz[m,n] w[k,n]; f' of the layer
 * below, from its stored output y, or 1 where y is NULL. Included by dense.h. */

static bk_plan plan_dense_dgrad(const bk_args *a) {
  int64_t M = a->n[0], K = a->n[1], N = a->n[2], panels = bk_ceil(K, BK_PANEL);
  int64_t units = N == 1 ? bk_ceil(M, COLUMN_UNIT) : panels * (M == 1 ? 1 : bk_row_blocks(M, panels));
  return bk_dense_plan(M, K, N, units, 4 * BK_PANEL * bk_k_block(N));
}

/* out[n][16] = w[k0..k0+15, n0..n0+nc)^T; rows of w past K are zero. The 1 KiB pieces of w lie far apart, one a panel,
 * which no hardware prefetcher follows: fetch the one after next. */
static void bk_transpose_panels(const float *w, int64_t K, int64_t k0, int64_t n0, int64_t nc, float *out) {
  const int64_t rows = bk_min(BK_PANEL, K - k0);
  for (int64_t n = 0; n < nc; n += BK_PANEL, out += BK_PANEL * BK_PANEL) {
    const float *panel = w + ((n0 + n) / BK_PANEL * K + k0) * BK_PANEL;
    if (n + 2 * BK_PANEL < nc)
      for (int q = 0; q < BK_PANEL; q++) __builtin_prefetch(panel + (2 * K + q) * BK_PANEL);
    for (int i = 0; i < BK_PANEL; i += VL) {
      for (int j = 0; j < BK_PANEL; j += VL) {
        vf r[VL];
        if (i + VL <= rows) v_load_transposed(panel + i * BK_PANEL + j, BK_PANEL, r);
        else {
          BK_UNROLL for (int q = 0; q < VL; q++) r[q] = i + q < rows ? v_load(panel + (i + q) * BK_PANEL + j) : v_zero();
          v_transpose(r);
        }
        BK_UNROLL for (int q = 0; q < VL; q++) v_store(out + (j + q) * BK_PANEL + i, r[q]);
      }
    }
  }
}

/* ---- the whole transpose, where more than a few strips read it: p0 panels of w[n0,n1], p1 panels of w^T, each ceil16(n1)
 * rows; a unit is a panel of p1 ---- */
BK_INLINE int64_t bk_transposed_stride(int64_t N) { return bk_ceil(N, BK_PANEL) * BK_PANEL * BK_PANEL; }
static bk_plan plan_transpose_panels(const bk_args *a) {
  bk_plan p = {bk_ceil(a->n[0], BK_PANEL), 0, 0, 8.0 * (double)(a->n[0] * a->n[1])};
  return p;
}
BK_KERNEL(transpose_panels) {
  (void)w;
  const int64_t K = a->n[0], N = a->n[1], stride = bk_transposed_stride(N);
  for (int64_t p = lo; p < hi; p++) bk_transpose_panels(a->p[0], K, p * BK_PANEL, 0, N, (float *)a->p[1] + p * stride);
}

/* One column of w: dx[m,k] = dz[m] w[k], an outer product. */
BK_INLINE void bk_dgrad_column(const bk_args *a, int64_t m0, int64_t m1, const int act) {
  const float *dz = a->p[0], *w = a->p[1], *y = a->p[2];
  float *dx = a->p[3];
  const int64_t K = a->n[1];
  for (int64_t m = m0; m < m1; m++) {
    const vf d = v_set1(dz[m] * a->f[1]);
    int64_t k = 0;
    for (; k + VL <= K; k += VL) {
      vf v = v_mul(d, v_load(w + k));
      if (act != BK_LINEAR) v = bk_act_slope(v, v_load(y + m * K + k), act, a->f[0]);
      v_store(dx + m * K + k, v);
    }
    if (k < K) {
      vf v = v_mul(d, v_load_n(w + k, K - k));
      if (act != BK_LINEAR) v = bk_act_slope(v, v_load_n(y + m * K + k, K - k), act, a->f[0]);
      v_store_n(dx + m * K + k, v, K - k);
    }
  }
}

/* One row: dx[k] = dz . w[k,:]. The weights are streamed once, in place, in runs of ROW_CHUNK rows of a panel, which
 * hardware prefetchers follow; a vector of partial sums for each k stays in an L1 cache. */
#define ROW_CHUNK 128

static void bk_dgrad_row(const bk_args *a, int64_t first, int64_t end) {
  const float *dz = a->p[0], *y = a->p[2];
  float *dx = a->p[3];
  const int64_t K = a->n[1], N = a->n[2];
  vf s[ROW_CHUNK];
  for (int64_t k0 = first; k0 < end; k0 += ROW_CHUNK) {
    const int64_t rows = bk_min(ROW_CHUNK, end - k0);
    for (int64_t q = 0; q < bk_ceil(rows, VL) * VL; q++) s[q] = v_zero();
    for (int64_t n = 0; n < N; n += BK_PANEL) {
      const float *row = (const float *)a->p[1] + (n / BK_PANEL * K + k0) * BK_PANEL;
      vf d[NV];
      BK_UNROLL for (int j = 0; j < NV; j++) d[j] = n + j * VL < N ? v_load_n(dz + n + j * VL, N - n - j * VL) : v_zero();
      for (int64_t q = 0; q < rows; q++, row += BK_PANEL)
        BK_UNROLL for (int j = 0; j < NV; j++) s[q] = v_fma(d[j], v_load(row + j * VL), s[q]);
    }
    for (int64_t q = 0; q < rows; q += VL) {
      const int64_t left = rows - q;
      vf v = v_sum_rows(s + q);
      if (y) v = bk_act_slope(v, v_load_n(y + k0 + q, left), (int)a->n[3], a->f[0]);
      v_store_n(dx + k0 + q, v_mul(v, v_set1(a->f[1])), left);
    }
  }
}

BK_KERNEL(dense_dgrad) {
  const float *dz = a->p[0], *weights = a->p[1], *y = a->p[2], *transposed = a->p[4];
  float *dx = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2];
  const int act = y ? (int)a->n[3] : BK_LINEAR;
  if (N == 1) {
    const int64_t m0 = lo * COLUMN_UNIT, m1 = bk_min(hi * COLUMN_UNIT, M);
    if (act == BK_LINEAR) bk_dgrad_column(a, m0, m1, BK_LINEAR);
    else if (act == BK_RELU) bk_dgrad_column(a, m0, m1, BK_RELU);
    else bk_dgrad_column(a, m0, m1, act);
    return;
  }
  if (M == 1) { bk_dgrad_row(a, lo * BK_PANEL, bk_min(hi * BK_PANEL, K)); return; }
  const bk_grid g = bk_grid_of(M, bk_ceil(K, BK_PANEL), lo, hi);
  const int64_t block = bk_k_block(N);
  for (int64_t r = 0; r < g.blocks; r++) {
    const int64_t m0 = r * g.rows, rows = bk_grid_rows(&g, r), p0 = bk_grid_first(&g, r), p1 = bk_grid_end(&g, r);
    if (rows <= 0 || p0 >= p1) continue;
    const bk_split split = bk_split_rows(rows);
    for (int64_t n0 = 0; n0 < N; n0 += block) {
      const int last = n0 + block >= N;
      bk_tile t = {.K = bk_min(block, N - n0), .ars = N, .aks = 1, .b = w->scratch, .bks = BK_PANEL,
                   .ldc = K, .init = bk_zeros, .add = n0 > 0, .act = act, .alpha = a->f[0], .scale = a->f[1]};
      t.fin = last ? bk_fin_slope(y, act, t.scale) : FIN_NONE;
      for (int64_t p = p0; p < p1; p++) {
        const int64_t k0 = p * BK_PANEL;
        if (transposed) t.b = transposed + p * bk_transposed_stride(N) + n0 * BK_PANEL;
        else bk_transpose_panels(weights, K, k0, n0, t.K, w->scratch);
        t.a = dz + m0 * N + n0;
        t.nc = bk_min(BK_PANEL, K - k0);
        t.c = dx + m0 * K + k0;
        if (t.fin == FIN_RELU_SLOPE || t.fin == FIN_SLOPE) t.y = y + m0 * K + k0, t.ldy = K;
        bk_strip(&t, split, 0);
      }
    }
  }
}
