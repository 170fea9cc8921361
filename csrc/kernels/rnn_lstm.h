/* rnn_lstm.h: z = xp[t] + h U, i f g o its quarters;  c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c').
 * Included by rnn.h. n0 T, n1 B, n2 H everywhere. */

/* One row: z becomes the gates. kept 0: the state stays. */
BK_INLINE void bk_lstm_row(float *z, const float *h, const float *c, float *h1, float *c1, int64_t H, int kept) {
  for (int64_t j = 0; j < H; j += VL) {
    const int64_t n = H - j;
    const vf i = v_sigmoid(v_load_n(z + j, n)), f = v_sigmoid(v_load_n(z + H + j, n));
    const vf g = v_tanh(v_load_n(z + 2 * H + j, n)), o = v_sigmoid(v_load_n(z + 3 * H + j, n));
    const vf before = v_load_n(c + j, n), after = v_fma(f, before, v_mul(i, g));
    v_store_n(z + j, i, n), v_store_n(z + H + j, f, n), v_store_n(z + 2 * H + j, g, n), v_store_n(z + 3 * H + j, o, n);
    v_store_n(c1 + j, kept ? after : before, n);
    v_store_n(h1 + j, kept ? v_mul(o, v_tanh(after)) : v_load_n(h + j, n), n);
  }
}

/* p0 xp[T,B,4H], p1 h0, p2 c0, p3 U panels, p4 i32 mask or NULL, p5 gates[T,B,4H] (xp or not), p6 hs, p7 cs [T+1,B,H] */
static bk_plan plan_lstm(const bk_args *a) { return bk_rnn_plan(a, 4, 0); }

BK_KERNEL(lstm) {
  (void)w;
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2], G = 4 * H;
  const float *xp = a->p[0];
  const int32_t *mask = a->p[4];
  float *gates = a->p[5], *hs = a->p[6], *cs = a->p[7];
  const bk_rnn_product g = {a->p[3], 0, H, G, H * BK_PANEL, 1};
  BK_RNN_EACH_BLOCK(lo, hi, r0, rows) {
    bk_copy_floats(hs + r0 * H, (const float *)a->p[1] + r0 * H, rows * H);
    bk_copy_floats(cs + r0 * H, (const float *)a->p[2] + r0 * H, rows * H);
    for (int64_t t = 0; t < T; t++) {
      float *z = gates + (t * B + r0) * G, *h = hs + (t * B + r0) * H, *c = cs + (t * B + r0) * H;
      if (gates != xp) bk_copy_floats(z, xp + (t * B + r0) * G, rows * G);
      bk_rnn_multiply(&g, h, rows, B, z);
      for (int64_t r = 0; r < rows; r++)
        bk_lstm_row(z + r * G, h + r * H, c + r * H, h + (B + r) * H, c + (B + r) * H, H, !mask || mask[t * B + r0 + r]);
    }
  }
}

/* One row: dh, the gradient of h', and dc become what goes to the step before, but for dz U^T; z may be dz's memory. */
BK_INLINE void bk_lstm_back_row(const float *z, const float *c, const float *dy, float *dz, float *dh, float *dc, int64_t H) {
  const vf one = v_set1(1.0f);
  for (int64_t j = 0; j < H; j += VL) {
    const int64_t n = H - j;
    const vf i = v_load_n(z + j, n), f = v_load_n(z + H + j, n), g = v_load_n(z + 2 * H + j, n), o = v_load_n(z + 3 * H + j, n);
    const vf before = v_load_n(c + j, n), y = v_tanh(v_fma(f, before, v_mul(i, g)));
    vf e = v_load_n(dh + j, n);
    if (dy) e = v_add(e, v_load_n(dy + j, n));
    const vf eo = v_mul(e, o), d = v_add(v_load_n(dc + j, n), v_fnma(v_mul(y, y), eo, eo));
    const vf di = v_mul(d, i), df = v_mul(d, f);
    v_store_n(dz + j, v_mul(v_mul(di, g), v_sub(one, i)), n);
    v_store_n(dz + H + j, v_mul(v_mul(df, before), v_sub(one, f)), n);
    v_store_n(dz + 2 * H + j, v_fnma(v_mul(g, g), di, di), n);
    v_store_n(dz + 3 * H + j, v_mul(v_mul(eo, y), v_sub(one, o)), n);
    v_store_n(dc + j, df, n);
    v_store_n(dh + j, v_zero(), n);
  }
}

/* p0 U^T (transpose_panels), p1 gates, p2 cs, p3 mask, p4 dys, p5 dh, p6 dc (each may be NULL), p7 dxp (gates or not), p8 dh0, p9 dc0 */
static bk_plan plan_lstm_grad(const bk_args *a) { return bk_rnn_plan(a, 4, 0); }

BK_KERNEL(lstm_grad) {
  (void)w;
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2], G = 4 * H;
  const float *gates = a->p[1], *cs = a->p[2], *dys = a->p[4], *dh1 = a->p[5], *dc1 = a->p[6];
  const int32_t *mask = a->p[3];
  float *dxp = a->p[7], *dhs = a->p[8], *dcs = a->p[9];
  const bk_rnn_product g = bk_rnn_back(a, H, G);
  BK_RNN_EACH_BLOCK(lo, hi, r0, rows) {
    float *dh = dhs + r0 * H, *dc = dcs + r0 * H;
    bk_rnn_start(dh, dh1 ? dh1 + r0 * H : 0, rows * H);
    bk_rnn_start(dc, dc1 ? dc1 + r0 * H : 0, rows * H);
    for (int64_t t = T - 1; t >= 0; t--) {
      const int64_t first = t * B + r0;
      for (int64_t r = 0; r < rows; r++) {
        const int64_t at = first + r;
        if (mask && !mask[at]) bk_rnn_masked(dxp + at * G, G, dys ? dys + at * H : 0, dh + r * H, H);
        else bk_lstm_back_row(gates + at * G, cs + at * H, dys ? dys + at * H : 0, dxp + at * G, dh + r * H, dc + r * H, H);
      }
      bk_rnn_multiply(&g, dxp + first * G, rows, B, dh);
    }
  }
}
