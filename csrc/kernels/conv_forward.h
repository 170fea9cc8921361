/* conv_forward.h: y[pixel, f] = act(sum_k window[pixel + k] w[k, f] + bias[f]): a matrix product whose left side is read
 * through pointers into the window. Included by conv.h.
 * p0 bk_conv, p1 x, p2 weights in panels by groups, p3 bias or NULL, p4 stored output whose activation is undone or NULL,
 * p5 y; n0 act; f0 alpha, f1 scale. A unit is a band of rows of one image. */

typedef struct bk_conv_tile {
  bk_tile out;                       /* c, ldc, nc, y, ldy, init, fin, act, alpha, scale */
  const float *window;
  const int32_t *pixel;              /* offsets of the outputs' windows */
  const int64_t *segment;
  int64_t segments, length;
} bk_conv_tile;

BK_INLINE void bk_conv_tile_body(const bk_conv_tile *s, const int mr, const int nv) {
  vf c[8][NV];
  BK_EACH_OF(i, j, mr, nv) c[i][j] = v_load(s->out.init + j * VL);
  const float *b = s->out.b;
  for (int64_t q = 0; q < s->segments; q++) {
    const float *base = s->window + s->segment[q], *row[8];
    BK_UNROLL for (int i = 0; i < mr; i++) row[i] = base + s->pixel[i];
    for (int64_t k = 0, n = s->length; k < n; k++, b += BK_PANEL) {
      vf bv[NV];
      BK_UNROLL for (int j = 0; j < nv; j++) {
        bv[j] = v_load(b + j * VL);
        if (NV <= 2) BK_PIN(bv[j]);
      }
      BK_UNROLL for (int i = 0; i < mr; i++) {
        vf av = v_bcast(row[i] + k);
        BK_UNROLL for (int j = 0; j < nv; j++) c[i][j] = v_fma(av, bv[j], c[i][j]);
      }
    }
  }
  if (nv < NV || s->out.nc < BK_PANEL || s->out.fin >= FIN_CALL) {
    float sums[8 * BK_PANEL] __attribute__((aligned(64)));
    BK_EACH_OF(i, j, mr, nv) v_store(sums + i * BK_PANEL + j * VL, c[i][j]);
    int rows = mr;
    __asm__("" : "+r"(rows));
    bk_tile_slow(&s->out, rows, sums, s->out.c, s->out.y);
  } else {
    bk_tile_finish(&s->out, mr, c, s->out.c, s->out.y);
  }
}

typedef void (*bk_conv_tile_fn)(const bk_conv_tile *t);
#define BK_CONV_TILE(R) BK_NOINLINE void bk_conv_tile_##R(const bk_conv_tile *t) { bk_conv_tile_body(t, R, NV); }
#define BK_CONV_HALF(R) BK_NOINLINE void bk_conv_half_##R(const bk_conv_tile *t) { bk_conv_tile_body(t, R, HALF_NV); }
BK_CONV_SIZES(BK_CONV_TILE)
BK_HALF_SIZES(BK_CONV_HALF)
#define BK_CONV_TILE_NAME(R) bk_conv_tile_##R,
#define BK_CONV_HALF_NAME(R) bk_conv_half_##R,
static const bk_conv_tile_fn bk_conv_tiles[CONV_MR + 1] = {0, BK_CONV_SIZES(BK_CONV_TILE_NAME)};
static const bk_conv_tile_fn bk_conv_halves[HALF_MR + 1] = {0, BK_HALF_SIZES(BK_CONV_HALF_NAME)};

static int64_t bk_conv_forward_scratch(const bk_conv *g, const bk_bands *b) {     /* floats */
  return bk_window_size(g, b->rows, g->C) + b->rows * g->out[2] + BK_PANEL + 2 * (bk_conv_segments(g) + 8);
}

static bk_plan plan_conv_forward(const bk_args *a) {
  const bk_conv *g = a->p[0];
  const bk_bands b = bk_conv_bands(g, g->C);
  bk_plan p = {b.units, 4 * bk_conv_forward_scratch(g, &b), bk_conv_flops(g), bk_conv_bytes(g)};
  return p;
}

BK_KERNEL(conv_forward) {
  const bk_conv *g = a->p[0];
  const float *bias = a->p[3], *slope = a->p[4];
  const bk_bands bands = bk_conv_bands(g, g->C);
  const int64_t C = g->C / g->groups, F = g->F / g->groups, K = bk_volume(g->kernel) * C, panels = bk_ceil(F, BK_PANEL);
  const int64_t pixels = bk_volume(g->out), width = g->out[2], segments = bk_conv_segments(g);
  const int border = bk_conv_has_border(g);
  int64_t *table = (int64_t *)w->scratch;
  int32_t *offset = (int32_t *)(table + segments);
  float *copy = w->scratch + (2 * segments + bands.rows * width + BK_PANEL) / BK_PANEL * BK_PANEL;
  bk_conv_tile t = {.segment = table, .segments = segments, .length = bk_conv_segment_length(g),
                    .out = {.ldc = g->F, .ldy = g->F, .act = (int)a->n[0], .alpha = a->f[0], .scale = a->f[1]}};
  t.out.fin = slope ? bk_fin_slope(slope, t.out.act, t.out.scale) : bk_fin_forward(t.out.act);
  if (t.out.fin != FIN_RELU_SLOPE && t.out.fin != FIN_SLOPE) slope = 0;
  for (int64_t u = lo; u < hi; u++) {
    const int64_t band = u % bands.bands, z = u / bands.bands % g->out[0], n = u / bands.bands / g->out[0];
    const int64_t y0 = band * bands.rows, rows = bk_min(bands.rows, g->out[1] - y0), count = rows * width;
    const bk_window v = bk_window_of(g, (const float *)a->p[1] + n * bk_volume(g->in) * g->C, z, y0, rows, 1, border, copy);
    bk_conv_segment_table(g, &v, table);
    for (int64_t y = 0, i = 0; y < rows; y++)
      for (int64_t x = 0; x < width; x++) offset[i++] = (int32_t)(y * g->stride[1] * v.row + x * g->stride[2] * g->C);
    const int64_t first = ((n * pixels) + (z * g->out[1] + y0) * width) * g->F;
    for (int64_t p = 0; p < g->groups * panels; p++) {
      const int64_t group = p / panels, f0 = group * F + p % panels * BK_PANEL;
      float padded[BK_PANEL];
      t.out.nc = bk_min(BK_PANEL, F - p % panels * BK_PANEL);
      t.out.init = bias ? bias + f0 : bk_zeros;
      if (bias && t.out.nc < BK_PANEL) {
        for (int64_t i = 0; i < BK_PANEL; i++) padded[i] = i < t.out.nc ? bias[f0 + i] : 0.0f;
        t.out.init = padded;
      }
      t.out.b = (const float *)a->p[2] + p * K * BK_PANEL;
      t.window = v.base + group * C;
      t.pixel = offset;
      t.out.c = (float *)a->p[5] + first + f0;
      t.out.y = slope ? slope + first + f0 : 0;
      const int half = t.out.nc <= HALF_PANEL && NV > 1;
      const bk_conv_tile_fn *tiles = half ? bk_conv_halves : bk_conv_tiles;
      const bk_split s = bk_split_by(count, half ? HALF_MR : CONV_MR);
      for (int32_t i = 0; i < s.large + s.small; i++) {
        const int mr = i < s.large ? s.mr : s.mr - 1;
        tiles[mr](&t);
        t.pixel += mr;
        t.out.c += mr * g->F;
        if (slope) t.out.y += mr * g->F;
      }
    }
  }
}
