/* rnn_simple.h: h' = f(xp[t] + h U), f one of enum bk_act. Included by rnn.h. n0 T, n1 B, n2 H, n3 act; f0 alpha. */

/* p0 xp[T,B,H], p1 h0, p2 U panels, p3 i32 mask or NULL, p4 hs[T+1,B,H] */
static bk_plan plan_simple_rnn(const bk_args *a) { return bk_rnn_plan(a, 1, 0); }

BK_KERNEL(simple_rnn) {
  (void)w;
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2];
  const float *xp = a->p[0];
  const int32_t *mask = a->p[3];
  float *hs = a->p[4];
  const bk_rnn_product g = {a->p[2], 0, H, H, H * BK_PANEL, 1};
  BK_RNN_EACH_BLOCK(lo, hi, r0, rows) {
    bk_copy_floats(hs + r0 * H, (const float *)a->p[1] + r0 * H, rows * H);
    for (int64_t t = 0; t < T; t++) {
      float *h = hs + (t * B + r0) * H, *next = h + B * H;
      bk_copy_floats(next, xp + (t * B + r0) * H, rows * H);
      bk_rnn_multiply(&g, h, rows, B, next);
      for (int64_t i = 0, n = rows * H; i < n; i += VL)
        v_store_n(next + i, bk_activate(v_load_n(next + i, n - i), (int)a->n[3], a->f[0]), n - i);
      for (int64_t r = 0; mask && r < rows; r++)
        if (!mask[t * B + r0 + r]) bk_copy_floats(next + r * H, h + r * H, H);
    }
  }
}

/* p0 U^T (transpose_panels), p1 ys, p2 mask, p3 dys, p4 dh (each may be NULL), p5 dxp, p6 dh0 */
static bk_plan plan_simple_rnn_grad(const bk_args *a) { return bk_rnn_plan(a, 1, 0); }

BK_KERNEL(simple_rnn_grad) {
  (void)w;
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2];
  const float *ys = a->p[1], *dys = a->p[3], *dh1 = a->p[4];
  const int32_t *mask = a->p[2];
  float *dxp = a->p[5], *dhs = a->p[6];
  const bk_rnn_product g = bk_rnn_back(a, H, H);
  BK_RNN_EACH_BLOCK(lo, hi, r0, rows) {
    float *dh = dhs + r0 * H;
    bk_rnn_start(dh, dh1 ? dh1 + r0 * H : 0, rows * H);
    for (int64_t t = T - 1; t >= 0; t--) {
      for (int64_t r = 0, at = t * B + r0; r < rows; r++, at++) {
        float *d = dh + r * H, *dz = dxp + at * H;
        const float *dy = dys ? dys + at * H : 0, *y = ys + at * H;
        if (mask && !mask[at]) { bk_rnn_masked(dz, H, dy, d, H); continue; }
        for (int64_t j = 0; j < H; j += VL) {
          const int64_t n = H - j;
          vf e = v_load_n(d + j, n);
          if (dy) e = v_add(e, v_load_n(dy + j, n));
          v_store_n(dz + j, bk_act_slope(e, v_load_n(y + j, n), (int)a->n[3], a->f[0]), n);
          v_store_n(d + j, v_zero(), n);
        }
      }
      bk_rnn_multiply(&g, dxp + (t * B + r0) * H, rows, B, dh);
    }
  }
}
