/* lanes.h: convolutions of few channels, with images as the lanes: x[N/16][D, H, W, C][16], the last block padded with zeros.
 *
 * However few the channels, vectors are full; weights are broadcast, and nothing is summed across lanes but dw at the very
 * end. To the kernels of pool.h and to element-wise ones such an array is one of N/16 images of 16 C channels. The bk_conv
 * of the kernels here says so too: N in blocks of 16, C and F plain. */
#ifndef BRISKNET_LANES_H
#define BRISKNET_LANES_H
#include "kernels/conv.h"

#define BLOCK_IMAGES 16              /* = NV * VL */

/* ---- to and from rows: p0 in, p1 out; n0 N, n1 elements of an image. A unit is one block ---- */
static bk_plan bk_lanes_plan(const bk_args *a) {
  const double n = (double)(a->n[0] * a->n[1]);
  bk_plan p = {bk_ceil(a->n[0], BLOCK_IMAGES), 0, n, 8 * n};
  return p;
}
static bk_plan plan_to_lanes(const bk_args *a) { return bk_lanes_plan(a); }
static bk_plan plan_from_lanes(const bk_args *a) { return bk_lanes_plan(a); }

BK_KERNEL(to_lanes) {
  (void)w;
  const int64_t N = a->n[0], cells = a->n[1];
  for (int64_t u = lo; u < hi; u++) {
    const float *in = (const float *)a->p[0] + u * BLOCK_IMAGES * cells;
    float *out = (float *)a->p[1] + u * BLOCK_IMAGES * cells;
    const int64_t images = bk_min(BLOCK_IMAGES, N - u * BLOCK_IMAGES);
    for (int64_t i = 0; i < BLOCK_IMAGES; i += VL) {
      int64_t c = 0;
      if (i + VL <= images)
        for (; c + VL <= cells; c += VL) {
          vf r[VL];
          v_load_transposed(in + i * cells + c, cells, r);
          BK_UNROLL for (int q = 0; q < VL; q++) v_store(out + (c + q) * BLOCK_IMAGES + i, r[q]);
        }
      for (; c < cells; c++)
        for (int64_t q = i; q < i + VL; q++) out[c * BLOCK_IMAGES + q] = q < images ? in[q * cells + c] : 0.0f;
    }
  }
}

BK_KERNEL(from_lanes) {
  (void)w;
  const int64_t N = a->n[0], cells = a->n[1];
  for (int64_t u = lo; u < hi; u++) {
    const float *in = (const float *)a->p[0] + u * BLOCK_IMAGES * cells;
    float *out = (float *)a->p[1] + u * BLOCK_IMAGES * cells;
    const int64_t images = bk_min(BLOCK_IMAGES, N - u * BLOCK_IMAGES);
    for (int64_t i = 0; i < images; i += VL) {
      int64_t c = 0;
      if (i + VL <= images)
        for (; c + VL <= cells; c += VL) {
          vf r[VL];
          v_load_transposed(in + c * BLOCK_IMAGES + i, BLOCK_IMAGES, r);
          BK_UNROLL for (int q = 0; q < VL; q++) v_store(out + (i + q) * cells + c, r[q]);
        }
      for (; c < cells; c++)
        for (int64_t q = i; q < bk_min(i + VL, images); q++) out[q * cells + c] = in[c * BLOCK_IMAGES + q];
    }
  }
}

/* The geometry of one block seen as an image of 16 C channels, for windows. */
BK_INLINE bk_conv bk_lanes_window(const bk_conv *g) {
  bk_conv v = *g;
  v.C *= BLOCK_IMAGES;
  return v;
}

/* mr channels of one pixel: runs of `length` inputs (pixel, channel), whose weights lie wstep apart. */
typedef struct bk_lane_run { const float *x, *w; int64_t length, wstep; } bk_lane_run;

BK_INLINE void bk_lanes_sum(vf c[][NV], const bk_lane_run *r, int64_t wrow, const int mr) {
  const float *x = r->x, *w = r->w;
  for (int64_t k = r->length; k > 0; k--, x += BLOCK_IMAGES, w += r->wstep) {
    vf xv[NV];
    BK_UNROLL for (int j = 0; j < NV; j++) {
      xv[j] = v_load(x + j * VL);
      if (NV <= 2) BK_PIN(xv[j]);
    }
    BK_UNROLL for (int i = 0; i < mr; i++) {
      const vf wv = v_bcast(w + i * wrow);
      BK_UNROLL for (int j = 0; j < NV; j++) c[i][j] = v_fma(wv, xv[j], c[i][j]);
    }
  }
}

