/* image.h: interpolation along an axis, and affine transforms of images. ops/image.py is the specification. */
#ifndef BRISKNET_IMAGE_H
#define BRISKNET_IMAGE_H
#include "kernels/elementwise.h"

/* ---- y[outer,O,inner]: y[i] = sum over t of w[i,t] x[start[i] + t], x[outer,L,inner] ---- */
/* p0 x, p1 table[O][1 + T] (start as a float, weights), p2 y; n0 outer, n1 L, n2 inner, n3 O, n4 T */
BK_INLINE int64_t bk_resample_rows(const bk_args *a) { return bk_max(1, BK_BLOCK / bk_max(a->n[2], 1)); }

static bk_plan plan_resample(const bk_args *a) {
  const double n = (double)a->n[0] * (double)a->n[3] * (double)a->n[2];
  bk_plan p = {a->n[0] * bk_ceil(a->n[3], bk_resample_rows(a)), 0, 2 * n * (double)a->n[4], 8 * n};
  return p;
}

BK_KERNEL(resample) {
  (void)w;
  const int64_t L = a->n[1], inner = a->n[2], O = a->n[3], T = a->n[4], rows = bk_resample_rows(a), blocks = bk_ceil(O, rows);
  const float *x = a->p[0], *table = a->p[1];
  float *y = a->p[2];
  for (int64_t u = lo; u < hi; u++) {
    const int64_t o = u / blocks, i0 = u % blocks * rows, i1 = bk_min(O, i0 + rows);
    for (int64_t i = i0; i < i1; i++) {
      const float *entry = table + i * (1 + T), *from = x + (o * L + (int64_t)entry[0]) * inner;
      float *to = y + (o * O + i) * inner;
      for (int64_t c = 0; c < inner; c += VL) {
        vf s = v_mul(v_set1(entry[1]), v_load_n(from + c, inner - c));
        for (int64_t t = 1; t < T; t++) s = v_fma(v_set1(entry[1 + t]), v_load_n(from + t * inner + c, inner - c), s);
        v_store_n(to + c, s, inner - c);
      }
    }
  }
}

/* ---- affine transforms: output pixel (X, Y) is the input at (a0 X + a1 Y + a2, b0 X + b1 Y + b2) ---- */
/* n0 images, n1 H, n2 W of the input, n3 channels, n4 OH, n5 OW of the output, n6 1 bilinear, n7 enum bk_fill; f0 fill */
enum bk_fill { FILL_CONSTANT, FILL_NEAREST, FILL_WRAP, FILL_MIRROR, FILL_REFLECT };

typedef struct { int64_t at[2]; double weight[2]; int taps; } bk_axis_taps;   /* at < 0: outside, filled */

BK_INLINE int64_t bk_mirrored(int64_t i, int64_t size) {
  const int64_t s = size - 1;
  if (s == 0) return 0;
  int64_t r = (i + s) % (2 * s);
  r = (r < 0 ? r + 2 * s : r) - s;
  return r < 0 ? -r : r;
}

BK_NOINLINE int64_t bk_filled_outside(int64_t i, int64_t size, int64_t mode) {
  switch (mode) {
    case FILL_CONSTANT: return -1;
    case FILL_NEAREST: return i < 0 ? 0 : i < size ? i : size - 1;
    case FILL_WRAP: i %= size; return i < 0 ? i + size : i;
    case FILL_MIRROR: return bk_mirrored(i, size);
    default: return (bk_mirrored(2 * i + 1, 2 * size + 1) - 1) / 2;
  }
}

BK_INLINE int64_t bk_filled(int64_t i, int64_t size, int64_t mode) {   /* most are inside, and divisions are slow */
  return (uint64_t)i < (uint64_t)size ? i : bk_filled_outside(i, size, mode);
}

BK_INLINE bk_axis_taps bk_taps_at(double v, int64_t size, int64_t bilinear, int64_t mode) {
  bk_axis_taps r = {{0, 0}, {1.0, 0.0}, 1};
  v = v > -1e9 ? v < 1e9 ? v : 1e9 : -1e9;
  if (!bilinear) {
    r.at[0] = bk_filled((int64_t)(v < 0 ? v - 0.5 : v + 0.5), size, mode);
    return r;
  }
  int64_t low = (int64_t)v;
  low -= (double)low > v;
  r.at[0] = bk_filled(low, size, mode), r.at[1] = bk_filled(low + 1, size, mode);
  r.weight[1] = v - (double)low, r.weight[0] = 1.0 - r.weight[1], r.taps = 2;
  return r;
}

