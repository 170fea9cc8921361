/* lanes.h: the parts of the vocabulary that ISAs without masked moves share. Included by v2.h, neon.h and avx512.h. */
BK_INLINE vf v_sel(vi m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
BK_INLINE vf v_max(vf a, vf b) { return v_sel((vi)(a > b), a, b); }   /* b where either operand is NaN */
BK_INLINE vf v_min(vf a, vf b) { return v_sel((vi)(a < b), a, b); }
BK_INLINE vf v_bcast(const float *p) { return v_set1(*p); }
BK_INLINE vf v_load_n(const float *p, int64_t n) {
  if (n >= VL) return v_load(p);
  float t[VL] = {0};
  for (int64_t i = 0; i < n; i++) t[i] = p[i];
  return v_load(t);
}
BK_INLINE void v_store_n(float *p, vf v, int64_t n) {
  if (n >= VL) { v_store(p, v); return; }
  float t[VL];
  v_store(t, v);
  for (int64_t i = 0; i < n; i++) p[i] = t[i];
}
BK_INLINE void v_transpose(vf r[VL]) {
  float t[VL][VL];
  for (int i = 0; i < VL; i++) v_store(t[i], r[i]);
  for (int i = 0; i < VL; i++) for (int j = 0; j < VL; j++) r[i][j] = t[j][i];
}