BK_INLINE void bk_lanes_store(vf c[][NV], const int mr, float *y, const float *stored, int act, float alpha, float scale) {
  BK_EACH_OF(i, j, mr, NV) {
    vf v = c[i][j];
    if (stored) v = v_mul(bk_act_slope(v, v_load(stored + i * BLOCK_IMAGES + j * VL), act, alpha), v_set1(scale));
    else if (act == BK_RELU) v = v_max(v_zero(), v);
    else if (act != BK_LINEAR) v = bk_activate(v, act, alpha);
    v_store(y + i * BLOCK_IMAGES + j * VL, v);
  }
}

/* Channels of a tile, at most. */
#if NV == 1
#define LANES_MR 8
#else
#define LANES_MR BK_MR
#endif

/* Calls f(mr, first channel) for the tiles of n channels, mr a constant in each call. */
#if LANES_MR >= 6
#define BK_LANES_CASE(mr, f, at) switch (mr) { \
  case 1: f(1, at); break; case 2: f(2, at); break; case 3: f(3, at); break; case 4: f(4, at); break; case 5: f(5, at); break; \
  default: f(6, at); break; }
#define LANES_MOST 6
#else
#define BK_LANES_CASE(mr, f, at) switch (mr) { case 1: f(1, at); break; case 2: f(2, at); break; default: f(3, at); break; }
#define LANES_MOST 3
#endif

/* ---- y = act(x * w + bias). p0 bk_conv, p1 x, p2 w[taps, C, F], p3 bias or NULL, p4 y; n0 act; f0 alpha. A unit is one row
 * of outputs of one block ---- */
static bk_plan plan_lanes_forward(const bk_args *a) {
  const bk_conv *g = a->p[0], v = bk_lanes_window(g);
  bk_plan p = {g->N * g->out[0] * g->out[1], bk_conv_has_border(g) ? 4 * bk_window_size(&v, 1, v.C) : 0,
               BLOCK_IMAGES * bk_conv_flops(g), BLOCK_IMAGES * bk_conv_bytes(g)};
  return p;
}

typedef struct bk_lanes_row { const float *x, *w, *bias; float *y; const bk_window *v; const bk_conv *g; int act; float alpha; } bk_lanes_row;

#define BK_LANES_ROW(mr) \
  BK_NOINLINE void bk_lanes_row_##mr(const bk_lanes_row *t) { \
    const bk_conv *g = t->g; \
    const int whole = g->dilation[2] == 1; \
    bk_lane_run r = {.length = whole ? g->kernel[2] * g->C : g->C, .wstep = g->F}; \
    float *y = t->y; \
    const float *x0 = t->x; \
    for (int64_t n = g->out[2]; n > 0; n--, y += g->F * BLOCK_IMAGES, x0 += g->stride[2] * g->C * BLOCK_IMAGES) { \
      vf c[mr][NV]; \
      BK_EACH_OF(i, j, mr, NV) c[i][j] = t->bias ? v_bcast(t->bias + i) : v_zero(); \
      r.w = t->w; \
      for (int64_t kz = 0; kz < g->kernel[0]; kz++) for (int64_t ky = 0; ky < g->kernel[1]; ky++) \
        for (int64_t kx = 0; kx < (whole ? 1 : g->kernel[2]); kx++, r.w += r.length * g->F) { \
          r.x = x0 + kz * t->v->slice + ky * g->dilation[1] * t->v->row + kx * g->dilation[2] * g->C * BLOCK_IMAGES; \
          bk_lanes_sum(c, &r, 1, mr); \
        } \
      bk_lanes_store(c, mr, y, 0, t->act, t->alpha, 1); \
    } \
  }
BK_LANES_ROW(1) BK_LANES_ROW(2) BK_LANES_ROW(3)
#if LANES_MOST == 6
BK_LANES_ROW(4) BK_LANES_ROW(5) BK_LANES_ROW(6)
#endif

