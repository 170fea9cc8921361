/* pool.h: maxima and means of windows of x[N, D, H, W, C]. Channels are the lanes. p0 bk_conv (kernel = the window, C = F).
 *
 * Where C is no multiple of VL, a pixel's last vector is stored whole as long as it stays in the row: the stores of the pixels
 * that follow mend what it spoiled. */
#ifndef BRISKNET_POOL_H
#define BRISKNET_POOL_H
#include "kernels/conv.h"

/* Taps [lo, hi) of dimension i whose input exists, for output o; and the input of tap 0. */
typedef struct { int64_t lo, hi, start; } bk_tap_range;
BK_INLINE bk_tap_range bk_taps_inside(const bk_conv *g, int i, int64_t o) {
  const int64_t start = o * g->stride[i] - g->before[i];
  bk_tap_range r = {start < 0 ? -start : 0, bk_min(g->kernel[i], g->in[i] - start), start};
  return r;
}

/* Runs body for every tap of a window; `at` is where the tap's pixel lies in an image. */
#define BK_FOR_TAPS(g, z, y, x, at, body) \
  for (int64_t kz_ = (z).lo; kz_ < (z).hi; kz_++) for (int64_t ky_ = (y).lo; ky_ < (y).hi; ky_++) \
    for (int64_t kx_ = (x).lo; kx_ < (x).hi; kx_++) { \
      const int64_t at = ((((z).start + kz_) * (g)->in[1] + (y).start + ky_) * (g)->in[2] + (x).start + kx_) * (g)->C; \
      body \
    }

static bk_plan bk_pool_plan(const bk_args *a, int64_t units) {
  const bk_conv *g = a->p[0];
  const double n = (double)(g->N * bk_volume(g->in) * g->C);
  bk_plan p = {units, 0, 2 * n, 6 * n};
  return p;
}
/* A unit of a forward kernel is one row of outputs. */
static bk_plan bk_pool_rows(const bk_args *a) {
  const bk_conv *g = a->p[0];
  return bk_pool_plan(a, g->N * g->out[0] * g->out[1]);
}

/* Stores n lanes of a pixel, or all where later stores mend the rest: `room` floats are left in the row. */
BK_INLINE void bk_store_pixel(float *p, vf v, int64_t n, int64_t room) {
  if (n >= VL || room >= VL) v_store(p, v); else v_store_n(p, v, n);
}

BK_INLINE vf bk_max_or_nan(vf m, vf v) { return v_sel(v_isnan(m), m, v_max(m, v)); }   /* v_max keeps a NaN of v */

enum { POOL_MAX, POOL_GATHER, POOL_MEAN };

/* One output row. MAX: p1 x, p2 y. GATHER: p1 x, p2 y, p3 g, p4 out: g where x first is y. MEAN: p1 x, p2 y. */
BK_INLINE void bk_pool_row(const bk_args *a, int64_t u, const int kind) {
  const bk_conv *g = a->p[0];
  const int64_t C = g->C, n = u / g->out[1] / g->out[0], image = n * bk_volume(g->in) * C;
  const bk_tap_range z = bk_taps_inside(g, 0, u / g->out[1] % g->out[0]), y = bk_taps_inside(g, 1, u % g->out[1]);
  const float *in = (const float *)a->p[1] + image;
  for (int64_t i = 0; i < g->out[2]; i++) {
    const bk_tap_range x = bk_taps_inside(g, 2, i);
    const int64_t at = (u * g->out[2] + i) * C;
    const vf share = v_set1(1.0f / (float)((z.hi - z.lo) * (y.hi - y.lo) * (x.hi - x.lo)));
    for (int64_t c = 0; c < C; c += VL) {
      float *out = (float *)a->p[kind == POOL_GATHER ? 4 : 2] + at + c;
      vf s = kind == POOL_MAX ? v_set1(-__builtin_inff()) : v_zero();
      if (kind == POOL_GATHER) {
        const vf top = v_load_n((const float *)a->p[2] + at + c, C - c);
        const float *from = (const float *)a->p[3] + image;
        vi open = vi_set1(-1);
        BK_FOR_TAPS(g, z, y, x, q, {
          const vf v = v_load(in + q + c);
          const vi hit = (v_eq(v, top) | v_isnan(v)) & open;
          s = v_sel(hit, v_load(from + q + c), s);
          open &= ~hit;
        })
      } else if (kind == POOL_MAX) {
        BK_FOR_TAPS(g, z, y, x, q, s = bk_max_or_nan(s, v_load(in + q + c));)
      } else {
        BK_FOR_TAPS(g, z, y, x, q, s = v_add(s, v_load(in + q + c));)
        s = v_mul(s, share);
      }
      bk_store_pixel(out, s, C - c, (g->out[2] - i) * C - c);
    }
  }
}

