/* data.h: moving data: batches in, results out, strided copies, casts, panels. */
#ifndef BRISKNET_DATA_H
#define BRISKNET_DATA_H
#include "core/kernel.h"

/* Reads element i of an array of any dtype. */
BK_INLINE double bk_read(const void *base, int dtype, int64_t i) {
  switch (dtype) {
    case BK_F32: return ((const float *)base)[i];
    case BK_F64: return ((const double *)base)[i];
    case BK_I32: return ((const int32_t *)base)[i];
    case BK_I64: return (double)((const int64_t *)base)[i];
    case BK_U8: case BK_BOOL: return ((const uint8_t *)base)[i];
    case BK_I8: return ((const int8_t *)base)[i];
    case BK_U16: return ((const uint16_t *)base)[i];
    case BK_I16: return ((const int16_t *)base)[i];
    case BK_U32: return ((const uint32_t *)base)[i];
    case BK_U64: return (double)((const uint64_t *)base)[i];
    default: return 0;
  }
}

/* IEEE half to float. */
BK_INLINE float bk_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 0x3ff, bits;
  if (e == 31) bits = sign | 0x7f800000 | m << 13;
  else if (e) bits = sign | (e + 112) << 23 | m << 13;
  else { float f = (float)m * 5.9604644775390625e-08f; return sign ? -f : f; }
  float f;
  memcpy(&f, &bits, 4);
  return f;
}

#define BK_CONVERT_ROW(type, out_type) do { const type *s = (const type *)base + at; \
  for (int64_t i = 0; i < n; i++) ((out_type *)out)[i] = (out_type)s[i]; } while (0)
#define BK_CONVERT(out_type) switch (dtype) { \
    case BK_F32: BK_CONVERT_ROW(float, out_type); break;    case BK_F64: BK_CONVERT_ROW(double, out_type); break; \
    case BK_I32: BK_CONVERT_ROW(int32_t, out_type); break;  case BK_I64: BK_CONVERT_ROW(int64_t, out_type); break; \
    case BK_U8: case BK_BOOL: BK_CONVERT_ROW(uint8_t, out_type); break; \
    case BK_I8: BK_CONVERT_ROW(int8_t, out_type); break;    case BK_U16: BK_CONVERT_ROW(uint16_t, out_type); break; \
    case BK_I16: BK_CONVERT_ROW(int16_t, out_type); break;  case BK_U32: BK_CONVERT_ROW(uint32_t, out_type); break; \
    case BK_U64: BK_CONVERT_ROW(uint64_t, out_type); break; \
    case BK_F16: for (int64_t i = 0; i < n; i++) ((out_type *)out)[i] = (out_type)bk_half(((const uint16_t *)base)[at + i]); break; \
  }

static void bk_to_f32(const void *base, int dtype, int64_t at, int64_t n, float *out) { BK_CONVERT(float) }
static void bk_to_i32(const void *base, int dtype, int64_t at, int64_t n, int32_t *out) { BK_CONVERT(int32_t) }

BK_INLINE void bk_copy_row(float *out, const float *in, int64_t n) {
  if (n == 1) { *out = *in; return; }
  if (n > 64) { memcpy(out, in, 4 * (size_t)n); return; }
  int64_t i = 0;
  for (; i + VL <= n; i += VL) v_store(out + i, v_load(in + i));
  if (i < n) v_store_n(out + i, v_load_n(in + i, n - i), n - i);
}

BK_KERNEL(gather) {
  const bk_batch *b = w->batch;
  const bk_feed feed = b->feed[a->n[2]];
  const int64_t cols = a->n[1];
  float *out = a->p[0];
  const uint32_t *index = b->index ? b->index + b->row : 0;
  if (feed.dtype == (a->n[3] ? BK_I32 : BK_F32)) {
    const float *in = feed.base;
    if (!index) memcpy(out + lo * cols, in + (b->row + lo) * cols, 4 * (size_t)((hi - lo) * cols));
    else if (cols == 1) for (int64_t r = lo; r < hi; r++) out[r] = in[index[r]];
    else if (cols <= VL) for (int64_t r = lo; r < hi; r++) v_store_n(out + r * cols, v_load_n(in + index[r] * cols, cols), cols);
    else for (int64_t r = lo; r < hi; r++) bk_copy_row(out + r * cols, in + index[r] * cols, cols);
    return;
  }
  for (int64_t r = lo; r < hi; r++) {
    const int64_t row = index ? index[r] : b->row + r;
    if (a->n[3]) bk_to_i32(feed.base, feed.dtype, row * cols, cols, (int32_t *)out + r * cols);
    else bk_to_f32(feed.base, feed.dtype, row * cols, cols, out + r * cols);
  }
}

