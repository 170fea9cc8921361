/* rnn_gru.h: s = h U + b;  z, r = sigmoid(xp[t] + s) of the first two thirds;  n = tanh(xp_n + r s_n);  h' = z h + (1 - z) n.
 * Included by rnn.h. n0 T, n1 B, n2 H everywhere. */

/* One row: x becomes the gates z r n in `out`, s_n goes to `inner`. */
BK_INLINE void bk_gru_row(const float *x, const float *s, const float *h, float *out, float *inner, float *h1, int64_t H, int kept) {
  for (int64_t j = 0; j < H; j += VL) {
    const int64_t n = H - j;
    const vf z = v_sigmoid(v_add(v_load_n(x + j, n), v_load_n(s + j, n)));
    const vf r = v_sigmoid(v_add(v_load_n(x + H + j, n), v_load_n(s + H + j, n))), sn = v_load_n(s + 2 * H + j, n);
    const vf m = v_tanh(v_fma(r, sn, v_load_n(x + 2 * H + j, n))), before = v_load_n(h + j, n);
    v_store_n(out + j, z, n), v_store_n(out + H + j, r, n), v_store_n(out + 2 * H + j, m, n);
    v_store_n(inner + j, sn, n);
    v_store_n(h1 + j, kept ? v_fma(z, v_sub(before, m), m) : before, n);
  }
}

/* p0 xp[T,B,3H], p1 h0, p2 U panels, p3 b[3H], p4 i32 mask or NULL, p5 gates[T,B,3H] (xp or not), p6 inner[T,B,H], p7 hs[T+1,B,H] */
static bk_plan plan_gru(const bk_args *a) { return bk_rnn_plan(a, 3, 3 * a->n[2]); }

BK_KERNEL(gru) {
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2], G = 3 * H;
  const float *xp = a->p[0];
  const int32_t *mask = a->p[4];
  float *gates = a->p[5], *inner = a->p[6], *hs = a->p[7], *s = w->scratch;
  const bk_rnn_product g = {a->p[2], a->p[3], H, G, H * BK_PANEL, 0};
  BK_RNN_EACH_BLOCK(lo, hi, r0, rows) {
    bk_copy_floats(hs + r0 * H, (const float *)a->p[1] + r0 * H, rows * H);
    for (int64_t t = 0; t < T; t++) {
      float *h = hs + (t * B + r0) * H;
      bk_rnn_multiply(&g, h, rows, B, s);
      for (int64_t r = 0, at = t * B + r0; r < rows; r++, at++)
        bk_gru_row(xp + at * G, s + r * G, h + r * H, gates + at * G, inner + at * H, h + (B + r) * H, H, !mask || mask[at]);
    }
  }
}

/* One row: dh, the gradient of h', becomes what goes to the step before, but for ds U^T; x's gates may be dx's memory. */
BK_INLINE void bk_gru_back_row(const float *x, const float *inner, const float *h, const float *dy, float *dx, float *ds, float *dh,
                               int64_t H) {
  const vf one = v_set1(1.0f);
  for (int64_t j = 0; j < H; j += VL) {
    const int64_t n = H - j;
    const vf z = v_load_n(x + j, n), r = v_load_n(x + H + j, n), m = v_load_n(x + 2 * H + j, n);
    vf e = v_load_n(dh + j, n);
    if (dy) e = v_add(e, v_load_n(dy + j, n));
    const vf ez = v_mul(e, z), dm = v_mul(v_sub(e, ez), v_fnma(m, m, one)), dmr = v_mul(dm, r);
    const vf dz = v_mul(v_mul(ez, v_sub(v_load_n(h + j, n), m)), v_sub(one, z));
    const vf dr = v_mul(v_mul(dmr, v_load_n(inner + j, n)), v_sub(one, r));
    v_store_n(dx + j, dz, n), v_store_n(dx + H + j, dr, n), v_store_n(dx + 2 * H + j, dm, n);
    v_store_n(ds + j, dz, n), v_store_n(ds + H + j, dr, n), v_store_n(ds + 2 * H + j, dmr, n);
    v_store_n(dh + j, ez, n);
  }
}

/* p0 U^T (transpose_panels), p1 gates, p2 inner, p3 hs, p4 mask, p5 dys, p6 dh (each may be NULL), p7 dxp (gates or not), p8 ds, p9 dh0 */
static bk_plan plan_gru_grad(const bk_args *a) { return bk_rnn_plan(a, 3, 0); }

BK_KERNEL(gru_grad) {
  (void)w;
  const int64_t T = a->n[0], B = a->n[1], H = a->n[2], G = 3 * H;
  const float *gates = a->p[1], *inner = a->p[2], *hs = a->p[3], *dys = a->p[5], *dh1 = a->p[6];
  const int32_t *mask = a->p[4];
  float *dxp = a->p[7], *ds = a->p[8], *dhs = a->p[9];
  const bk_rnn_product g = bk_rnn_back(a, H, G);
  BK_RNN_EACH_BLOCK(lo, hi, r0, rows) {
    float *dh = dhs + r0 * H;
    bk_rnn_start(dh, dh1 ? dh1 + r0 * H : 0, rows * H);
    for (int64_t t = T - 1; t >= 0; t--) {
      for (int64_t r = 0, at = t * B + r0; r < rows; r++, at++) {
        const float *dy = dys ? dys + at * H : 0;
        if (mask && !mask[at]) {
          bk_rnn_masked(dxp + at * G, G, dy, dh + r * H, H);
          memset(ds + at * G, 0, (size_t)(4 * G));
        } else {
          bk_gru_back_row(gates + at * G, inner + at * H, hs + at * H, dy, dxp + at * G, ds + at * G, dh + r * H, H);
        }
      }
      bk_rnn_multiply(&g, ds + (t * B + r0) * G, rows, B, dh);
    }
  }
}
