/* conv.h: convolutions of 1 to 3 spatial dimensions, channels last: x[N, D, H, W, C] * w[KD, KH, KW, C / groups, F].
 *
 *   conv_forward.h    y = act(x * w + bias) as an implicit matrix product; with the weights turned round also dx
 *   conv_scatter.h    dx where the stride is not 1, or where turning round would multiply many zeros
 *   conv_wgrad.h      dw and db
 *   depthwise.h       one filter a channel
 *   lanes.h           few channels: images are the lanes
 *
 * Nothing is unrolled into columns. A unit of work copies the input that it reads into scratch with its border of zeros
 * (where there is a border at all), and tiles read that window in place.
 */
#ifndef BRISKNET_CONV_H
#define BRISKNET_CONV_H
#include "kernels/microkernel.h"
#include "kernels/dense.h"

/* The geometry, made by passes/lower/rules_conv.py; what has three entries has them for depth, height and width. */
typedef struct bk_conv {
  int64_t N, C, F, groups;
  int64_t in[3], kernel[3], out[3], stride[3], dilation[3];
  int64_t before[3];         /* zeros before the first element; those behind follow from `out` */
} bk_conv;

#define WINDOW_BYTES (96 << 10)      /* of a window, at most about: it stays in an L2 cache beside the weights */
#define CONV_UNITS 16                /* wanted of one instruction, where its work is worth sharing */
#define CONV_UNIT_FLOPS 400000.0     /* below this a unit is not cut further */

/* Output index whose tap k of dimension i lies on input p, or -1. */
BK_INLINE int64_t bk_tap_output(const bk_conv *g, int i, int64_t p, int64_t k) {
  const int64_t q = p + g->before[i] - k * g->dilation[i];
  return q >= 0 && q % g->stride[i] == 0 && q / g->stride[i] < g->out[i] ? q / g->stride[i] : -1;
}

BK_INLINE int64_t bk_volume(const int64_t *v) { return v[0] * v[1] * v[2]; }
/* Extent of the window that `rows` consecutive outputs read in dimension i. */
BK_INLINE int64_t bk_conv_extent(const bk_conv *g, int i, int64_t rows) {
  return (rows - 1) * g->stride[i] + (g->kernel[i] - 1) * g->dilation[i] + 1;
}
static inline int bk_conv_has_border(const bk_conv *g) {
  for (int i = 0; i < 3; i++) if (g->before[i] || bk_conv_extent(g, i, g->out[i]) > g->in[i]) return 1;
  return 0;
}
static inline double bk_conv_flops(const bk_conv *g) {
  return 2.0 * (double)(g->N * bk_volume(g->out) * g->F) * (double)(bk_volume(g->kernel) * (g->C / g->groups));
}
static inline double bk_conv_bytes(const bk_conv *g) {
  return 4.0 * (double)(g->N * (bk_volume(g->in) * g->C + bk_volume(g->out) * g->F));
}

/* ---- windows ---- */
/* Element (kz, y, x, c) of a window lies at base[kz * slice + y * row + x * C + c]. */
typedef struct bk_window { const float *base; int64_t slice, row; } bk_window;

/* Output rows in a unit: blocks of rows of one depth of one image. */
typedef struct bk_bands { int64_t rows, bands, units; } bk_bands;
static inline bk_bands bk_conv_bands(const bk_conv *g, int64_t C) {
  const int64_t row = 4 * g->kernel[0] * bk_conv_extent(g, 2, g->out[2]) * C, halo = bk_conv_extent(g, 1, 1);
  const int64_t fit = bk_max((WINDOW_BYTES / bk_max(row, 1) - halo) / g->stride[1] + 1, 1), images = g->N * g->out[0];
  int64_t bands = bk_ceil(g->out[1], bk_min(fit, g->out[1]));
  const double each = bk_conv_flops(g) / (double)images;
  if (images * bands < CONV_UNITS && each > CONV_UNIT_FLOPS)
    bands = bk_max(bands, bk_min((int64_t)(each / CONV_UNIT_FLOPS), bk_ceil(CONV_UNITS, images)));
  bands = bk_min(bands, g->out[1]);
  bk_bands b = {.rows = bk_ceil(g->out[1], bands)};
  b.bands = bk_ceil(g->out[1], b.rows);
  b.units = images * b.bands;
  return b;
}
/* Floats from one row of a copied window to the next. Rows whose length is a multiple of 1 KB would lie in a few sets of an
 * L1 cache, where a tile that walks down them evicts what it has just read: a line more lies between those. */
BK_INLINE int64_t bk_window_pitch(const bk_conv *g, int64_t C) {
  const int64_t n = bk_conv_extent(g, 2, g->out[2]) * C;
  return n % 256 ? n : n + BK_PANEL;
}
/* Floats of scratch that a window of so many output rows takes. */
static inline int64_t bk_window_size(const bk_conv *g, int64_t rows, int64_t C) {
  return g->kernel[0] * bk_conv_extent(g, 1, rows) * bk_window_pitch(g, C) + BK_PANEL;
}

BK_INLINE void bk_copy_channels(float *out, const float *in, int64_t pixels, int64_t C, int64_t repeat) {
  if (repeat == 1) { memcpy(out, in, 4 * (size_t)(pixels * C)); return; }
  for (int64_t i = 0; i < pixels * C; i++) for (int64_t r = 0; r < repeat; r++) *out++ = in[i];
}

