/* dense_forward.h: y[m,n] = act(sum_k x[m,k] w[k,n] + bias[n]). Included by dense.h. */

static bk_plan plan_dense_forward(const bk_args *a) {
  int64_t M = a->n[0], K = a->n[1], N = a->n[2], panels = bk_ceil(N, BK_PANEL);
  return bk_dense_plan(M, K, N, N == 1 ? bk_ceil(M, COLUMN_UNIT) : panels * bk_row_blocks(M, panels), 0);
}

/* One column: y[m] = act(x[m,:] . w + bias), VL rows side by side. */
static void bk_forward_column(const bk_args *a, int64_t m0, int64_t m1) {
  const float *x = a->p[0], *w = a->p[1], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t K = a->n[1];
  for (int64_t m = m0; m < m1; m += VL) {
    const int64_t rows = bk_min(VL, m1 - m);
    const float *row[VL];
    vf s[VL];
    for (int q = 0; q < VL; q++) row[q] = x + (m + bk_min(q, rows - 1)) * K, s[q] = v_zero();
    int64_t k = 0;
    for (; k + VL <= K; k += VL) {
      const vf wv = v_load(w + k);
      BK_UNROLL for (int q = 0; q < VL; q++) s[q] = v_fma(v_load(row[q] + k), wv, s[q]);
    }
    if (k < K) {
      const vf wv = v_load_n(w + k, K - k);
      BK_UNROLL for (int q = 0; q < VL; q++) s[q] = v_fma(v_load_n(row[q] + k, K - k), wv, s[q]);
    }
    vf v = v_sum_rows(s);
    if (bias) v = v_add(v, v_set1(bias[0]));
    v_store_n(y + m, bk_activate(v, (int)a->n[3], a->f[0]), rows);
  }
}

/* One row: four chains of k a panel hide the latency of the FMAs; the weights are streamed once. */
static void bk_forward_row(const bk_args *a, int64_t p0, int64_t p1) {
  const float *x = a->p[0], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t K = a->n[1], N = a->n[2];
  for (int64_t p = p0; p < p1; p++) {
    const float *b = (const float *)a->p[1] + p * K * BK_PANEL;
    vf c[4][NV];
    BK_EACH(g, j, 4) c[g][j] = v_zero();
    int64_t k = 0;
    for (; k + 4 <= K; k += 4, b += 4 * BK_PANEL)
      BK_EACH(g, j, 4) c[g][j] = v_fma(v_bcast(x + k + g), v_load(b + g * BK_PANEL + j * VL), c[g][j]);
    for (; k < K; k++, b += BK_PANEL)
      BK_UNROLL for (int j = 0; j < NV; j++) c[0][j] = v_fma(v_bcast(x + k), v_load(b + j * VL), c[0][j]);
    float sums[BK_PANEL];
    BK_UNROLL for (int j = 0; j < NV; j++) v_store(sums + j * VL, v_add(v_add(c[0][j], c[1][j]), v_add(c[2][j], c[3][j])));
    for (int64_t col = p * BK_PANEL, j = 0; j < BK_PANEL && col < N; j += VL, col += VL) {
      vf v = v_load(sums + j);
      if (bias) v = v_add(v, v_load_n(bias + col, N - col));
      v_store_n(y + col, bk_activate(v, (int)a->n[3], a->f[0]), N - col);
    }
  }
}

/* Few rows of few columns; the activation runs over all of them at once. */
static void bk_forward_narrow(const bk_args *a) {
  const float *x = a->p[0], *w = a->p[1], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2], total = M * N;
  const vf start = bias ? v_load_n(bias, N) : v_zero();
  for (int64_t m = 0; m < M; m++, x += K) {
    vf s = start;
    for (int64_t k = 0; k < K; k++) s = v_fma(v_bcast(x + k), v_load(w + k * BK_PANEL), s);
    if (m * N + VL <= total) v_store(y + m * N, s);       /* the lanes past the row belong to rows yet to come */
    else v_store_n(y + m * N, s, N);
  }
  const int act = (int)a->n[3];
  if (act != BK_LINEAR)
    for (int64_t i = 0; i < total; i += VL) v_store_n(y + i, bk_activate(v_load_n(y + i, total - i), act, a->f[0]), total - i);
}

BK_KERNEL(dense_forward) {
  (void)w;
  const float *x = a->p[0], *panels = a->p[1], *bias = a->p[2];
  float *y = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2];
  if (N == 1) { bk_forward_column(a, lo * COLUMN_UNIT, bk_min(hi * COLUMN_UNIT, M)); return; }
  if (M == 1) { bk_forward_row(a, lo, hi); return; }
  if (bk_is_narrow(M, K, N)) { if (lo < hi) bk_forward_narrow(a); return; }
  const bk_grid g = bk_grid_of(M, bk_ceil(N, BK_PANEL), lo, hi);
  const int64_t block = bk_k_block(K);
  float padded[BK_PANEL];
  for (int64_t r = 0; r < g.blocks; r++) {
    const int64_t m0 = r * g.rows, rows = bk_grid_rows(&g, r), p0 = bk_grid_first(&g, r), p1 = bk_grid_end(&g, r);
    if (rows <= 0 || p0 >= p1) continue;
    const bk_split split = bk_split_rows(rows);
    for (int64_t k0 = 0; k0 < K || k0 == 0; k0 += block) {
      bk_tile t = {.K = bk_min(block, K - k0), .ars = K, .aks = 1, .bks = BK_PANEL, .ldc = N,
                   .add = k0 > 0, .act = (int)a->n[3], .alpha = a->f[0]};
      t.fin = k0 + block >= K ? bk_fin_forward(t.act) : FIN_NONE;
      for (int64_t p = p0; p < p1; p++) {
        const int64_t n0 = p * BK_PANEL;
        t.nc = bk_min(BK_PANEL, N - n0);
        t.a = x + m0 * K + k0;
        t.b = panels + (p * K + k0) * BK_PANEL;
        t.c = y + m0 * N + n0;
        t.init = bias && !k0 ? bias + n0 : bk_zeros;
        if (t.init != bk_zeros && t.nc < BK_PANEL) {
          for (int64_t i = 0; i < BK_PANEL; i++) padded[i] = i < t.nc ? bias[n0 + i] : 0.0f;
          t.init = padded;
        }
        bk_strip(&t, split, 0);
      }
    }
  }
}