BK_KERNEL(lanes_forward) {
  const bk_conv *g = a->p[0], wide = bk_lanes_window(g);
  const int border = bk_conv_has_border(g);
  const bk_split s = bk_split_by(g->F, LANES_MOST);
  for (int64_t u = lo; u < hi; u++) {
    const int64_t y = u % g->out[1], z = u / g->out[1] % g->out[0], n = u / g->out[1] / g->out[0];
    const bk_window v = bk_window_of(&wide, (const float *)a->p[1] + n * bk_volume(g->in) * wide.C, z, y, 1, 1, border, w->scratch);
    bk_lanes_row t = {.x = v.base, .w = a->p[2], .bias = a->p[3], .y = (float *)a->p[4] + u * g->out[2] * g->F * BLOCK_IMAGES,
                      .v = &v, .g = g, .act = (int)a->n[0], .alpha = a->f[0]};
    for (int32_t i = 0; i < s.large + s.small; i++) {
      const int mr = i < s.large ? s.mr : s.mr - 1;
#define BK_ROW_CALL(m, at) bk_lanes_row_##m(at)
      BK_LANES_CASE(mr, BK_ROW_CALL, &t)
      t.w += mr, t.y += mr * BLOCK_IMAGES;
      if (t.bias) t.bias += mr;
    }
  }
}

/* ---- dx = scale f'(y) * (dz against w): each input gathers what it was multiplied into, and no zeros.
 * p0 bk_conv, p1 dz, p2 w, p3 stored output whose activation is undone or NULL, p4 dx; n0 act; f0 alpha, f1 scale.
 * A unit is one row of dx of one block ---- */
static bk_plan plan_lanes_dgrad(const bk_args *a) {
  const bk_conv *g = a->p[0];
  bk_plan p = {g->N * g->in[0] * g->in[1], 0, BLOCK_IMAGES * bk_conv_flops(g), BLOCK_IMAGES * bk_conv_bytes(g)};
  return p;
}

typedef struct bk_lanes_input { const float *dz, *w, *stored; float *dx; const bk_conv *g; int64_t z, y; int act; float alpha, scale; } bk_lanes_input;

#define BK_LANES_INPUT(mr) \
  BK_NOINLINE void bk_lanes_input_##mr(const bk_lanes_input *t) { \
    const bk_conv *g = t->g; \
    const int64_t C = g->C, F = g->F, *kernel = g->kernel; \
    bk_lane_run r = {.length = F, .wstep = 1}; \
    for (int64_t x = 0; x < g->in[2]; x++) { \
      vf c[mr][NV]; \
      BK_EACH_OF(i, j, mr, NV) c[i][j] = v_zero(); \
      for (int64_t kz = 0; kz < kernel[0]; kz++) { \
        const int64_t oz = bk_tap_output(g, 0, t->z, kz); \
        for (int64_t ky = 0; ky < kernel[1] && oz >= 0; ky++) { \
          const int64_t oy = bk_tap_output(g, 1, t->y, ky); \
          for (int64_t kx = 0; kx < kernel[2] && oy >= 0; kx++) { \
            const int64_t ox = bk_tap_output(g, 2, x, kx); \
            if (ox < 0) continue; \
            r.x = t->dz + ((oz * g->out[1] + oy) * g->out[2] + ox) * F * BLOCK_IMAGES; \
            r.w = t->w + ((kz * kernel[1] + ky) * kernel[2] + kx) * C * F; \
            bk_lanes_sum(c, &r, F, mr); \
          } \
        } \
      } \
      const int64_t at = x * C * BLOCK_IMAGES; \
      bk_lanes_store(c, mr, t->dx + at, t->stored ? t->stored + at : 0, t->stored ? t->act : BK_LINEAR, t->alpha, t->scale); \
    } \
  }
BK_LANES_INPUT(1) BK_LANES_INPUT(2) BK_LANES_INPUT(3)
#if LANES_MOST == 6
BK_LANES_INPUT(4) BK_LANES_INPUT(5) BK_LANES_INPUT(6)
#endif