/* Windows that tile the input: no element is in two, none is left out. */
BK_INLINE int bk_pool_tiles(const bk_conv *g) {
  for (int i = 0; i < 3; i++) if (g->stride[i] != g->kernel[i] || g->before[i] || g->out[i] * g->stride[i] != g->in[i]) return 0;
  return 1;
}
/* Such windows of 2 x 2, of images. */
BK_INLINE int bk_pool_quads(const bk_conv *g) {
  return bk_pool_tiles(g) && g->in[0] == 1 && g->kernel[1] == 2 && g->kernel[2] == 2;
}

static void bk_max_quads(const bk_conv *g, const float *x, float *y) {
  const int64_t C = g->C, row = g->in[2] * C;
  for (int64_t j = 0; j < g->out[2]; j++, x += 2 * C, y += C)
    for (int64_t c = 0; c < C; c += VL) {
      const vf top = bk_max_or_nan(v_load(x + c), v_load(x + C + c)), low = bk_max_or_nan(v_load(x + row + c), v_load(x + row + C + c));
      bk_store_pixel(y + c, bk_max_or_nan(top, low), C - c, (g->out[2] - j) * C - c);
    }
}

static bk_plan plan_max_pool(const bk_args *a) { return bk_pool_rows(a); }
BK_KERNEL(max_pool) {
  (void)w;
  const bk_conv *g = a->p[0];
  const int64_t C = g->C, quads = bk_pool_quads(g);
  for (int64_t u = lo; u < hi; u++)
    if (quads) bk_max_quads(g, (const float *)a->p[1] + u * 2 * g->in[2] * C, (float *)a->p[2] + u * g->out[2] * C);
    else bk_pool_row(a, u, POOL_MAX);
}
static bk_plan plan_max_pool_gather(const bk_args *a) { return bk_pool_rows(a); }
BK_KERNEL(max_pool_gather) { (void)w; for (int64_t u = lo; u < hi; u++) bk_pool_row(a, u, POOL_GATHER); }
static bk_plan plan_avg_pool(const bk_args *a) { return bk_pool_rows(a); }
BK_KERNEL(avg_pool) { (void)w; for (int64_t u = lo; u < hi; u++) bk_pool_row(a, u, POOL_MEAN); }

/* ---- gradients: a unit is one image ---- */
/* The gradient of one element of a window: dy where x is first the maximum `top`. */
BK_INLINE vf bk_max_share(vf v, vf top, vf dy, vi *open) {
  const vi hit = (v_eq(v, top) | v_isnan(v)) & *open;
  *open &= ~hit;
  return v_mask(hit, dy);
}

/* Windows of 2 x 2 that tile an image. */
BK_INLINE void bk_max_grad_quads(const bk_conv *g, const float *x, const float *y, const float *dy, float *dx, const int act, float alpha) {
  const int64_t C = g->C, row = g->in[2] * C;
  for (int64_t i = 0; i < g->out[1]; i++, x += 2 * row, dx += 2 * row) {
    for (int64_t j = 0; j < g->out[2]; j++, y += C, dy += C) {
      for (int64_t c = 0; c < C; c += VL) {
        const int64_t n = C - c, at = 2 * j * C + c;
        const vf top = v_load(y + c), d = bk_act_slope(v_load(dy + c), top, act, alpha);
        vi open = vi_set1(-1);
        const vf s0 = bk_max_share(v_load(x + at), top, d, &open);
        const vf s1 = bk_max_share(v_load(x + at + C), top, d, &open);
        const vf s2 = bk_max_share(v_load(x + row + at), top, d, &open);
        const vf s3 = bk_max_share(v_load(x + row + at + C), top, d, &open);
        const int64_t room = C <= VL ? row - at : 0;    /* more vectors a pixel: they are not stored pixel by pixel */
        bk_store_pixel(dx + at, s0, n, room), bk_store_pixel(dx + at + C, s1, n, room - C);
        bk_store_pixel(dx + row + at, s2, n, room), bk_store_pixel(dx + row + at + C, s3, n, room - C);
      }
    }
  }
}

