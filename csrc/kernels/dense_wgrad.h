/* dense_wgrad.h: gradients of a dense layer's weights, dw[k,n] = sum_m x[m,k] dz[m,n], and bias, db[n] = sum_m dz[m,n].
 * Included by dense.h.
 *
 * Both operands run down memory along the sum, so a tile could read them in place; blocks of MBLOCK rows are packed
 * where that costs less than walking strided columns again and again.
 */
#define MBLOCK 256           /* rows summed at a time */
#define NGROUP 32            /* panels of dz packed at a time */

/* In place: where x is small enough to stay in an L1 cache whatever its stride, or is walked once or twice only. */
static inline int bk_wgrad_direct_x(int64_t M, int64_t K, int64_t panels) { return M * K <= 4096 || M <= 4 || panels <= 2; }
static inline int bk_wgrad_direct_z(int64_t M, int64_t N, int64_t p) {
  return (M * N <= 4096 || M <= 4) && (p + 1) * BK_PANEL <= N;
}

static bk_plan plan_dense_wgrad(const bk_args *a) {
  int64_t M = a->n[0], K = bk_max(a->n[1], a->n[3]), N = a->n[2], mb = bk_min(M, MBLOCK), panels = bk_ceil(N, BK_PANEL);
  if (N == 1) return bk_dense_plan(M, K, N, bk_ceil(K, COLUMN_UNIT), 0);
  if (M == 1) return bk_dense_plan(M, K, N, panels, 0);
  int64_t scratch = mb * bk_min(panels, NGROUP) * BK_PANEL;
  if (!bk_wgrad_direct_x(M, K, panels)) scratch += bk_packed_size(bk_min(K, STRIP), mb);
  return bk_dense_plan(M, a->n[1] + a->n[3], N, panels * bk_row_blocks(K, panels), 4 * scratch);
}

/* One column: dw[k] = sum_m x[m,k] dz[m]; runs down the rows with 4 VL columns of x at a time. */
static void bk_wgrad_column(const bk_args *a, int64_t first, int64_t end) {
  const float *x = a->p[0], *dz = a->p[1];
  float *dw = a->p[2], *db = a->p[3];
  const int64_t M = a->n[0], K = a->n[1];
  int64_t k = first;
  for (; k + 4 * VL <= end; k += 4 * VL) {
    vf s[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    for (int64_t m = 0; m < M; m++) {
      const vf d = v_bcast(dz + m);
      BK_UNROLL for (int j = 0; j < 4; j++) s[j] = v_fma(d, v_load(x + m * K + k + j * VL), s[j]);
    }
    BK_UNROLL for (int j = 0; j < 4; j++) v_store(dw + k + j * VL, s[j]);
  }
  for (; k < end; k += VL) {
    vf s = v_zero();
    for (int64_t m = 0; m < M; m++) s = v_fma(v_bcast(dz + m), v_load_n(x + m * K + k, end - k), s);
    v_store_n(dw + k, s, end - k);
  }
  if (db && first == 0) {
    vf s = v_zero();
    for (int64_t m = 0; m < M; m += VL) s = v_add(s, v_load_n(dz + m, M - m));
    db[0] = v_hsum(s);
  }
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
      const int64_t n = N - p * BK_PANEL - j * VL;
      d[j] = n > 0 ? v_load_n(dz + p * BK_PANEL + j * VL, n) : v_zero();
      if (db && n > 0) v_store_n(db + p * BK_PANEL + j * VL, d[j], n);
    }
    for (int64_t k = 0; k < K; k++) {
      const vf xv = v_bcast(x + k);
      BK_UNROLL for (int j = 0; j < NV; j++) v_store(dw + k * BK_PANEL + j * VL, v_mul(xv, d[j]));
    }
  }
}

/* Copies mc rows of nc columns of dz into a panel, zeros past them. */
BK_INLINE void bk_pack_dz(const float *dz, int64_t ld, int64_t mc, int64_t nc, float *out) {
  for (int64_t m = 0; m < mc; m++, dz += ld, out += BK_PANEL) {
    BK_UNROLL for (int j = 0; j < NV; j++) {
      vf v = nc == BK_PANEL ? v_load(dz + j * VL) : nc > j * VL ? v_load_n(dz + j * VL, nc - j * VL) : v_zero();
      v_store(out + j * VL, v);
    }
  }
}

/* Panels [q0, q1) of rows [m0, m0 + mc) of dz, those that are not read in place. A few rows go through all panels before the next
 * few: they are read along memory, and by whole pages. */
#define PACK_ROWS 8
static void bk_pack_panels(const bk_args *a, int64_t m0, int64_t mc, int64_t q0, int64_t q1, float *z) {
  const int64_t M = a->n[0], N = a->n[2];
  const float *dz = (const float *)a->p[1] + m0 * N;
  for (int64_t m = 0; m < mc; m += PACK_ROWS) {
    for (int64_t p = q0; p < q1; p++) {
      if (bk_wgrad_direct_z(M, N, p)) continue;
      const int64_t n0 = p * BK_PANEL;
      bk_pack_dz(dz + m * N + n0, N, bk_min(PACK_ROWS, mc - m), bk_min(BK_PANEL, N - n0), z + ((p - q0) * mc + m) * BK_PANEL);
    }
  }
}