BK_KERNEL(lanes_dgrad) {
  (void)w;
  const bk_conv *g = a->p[0];
  const bk_split s = bk_split_by(g->C, LANES_MOST);
  for (int64_t u = lo; u < hi; u++) {
    const int64_t n = u / g->in[1] / g->in[0], at = u * g->in[2] * g->C * BLOCK_IMAGES;
    bk_lanes_input t = {.dz = (const float *)a->p[1] + n * bk_volume(g->out) * g->F * BLOCK_IMAGES, .w = a->p[2],
                        .stored = a->p[3] ? (const float *)a->p[3] + at : 0, .dx = (float *)a->p[4] + at, .g = g,
                        .z = u / g->in[1] % g->in[0], .y = u % g->in[1], .act = (int)a->n[0], .alpha = a->f[0], .scale = a->f[1]};
    for (int32_t i = 0; i < s.large + s.small; i++) {
      const int mr = i < s.large ? s.mr : s.mr - 1;
#define BK_INPUT_CALL(m, at) bk_lanes_input_##m(at)
      BK_LANES_CASE(mr, BK_INPUT_CALL, &t)
      t.w += mr * g->F, t.dx += mr * BLOCK_IMAGES;
      if (t.stored) t.stored += mr * BLOCK_IMAGES;
    }
  }
}

/* ---- dw, db: copies [C taps + 1][F rounded up to 16], one a shard of blocks, for shard_sum.
 * p0 bk_conv, p1 x, p2 dz, p3 the copies; n0 shards. A unit is one shard.
 * While a shard is summed, the sum of each weight is a vector: lanes are added up at its end ---- */
#define LANES_K 3                    /* rows of dw in a tile */
#define LANES_F 4                    /* filters in a tile */
#define LANES_ROWS 2                 /* rows of outputs summed at a time: they and their window stay in an L1 cache */

static int64_t bk_lanes_sums(const bk_conv *g) { return (bk_wgrad_rows(g) + 1) * bk_ceil(g->F, BK_PANEL) * BK_PANEL * VL; }
static bk_plan plan_lanes_wgrad(const bk_args *a) {
  const bk_conv *g = a->p[0], v = bk_lanes_window(g);
  const int64_t scratch = bk_wgrad_rows(g) + BK_PANEL + bk_lanes_sums(g) + (bk_conv_has_border(g) ? bk_window_size(&v, LANES_ROWS, v.C) : 0);
  bk_plan p = {a->n[0], 4 * scratch, BLOCK_IMAGES * bk_conv_flops(g), BLOCK_IMAGES * bk_conv_bytes(g)};
  return p;
}

typedef struct bk_lanes_tile { const float *window, *dz; const int32_t *row; float *sum; int64_t srow, height, width, xstep, ystep, zstep; } bk_lanes_tile;

BK_INLINE void bk_lanes_tile_body(const bk_lanes_tile *t, const int mk, const int mf) {
  vf c[LANES_K][LANES_F];
  const float *x[LANES_K], *dz = t->dz;
  BK_UNROLL for (int i = 0; i < mk; i++) x[i] = t->window + t->row[i];
  BK_EACH_OF(i, j, mk, mf) c[i][j] = v_load(t->sum + i * t->srow + j * VL);
  for (int64_t y = 0; y < t->height; y++) {
    int64_t at = y * t->ystep;
    for (int64_t n = t->width; n > 0; n--, at += t->xstep, dz += t->zstep) {
      BK_UNROLL for (int v = 0; v < BLOCK_IMAGES; v += VL) {
        vf xv[LANES_K];
        BK_UNROLL for (int i = 0; i < mk; i++) {
          xv[i] = v_load(x[i] + at + v);
          if (NV <= 2) BK_PIN(xv[i]);
        }
        BK_UNROLL for (int j = 0; j < mf; j++) {
          vf d = v_load(dz + j * BLOCK_IMAGES + v);
          if (NV <= 2) BK_PIN(d);
          BK_UNROLL for (int i = 0; i < mk; i++) {
            c[i][j] = v_fma(xv[i], d, c[i][j]);
            if (NV <= 2) BK_PIN(c[i][j]);    /* all 16 registers are in use: gcc would swap their contents around */
          }
        }
      }
    }
  }
  BK_EACH_OF(i, j, mk, mf) v_store(t->sum + i * t->srow + j * VL, c[i][j]);
}
typedef void (*bk_lanes_tile_fn)(const bk_lanes_tile *t);
#define BK_LANES_TILE(k, f) BK_NOINLINE void bk_lanes_tile_##k##f(const bk_lanes_tile *t) { bk_lanes_tile_body(t, k, f); }
BK_LANES_TILE(1, 1) BK_LANES_TILE(1, 2) BK_LANES_TILE(1, 3) BK_LANES_TILE(1, 4)
BK_LANES_TILE(2, 1) BK_LANES_TILE(2, 2) BK_LANES_TILE(2, 3) BK_LANES_TILE(2, 4)
BK_LANES_TILE(3, 1) BK_LANES_TILE(3, 2) BK_LANES_TILE(3, 3) BK_LANES_TILE(3, 4)
static const bk_lanes_tile_fn bk_lanes_tiles[LANES_K + 1][LANES_F + 1] = {
  {0}, {0, bk_lanes_tile_11, bk_lanes_tile_12, bk_lanes_tile_13, bk_lanes_tile_14},
  {0, bk_lanes_tile_21, bk_lanes_tile_22, bk_lanes_tile_23, bk_lanes_tile_24},
  {0, bk_lanes_tile_31, bk_lanes_tile_32, bk_lanes_tile_33, bk_lanes_tile_34},
};

