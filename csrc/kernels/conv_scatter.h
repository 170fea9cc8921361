/* conv_scatter.h: dx from dz for any stride: for each row of the filter the product dz[pixel, f] w[f, (kx, c)], whose rows
 * are added to dx where the filter lay. No zero is multiplied. Included by conv.h.
 * p0 bk_conv, p1 dz, p2 weights in ORDER_SCATTER, p3 stored output whose activation is undone or NULL, p4 dx; n0 act;
 * f0 alpha, f1 scale. A unit is one image. */

#define SCATTER_BYTES (32 << 10)     /* of one product, at most about */

BK_INLINE int64_t bk_scatter_extent(const bk_conv *g, int i) {
  return bk_max(bk_conv_extent(g, i, g->out[i]), g->before[i] + g->in[i]);
}
/* Rows of outputs multiplied at a time. */
static inline int64_t bk_scatter_rows(const bk_conv *g) {
  const int64_t wide = bk_ceil(bk_conv_segment_length(g), BK_PANEL) * BK_PANEL * g->out[2];
  return bk_max(1, bk_min(g->out[1], SCATTER_BYTES / 4 / wide));
}
static inline int64_t bk_scatter_product(const bk_conv *g) {
  return bk_scatter_rows(g) * g->out[2] * bk_ceil(bk_conv_segment_length(g), BK_PANEL) * BK_PANEL;
}

static bk_plan plan_conv_scatter(const bk_args *a) {
  const bk_conv *g = a->p[0];
  int64_t scratch = bk_scatter_product(g) + BK_PANEL;
  if (bk_conv_has_border(g)) scratch += bk_scatter_extent(g, 0) * bk_scatter_extent(g, 1) * bk_scatter_extent(g, 2) * g->C;
  bk_plan p = {g->N, 4 * scratch, bk_conv_flops(g), bk_conv_bytes(g)};
  return p;
}

BK_INLINE void bk_add_run(float *to, const float *from, int64_t n) {
  int64_t i = 0;
  for (; i + VL <= n; i += VL) v_store(to + i, v_add(v_load(to + i), v_load(from + i)));
  if (i < n) v_store_n(to + i, v_add(v_load_n(to + i, n - i), v_load(from + i)), n - i);
}

/* Adds the product's rows, one a pixel, to where the segment lies under each. Pixels whose runs overlap are kept apart, for
 * a load that meets half of a store that has just been made waits for it. */
static void bk_scatter_add(const bk_conv *g, const float *product, int64_t wide, int64_t rows, int64_t length, float *to,
                           int64_t row) {
  const int64_t width = g->out[2], step = g->stride[2] * g->C;
  const int64_t apart = bk_min(bk_max(bk_ceil(length, step), 1), width);
  for (int64_t r = 0; r < apart; r++)
    for (int64_t y = 0; y < rows; y++)
      for (int64_t x = r; x < width; x += apart)
        bk_add_run(to + y * g->stride[1] * row + x * step, product + (y * width + x) * wide, length);
}

/* dx = scale f'(y) * sum, over a run. */
BK_INLINE void bk_scatter_finish(float *dx, const float *sum, const float *y, int64_t n, int act, float alpha, float scale) {
  for (int64_t i = 0; i < n; i += VL) {
    vf v = v_load_n(sum + i, n - i);
    if (y) v = bk_act_slope(v, v_load_n(y + i, n - i), act, alpha);
    v_store_n(dx + i, v_mul(v, v_set1(scale)), n - i);
  }
}

BK_KERNEL(conv_scatter) {
  const bk_conv *g = a->p[0];
  const int64_t C = g->C, F = g->F / g->groups, length = bk_conv_segment_length(g), segments = bk_conv_segments(g);
  const int64_t pieces = bk_ceil(length, BK_PANEL), wide = pieces * BK_PANEL, width = g->out[2], most = bk_scatter_rows(g);
  const int border = bk_conv_has_border(g), act = a->p[3] ? (int)a->n[0] : BK_LINEAR;
  int64_t extent[3];
  for (int i = 0; i < 3; i++) extent[i] = border ? bk_scatter_extent(g, i) : g->in[i];
  const int64_t row = extent[2] * C, slice = extent[1] * row, image = bk_volume(g->in) * C;
  const int64_t taps = bk_conv_whole_rows(g) ? 1 : g->kernel[2];
  float *product = w->scratch, *sums = product + bk_scatter_product(g);
  for (int64_t n = lo; n < hi; n++) {
    float *dx = (float *)a->p[4] + n * image, *to = border ? sums : dx;
    memset(to, 0, 4 * (size_t)(extent[0] * slice));
    for (int64_t z = 0; z < g->out[0]; z++) for (int64_t y0 = 0; y0 < g->out[1]; y0 += most) {
      const int64_t rows = bk_min(most, g->out[1] - y0);
      const float *dz = (const float *)a->p[1] + (((n * g->out[0] + z) * g->out[1] + y0) * width) * g->F;
      const bk_split split = bk_split_rows(rows * width);
      for (int64_t s = 0; s < g->groups * segments; s++) {
        const int64_t group = s / segments, q = s % segments;
        const int64_t kx = q % taps, ky = q / taps % g->kernel[1], kz = q / taps / g->kernel[1];
        for (int64_t p = 0; p < pieces; p++) {
          bk_tile t = {.K = F, .a = dz + group * F, .ars = g->F, .aks = 1, .b = (const float *)a->p[2] + (s * pieces + p) * F * BK_PANEL,
                       .bks = BK_PANEL, .c = product + p * BK_PANEL, .ldc = wide, .nc = BK_PANEL, .init = bk_zeros};
          bk_strip(&t, split, 0);
        }
        float *at = to + (z * g->stride[0] + kz * g->dilation[0]) * slice + (y0 * g->stride[1] + ky * g->dilation[1]) * row
                    + kx * g->dilation[2] * C + group * (C / g->groups);
        bk_scatter_add(g, product, wide, rows, length, at, row);
      }
    }
    if (!border && act == BK_LINEAR && a->f[1] == 1.0f) continue;
    for (int64_t i = 0; i < g->in[0] * g->in[1]; i++) {
      const float *sum = to + (i / g->in[1] + (border ? g->before[0] : 0)) * slice
                         + (i % g->in[1] + (border ? g->before[1] : 0)) * row + (border ? g->before[2] : 0) * C;
      const float *y = act == BK_LINEAR ? 0 : (const float *)a->p[3] + n * image + i * g->in[2] * C;
      bk_scatter_finish(dx + i * g->in[2] * C, sum, y, g->in[2] * C, act, a->f[0], a->f[1]);
    }
  }
}