/* Rows and columns that pixel (X, Y) of an image is made of. */
BK_INLINE void bk_pixel_taps(const bk_args *a, const float *t, int64_t X, int64_t Y, bk_axis_taps *row, bk_axis_taps *column) {
  const double x = (double)X, y = (double)Y;
  *column = bk_taps_at((double)t[0] * x + (double)t[1] * y + (double)t[2], a->n[2], a->n[6], a->n[7]);
  *row = bk_taps_at((double)t[3] * x + (double)t[4] * y + (double)t[5], a->n[1], a->n[6], a->n[7]);
}

static bk_plan plan_affine(const bk_args *a) {
  const double n = (double)a->n[0] * (double)a->n[4] * (double)a->n[5];
  bk_plan p = {a->n[0] * a->n[4], 0, n * (60 + 8 * (double)a->n[3]), 8 * n * (double)a->n[3]};
  return p;
}

BK_KERNEL(affine) {   /* p0 x, p1 transforms[N,8], p2 y; a unit is a row of an output image */
  (void)w;
  const int64_t H = a->n[1], W = a->n[2], C = a->n[3], OH = a->n[4], OW = a->n[5];
  for (int64_t u = lo; u < hi; u++) {
    const int64_t n = u / OH, Y = u % OH;
    const float *image = (const float *)a->p[0] + n * H * W * C, *t = (const float *)a->p[1] + n * 8;
    float *y = (float *)a->p[2] + u * OW * C;
    for (int64_t X = 0; X < OW; X++, y += C) {
      bk_axis_taps row, column;
      bk_pixel_taps(a, t, X, Y, &row, &column);
      if (row.taps == 2 && (row.at[0] | row.at[1] | column.at[0] | column.at[1]) >= 0) {   /* four pixels, no fill */
        const float w00 = (float)(row.weight[0] * column.weight[0]), w01 = (float)(row.weight[0] * column.weight[1]);
        const float w10 = (float)(row.weight[1] * column.weight[0]), w11 = (float)(row.weight[1] * column.weight[1]);
        const float *r0 = image + row.at[0] * W * C, *r1 = image + row.at[1] * W * C;
        const int64_t c0 = column.at[0] * C, c1 = column.at[1] * C;
        for (int64_t c = 0; c < C; c++) y[c] = r0[c0 + c] * w00 + r0[c1 + c] * w01 + r1[c0 + c] * w10 + r1[c1 + c] * w11;
        continue;
      }
      for (int64_t c = 0; c < C; c++) y[c] = 0.0f;
      for (int i = 0; i < row.taps; i++) for (int j = 0; j < column.taps; j++) {
        const float weight = (float)(row.weight[i] * column.weight[j]);
        if (row.at[i] < 0 || column.at[j] < 0) {
          for (int64_t c = 0; c < C; c++) y[c] += a->f[0] * weight;
          continue;
        }
        const float *from = image + (row.at[i] * W + column.at[j]) * C;
        for (int64_t c = 0; c < C; c++) y[c] += from[c] * weight;
      }
    }
  }
}

static bk_plan plan_affine_grad(const bk_args *a) {
  bk_plan p = plan_affine(a);
  p.units = a->n[0];
  return p;
}

BK_KERNEL(affine_grad) {   /* p0 dy, p1 transforms[N,8], p2 dx; a unit is an image, whose pixels are added up in order */
  (void)w;
  const int64_t H = a->n[1], W = a->n[2], C = a->n[3], OH = a->n[4], OW = a->n[5];
  for (int64_t n = lo; n < hi; n++) {
    const float *dy = (const float *)a->p[0] + n * OH * OW * C, *t = (const float *)a->p[1] + n * 8;
    float *dx = (float *)a->p[2] + n * H * W * C;
    for (int64_t i = 0; i < H * W * C; i++) dx[i] = 0.0f;
    for (int64_t Y = 0; Y < OH; Y++) for (int64_t X = 0; X < OW; X++, dy += C) {
      bk_axis_taps row, column;
      bk_pixel_taps(a, t, X, Y, &row, &column);
      for (int i = 0; i < row.taps; i++) for (int j = 0; j < column.taps; j++) {
        if (row.at[i] < 0 || column.at[j] < 0) continue;
        const float weight = (float)(row.weight[i] * column.weight[j]);
        float *to = dx + (row.at[i] * W + column.at[j]) * C;
        for (int64_t c = 0; c < C; c++) to[c] += dy[c] * weight;
      }
    }
  }
}
#endif