BK_KERNEL(lanes_wgrad) {
  const bk_conv *g = a->p[0], wide = bk_lanes_window(g);
  const int64_t shards = a->n[0], C = g->C, F = g->F, K = bk_wgrad_rows(g), columns = bk_ceil(F, BK_PANEL) * BK_PANEL;
  const int border = bk_conv_has_border(g);
  const bk_split ks = bk_split_by(K, LANES_K), fs = bk_split_by(F, LANES_F);
  int32_t *offset = (int32_t *)w->scratch;
  float *sums = w->scratch + (K + BK_PANEL) / BK_PANEL * BK_PANEL, *copy = sums + bk_lanes_sums(g);
  for (int64_t u = lo; u < hi; u++) {
    memset(sums, 0, 4 * (size_t)bk_lanes_sums(g));
    bk_lanes_tile t = {.row = offset, .srow = columns * VL, .width = g->out[2], .xstep = g->stride[2] * wide.C, .zstep = F * BLOCK_IMAGES};
    int64_t slice = -1, row = -1;
    for (int64_t n = g->N * u / shards, n1 = g->N * (u + 1) / shards; n < n1; n++)
      for (int64_t z = 0; z < g->out[0]; z++) for (int64_t y0 = 0; y0 < g->out[1]; y0 += LANES_ROWS) {
        t.height = bk_min(LANES_ROWS, g->out[1] - y0);
        const bk_window v = bk_window_of(&wide, (const float *)a->p[1] + n * bk_volume(g->in) * wide.C, z, y0, t.height, 1, border, copy);
        if (v.slice != slice || v.row != row) {
          slice = v.slice, row = v.row;
          for (int64_t k = 0; k < K; k++) {
            const int64_t tap = k / C, kx = tap % g->kernel[2], ky = tap / g->kernel[2] % g->kernel[1];
            const int64_t kz = tap / g->kernel[2] / g->kernel[1];
            offset[k] = (int32_t)(kz * slice + ky * g->dilation[1] * row + (kx * g->dilation[2] * C + k % C) * BLOCK_IMAGES);
          }
        }
        t.window = v.base, t.ystep = g->stride[1] * row;
        const float *dz = (const float *)a->p[2] + (((n * g->out[0] + z) * g->out[1] + y0) * g->out[2]) * F * BLOCK_IMAGES;
        for (int32_t j = 0, f = 0; j < fs.large + fs.small; j++) {
          const int mf = j < fs.large ? fs.mr : fs.mr - 1;
          t.dz = dz + f * BLOCK_IMAGES;
          t.row = offset, t.sum = sums + f * VL;
          for (int32_t i = 0; i < ks.large + ks.small; i++) {
            const int mk = i < ks.large ? ks.mr : ks.mr - 1;
            bk_lanes_tiles[mk][mf](&t);
            t.row += mk, t.sum += mk * t.srow;
          }
          f += mf;
        }
        for (int64_t f = 0; f < F; f++) {
          vf s = v_load(sums + (K * columns + f) * VL);
          for (int64_t q = 0; q < t.height * t.width; q++)
            BK_UNROLL for (int j = 0; j < NV; j++) s = v_add(s, v_load(dz + (q * F + f) * BLOCK_IMAGES + j * VL));
          v_store(sums + (K * columns + f) * VL, s);
        }
      }
    float *out = (float *)a->p[3] + u * (K + 1) * columns;
    for (int64_t i = 0; i < (K + 1) * columns; i += VL) {
      vf r[VL];
      BK_UNROLL for (int q = 0; q < VL; q++) r[q] = v_load(sums + (i + q) * VL);
      v_store(out + i, v_sum_rows(r));
    }
  }
}
#endif