/* The window of output rows [y0, y0 + rows) at output depth z0 of one image: in place where there is no border, else a
 * copy with zeros around it, each channel `repeat` times. */
static bk_window bk_window_of(const bk_conv *g, const float *image, int64_t z0, int64_t y0, int64_t rows, int64_t repeat,
                              int border, float *copy) {
  const int64_t D = g->in[0], H = g->in[1], W = g->in[2], C = g->C;
  if (!border && repeat == 1) {
    bk_window v = {image + (z0 * g->stride[0] * H + y0 * g->stride[1]) * W * C, g->dilation[0] * H * W * C, W * C};
    return v;
  }
  const int64_t R = bk_conv_extent(g, 1, rows), P = bk_conv_extent(g, 2, g->out[2]), cells = C * repeat;
  const int64_t left = bk_min(g->before[2], P), middle = bk_max(bk_min(W, P - left), 0), right = P - left - middle;
  const int64_t pitch = bk_window_pitch(g, cells);
  bk_window v = {copy, R * pitch, pitch};
  for (int64_t kz = 0; kz < g->kernel[0]; kz++) {
    const int64_t z = z0 * g->stride[0] - g->before[0] + kz * g->dilation[0];
    for (int64_t r = 0; r < R; r++, copy += pitch) {
      const int64_t y = y0 * g->stride[1] - g->before[1] + r;
      if (z < 0 || z >= D || y < 0 || y >= H) { memset(copy, 0, 4 * (size_t)(P * cells)); continue; }
      if (left) memset(copy, 0, 4 * (size_t)(left * cells));
      bk_copy_channels(copy + left * cells, image + (z * H + y) * W * C, middle, C, repeat);
      if (right) memset(copy + (left + middle) * cells, 0, 4 * (size_t)(right * cells));
    }
  }
  return v;
}

/* ---- segments: runs of a window that lie in one piece under a filter ---- */
/* Without dilation along the width, one filter row of one depth is a run of KW * C; else each tap is one of C / groups. */
BK_INLINE int bk_conv_whole_rows(const bk_conv *g) { return (g->dilation[2] == 1 || g->kernel[2] == 1) && g->groups == 1; }
static inline int64_t bk_conv_segments(const bk_conv *g) {
  return g->kernel[0] * g->kernel[1] * (bk_conv_whole_rows(g) ? 1 : g->kernel[2]);
}
BK_INLINE int64_t bk_conv_segment_length(const bk_conv *g) {
  return bk_conv_whole_rows(g) ? g->kernel[2] * g->C : g->C / g->groups;
}
/* Where the segments begin in a window, in the order of the filter's taps. */
static void bk_conv_segment_table(const bk_conv *g, const bk_window *v, int64_t *table) {
  const int64_t taps = bk_conv_whole_rows(g) ? 1 : g->kernel[2];
  for (int64_t kz = 0; kz < g->kernel[0]; kz++)
    for (int64_t ky = 0; ky < g->kernel[1]; ky++)
      for (int64_t kx = 0; kx < taps; kx++)
        *table++ = kz * v->slice + ky * g->dilation[1] * v->row + kx * g->dilation[2] * g->C;
}

/* How `rows` fall into tiles of at most `most`: `large` of mr rows, then `small` of mr - 1. */
BK_INLINE bk_split bk_split_by(int64_t rows, int64_t most) {
  const uint32_t pieces = (uint32_t)((rows + most - 1) / most), least = (uint32_t)rows / pieces, extra = (uint32_t)rows % pieces;
  bk_split s = {(int32_t)least + 1, (int32_t)extra, (int32_t)(pieces - extra)};
  return s;
}

/* Tiles of whole panels have BK_MR rows (at most 8: each has a pointer of its own), those of half a panel twice as many
 * where registers allow. Half a panel is what filters up to 8 channels need. */
#if NV == 1
#define CONV_MR 8
#define HALF_MR 8
#define HALF_NV 1
#else
#define CONV_MR BK_MR
#define HALF_MR (VL == 8 ? 8 : 6)
#define HALF_NV (NV / 2)
#endif
#define HALF_PANEL (HALF_NV * VL)
/* X(n) for the sizes of both kinds of tile, in order. */
#define BK_TO_3(X) X(1) X(2) X(3)
#define BK_TO_6(X) BK_TO_3(X) X(4) X(5) X(6)
#define BK_TO_8(X) BK_TO_6(X) X(7) X(8)
#if CONV_MR == 3
#define BK_CONV_SIZES BK_TO_3
#elif CONV_MR == 6
#define BK_CONV_SIZES BK_TO_6
#else
#define BK_CONV_SIZES BK_TO_8
#endif
#if VL >= 8
#define BK_HALF_SIZES BK_TO_8
#else
#define BK_HALF_SIZES BK_TO_6
#endif
#define BK_EACH_OF(i, j, mr, nv) BK_UNROLL for (int i = 0; i < (mr); i++) BK_UNROLL for (int j = 0; j < (nv); j++)

/* The filter's weight of row k (tap, channel within the group) and output f: in panels or row-major. */
BK_INLINE float bk_conv_weight(const float *w, int panels, int64_t K, int64_t F, int64_t k, int64_t f) {
  return panels ? w[(f / BK_PANEL * K + k) * BK_PANEL + f % BK_PANEL] : w[k * F + f];
}

#include "kernels/conv_pack.h"
#include "kernels/conv_forward.h"
#include "kernels/conv_scatter.h"
#include "kernels/conv_wgrad.h"
#include "kernels/depthwise.h"
#endif