/* p1 x, p2 y, p3 dy, p4 dx; n0 the activation whose output x is, f0 alpha: its slope at the maximum is one factor more */
static bk_plan plan_max_pool_grad(const bk_args *a) { return bk_pool_plan(a, ((const bk_conv *)a->p[0])->N); }
BK_KERNEL(max_pool_grad) {
  (void)w;
  const bk_conv *g = a->p[0];
  const int64_t C = g->C, image = bk_volume(g->in) * C, pooled = bk_volume(g->out) * C;
  const int act = (int)a->n[0], quads = bk_pool_quads(g);
  for (int64_t n = lo; n < hi; n++) {
    const float *in = (const float *)a->p[1] + n * image;
    const float *y0 = (const float *)a->p[2] + n * pooled, *dy0 = (const float *)a->p[3] + n * pooled;
    float *dx = (float *)a->p[4] + n * image;
    if (quads) {
      if (act == BK_LINEAR) bk_max_grad_quads(g, in, y0, dy0, dx, BK_LINEAR, 0);
      else if (act == BK_RELU) bk_max_grad_quads(g, in, y0, dy0, dx, BK_RELU, 0);
      else bk_max_grad_quads(g, in, y0, dy0, dx, act, a->f[0]);
      continue;
    }
    memset(dx, 0, 4 * (size_t)image);
    for (int64_t o = 0; o < bk_volume(g->out); o++) {
      const bk_tap_range z = bk_taps_inside(g, 0, o / g->out[2] / g->out[1]);
      const bk_tap_range y = bk_taps_inside(g, 1, o / g->out[2] % g->out[1]), x = bk_taps_inside(g, 2, o % g->out[2]);
      for (int64_t c = 0; c < C; c += VL) {
        const int64_t left = C - c;
        const vf top = v_load_n(y0 + o * C + c, left), d = bk_act_slope(v_load_n(dy0 + o * C + c, left), top, act, a->f[0]);
        vi open = vi_set1(-1);
        BK_FOR_TAPS(g, z, y, x, q, {
          const vf share = bk_max_share(v_load(in + q + c), top, d, &open);
          v_store_n(dx + q + c, v_add(v_load_n(dx + q + c, left), share), left);
        })
      }
    }
  }
}

/* p1 dy, p2 dx */
static bk_plan plan_avg_pool_grad(const bk_args *a) { return bk_pool_plan(a, ((const bk_conv *)a->p[0])->N); }
BK_KERNEL(avg_pool_grad) {
  (void)w;
  const bk_conv *g = a->p[0];
  const int64_t C = g->C, image = bk_volume(g->in) * C, pooled = bk_volume(g->out) * C;
  for (int64_t n = lo; n < hi; n++) {
    const float *dy = (const float *)a->p[1] + n * pooled;
    float *dx = (float *)a->p[2] + n * image;
    memset(dx, 0, 4 * (size_t)image);
    for (int64_t o = 0; o < bk_volume(g->out); o++) {
      const bk_tap_range z = bk_taps_inside(g, 0, o / g->out[2] / g->out[1]);
      const bk_tap_range y = bk_taps_inside(g, 1, o / g->out[2] % g->out[1]), x = bk_taps_inside(g, 2, o % g->out[2]);
      const vf share = v_set1(1.0f / (float)((z.hi - z.lo) * (y.hi - y.lo) * (x.hi - x.lo)));
      for (int64_t c = 0; c < C; c += VL) {
        const int64_t left = C - c;
        const vf d = v_mul(v_load_n(dy + o * C + c, left), share);
        BK_FOR_TAPS(g, z, y, x, q, v_store_n(dx + q + c, v_add(v_load_n(dx + q + c, left), d), left);)
      }
    }
  }
}
#endif
