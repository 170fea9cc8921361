/* lanes.h: parts of the vocabulary for 4-lane ISAs without masked moves. Included by v2.h and neon.h. */
BK_INLINE vf v_bcast(const float *p) { return v_set1(*p); }
BK_INLINE vf v_load_n(const float *p, int64_t n) {
  if (n >= VL) return v_load(p);
  if (n == 1) return (vf){p[0]};
  if (n == 2) return (vf){p[0], p[1]};
  return n == 3 ? (vf){p[0], p[1], p[2]} : v_zero();
}
BK_INLINE void v_store_n(float *p, vf v, int64_t n) {
  if (n >= VL) { v_store(p, v); return; }
  if (n > 0) p[0] = v[0];
  if (n > 1) p[1] = v[1];
  if (n > 2) p[2] = v[2];
}
/* r = the transpose of VL rows of VL floats. */
BK_INLINE void v_load_transposed(const float *p, int64_t ld, vf r[VL]) {
  BK_UNROLL for (int i = 0; i < VL; i++) r[i] = v_load(p + i * ld);
  v_transpose(r);
}
/* Lane q of the result is the sum of r[q], in a fixed tree. */
BK_INLINE vf v_sum_rows(const vf r[VL]) {
  vf t[VL];
  BK_UNROLL for (int i = 0; i < VL; i++) t[i] = r[i];
  v_transpose(t);
  BK_UNROLL for (int i = 0; i < VL / 2; i++) t[i] = v_add(t[i], t[i + VL / 2]);
  BK_UNROLL for (int i = 0; i < VL / 4; i++) t[i] = v_add(t[i], t[i + VL / 4]);
  return t[0];
}