/* db[0..nc) (+)= column sums of a panel with row stride ld. */
static void bk_bias_grad(const float *panel, int64_t ld, int64_t mc, int64_t nc, int add, float *db) {
  vf s[2][NV];
  BK_EACH(i, j, 2) s[i][j] = v_zero();
  int64_t m = 0;
  for (; m + 2 <= mc; m += 2, panel += 2 * ld) BK_EACH(i, j, 2) s[i][j] = v_add(s[i][j], v_load(panel + i * ld + j * VL));
  if (m < mc) BK_UNROLL for (int j = 0; j < NV; j++) s[0][j] = v_add(s[0][j], v_load(panel + j * VL));
  BK_UNROLL for (int j = 0; j < NV; j++) {
    const int64_t n = nc - j * VL;
    if (n > 0) v_store_n(db + j * VL, v_add(add ? v_load_n(db + j * VL, n) : v_zero(), v_add(s[0][j], s[1][j])), n);
  }
}

/* The weights of block r of the grid in panels [p0, p1), summed over rows [m0, m0 + mc). z holds packed panels from q0 on. */
static void bk_wgrad_block(const bk_args *a, const bk_grid *g, int64_t r, int64_t m0, int64_t mc, int64_t p0, int64_t p1,
                           const float *z, int64_t q0, float *packed_x) {
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2], k0 = r * g->rows, rows = bk_grid_rows(g, r);
  const float *x = (const float *)a->p[0] + m0 * K + k0, *dz = (const float *)a->p[1] + m0 * N;
  p0 = bk_max(p0, bk_grid_first(g, r)), p1 = bk_min(p1, bk_grid_end(g, r));
  if (rows <= 0 || p0 >= p1) return;
  const bk_split split = bk_split_rows(rows);
  if (packed_x) bk_pack_down(x, K, mc, split, packed_x);
  bk_tile t = {.K = mc, .ars = 1, .aks = K, .ldc = BK_PANEL, .nc = BK_PANEL, .init = bk_zeros,
               .add = m0 > 0};
  for (int64_t p = p0; p < p1; p++) {
    const int in_place = bk_wgrad_direct_z(M, N, p);
    t.a = packed_x ? packed_x : x;
    t.b = in_place ? dz + p * BK_PANEL : z + (p - q0) * mc * BK_PANEL;
    t.bks = in_place ? N : BK_PANEL;
    t.c = (float *)a->p[2] + (p * K + k0) * BK_PANEL;
    bk_strip(&t, split, packed_x != 0);
  }
}

/* Few rows of few columns. */
static void bk_wgrad_narrow(const bk_args *a) {
  const float *x = a->p[0], *dz = a->p[1];
  float *dw = a->p[2], *db = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2];
  vf z[32], sum = v_zero();
  for (int64_t m = 0; m < M; m++) sum = v_add(sum, z[m] = v_load_n(dz + m * N, N));   /* zeros past the row */
  for (int64_t k = 0; k < K; k++, dw += BK_PANEL) {
    vf s = v_zero();
    for (int64_t m = 0; m < M; m++) s = v_fma(v_bcast(x + m * K + k), z[m], s);
    v_store(dw, s);
    BK_UNROLL for (int j = 1; j < NV; j++) v_store(dw + j * VL, v_zero());
  }
  if (db) v_store_n(db, sum, N);
}

/* Another x of the same dz, which is packed but once: few columns and many panels, so that units are panels for both. */
static bk_args bk_wgrad_second(const bk_args *a) {
  bk_args b = *a;
  b.p[0] = a->p[4], b.p[2] = a->p[5], b.n[1] = a->n[3];
  return b;
}

BK_KERNEL(dense_wgrad) {
  const float *dz = a->p[1];
  float *db = a->p[3];
  const int64_t M = a->n[0], K = a->n[1], N = a->n[2], panels = bk_ceil(N, BK_PANEL);
  if (N == 1) { bk_wgrad_column(a, lo * COLUMN_UNIT, bk_min(hi * COLUMN_UNIT, K)); return; }
  if (M == 1) { bk_wgrad_row(a, lo, hi); return; }
  if (bk_is_narrow(M, K, N)) { if (lo < hi) bk_wgrad_narrow(a); return; }
  const bk_grid g = bk_grid_of(K, panels, lo, hi);
  float *z = w->scratch, *packed_x = z + bk_min(M, MBLOCK) * bk_min(panels, NGROUP) * BK_PANEL;
  if (bk_wgrad_direct_x(M, K, panels)) packed_x = 0;
  const bk_args second = bk_wgrad_second(a);
  const bk_grid g2 = bk_grid_of(second.n[1], panels, lo, hi);
  for (int64_t m0 = 0; m0 < M; m0 += MBLOCK) {
    const int64_t mc = bk_min(MBLOCK, M - m0), end = g.blocks == 1 ? g.hi : bk_ceil(g.hi, g.blocks);
    for (int64_t q0 = g.blocks == 1 ? g.lo : g.lo / g.blocks; q0 < end; q0 += NGROUP) {
      const int64_t q1 = bk_min(q0 + NGROUP, end);
      bk_pack_panels(a, m0, mc, q0, q1, z);
      for (int64_t p = q0; p < q1; p++) {
        const int64_t n0 = p * BK_PANEL, nc = bk_min(BK_PANEL, N - n0);
        const int in_place = bk_wgrad_direct_z(M, N, p);
        const float *panel = in_place ? dz + m0 * N + n0 : z + (p - q0) * mc * BK_PANEL;
        if (db && p * g.blocks >= g.lo && p * g.blocks < g.hi)     /* by the unit of the panel's first block */
          bk_bias_grad(panel, in_place ? N : BK_PANEL, mc, nc, m0 > 0, db + n0);
      }
      for (int64_t r = 0; r < g.blocks; r++) bk_wgrad_block(a, &g, r, m0, mc, q0, q1, z, q0, packed_x);
      if (a->n[3]) bk_wgrad_block(&second, &g2, 0, m0, mc, q0, q1, z, q0, packed_x);
    }
  }
}