BK_KERNEL(fetch) {
  const int64_t cols = a->n[1];
  float *out = w->batch->fetch[a->n[2]];
  memcpy(out + (w->batch->row + lo) * cols, (const float *)a->p[0] + lo * cols, 4 * (size_t)((hi - lo) * cols));
}

static bk_plan plan_copy_strided(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[1] * a->n[2] * a->n[3]);
  bk_plan p = {a->n[0] * a->n[1], 0, n, 8 * n};
  return p;
}

BK_KERNEL(copy_strided) {
  const int64_t *d = a->n, *si = a->n + 4, *so = a->n + 8;
  for (int64_t u = lo; u < hi; u++) {
    const float *in = (const float *)a->p[0] + u / d[1] * si[0] + u % d[1] * si[1];
    float *out = (float *)a->p[1] + u / d[1] * so[0] + u % d[1] * so[1];
    for (int64_t i = 0; i < d[2]; i++, in += si[2], out += so[2]) {
      if (si[3] == 1 && so[3] == 1) memcpy(out, in, 4 * (size_t)d[3]);
      else for (int64_t j = 0; j < d[3]; j++) out[j * so[3]] = in[j * si[3]];
    }
  }
}

BK_KERNEL(copy_bytes) {
  (void)w;
  if (lo < hi) memcpy(a->p[1], a->p[0], (size_t)a->n[0]);
}

BK_KERNEL(fill) {
  (void)w;
  BK_SPAN(a, lo, hi, i0, i1);
  float *out = a->p[0];
  for (int64_t i = i0; i < i1; i++) out[i] = a->f[0];
}

BK_KERNEL(cast) {
  (void)w;
  BK_SPAN(a, lo, hi, i0, i1);
  const int from = (int)a->n[1], to = (int)a->n[2];
  const void *in = a->p[0];
  /* booleans are int32 inside a program */
  for (int64_t i = i0; i < i1; i++) {
    double v = bk_read(in, from == BK_BOOL ? BK_I32 : from, i);
    switch (to) {
      case BK_F32: ((float *)a->p[1])[i] = (float)v; break;
      case BK_F64: ((double *)a->p[1])[i] = v; break;
      case BK_I64: ((int64_t *)a->p[1])[i] = (int64_t)v; break;
      case BK_BOOL: ((int32_t *)a->p[1])[i] = v != 0; break;
      default: ((int32_t *)a->p[1])[i] = (int32_t)v; break;
    }
  }
}

BK_KERNEL(one_hot) {
  (void)w;
  const int32_t *index = a->p[0];
  const int64_t depth = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    float *out = (float *)a->p[1] + r * depth;
    memset(out, 0, 4 * (size_t)depth);
    if (index[r] >= 0 && index[r] < depth) out[index[r]] = 1.0f;
  }
}

/* ---- panels: w[K,N] <-> [ceil(N/16)][K][16]; a unit is one panel ---- */
static bk_plan bk_panel_plan(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[1]);
  bk_plan p = {bk_ceil(a->n[1], BK_PANEL), 0, n, 8 * n};
  return p;
}
static bk_plan plan_unpack_panel(const bk_args *a) { return bk_panel_plan(a); }
static bk_plan plan_pack_panel(const bk_args *a) { return bk_panel_plan(a); }

BK_KERNEL(unpack_panel) {
  (void)w;
  const int64_t K = a->n[0], N = a->n[1];
  for (int64_t p = lo; p < hi; p++) {
    const float *in = (const float *)a->p[0] + p * K * BK_PANEL;
    float *out = (float *)a->p[1] + p * BK_PANEL;
    const int64_t nc = bk_min(BK_PANEL, N - p * BK_PANEL);
    for (int64_t k = 0; k < K; k++) bk_copy_row(out + k * N, in + k * BK_PANEL, nc);
  }
}

BK_KERNEL(pack_panel) {
  (void)w;
  const int64_t K = a->n[0], N = a->n[1];
  for (int64_t p = lo; p < hi; p++) {
    const float *in = (const float *)a->p[0] + p * BK_PANEL;
    float *out = (float *)a->p[1] + p * K * BK_PANEL;
    const int64_t nc = bk_min(BK_PANEL, N - p * BK_PANEL);
    for (int64_t k = 0; k < K; k++) {
      for (int64_t j = nc; j < BK_PANEL; j++) out[k * BK_PANEL + j] = 0;
      bk_copy_row(out + k * BK_PANEL, in + k * N, nc);
    }
  }
}
#endif
