/* depthwise.h: convolutions of one filter a channel (or `repeat` filters): x[..., C], w[taps, F], y[..., F], F = C * repeat.
 * Channels are the lanes; nothing is summed across them. Included by conv.h. */

#define DEPTH_NV (NV > 1 ? 2 : 1)
#define DEPTH_LANES (DEPTH_NV * VL)  /* channels in a tile */
#define DEPTH_PX 4                   /* pixels in a tile */

static void bk_tap_table(const bk_conv *g, const bk_window *v, int64_t cells, int64_t *table) {
  for (int64_t kz = 0; kz < g->kernel[0]; kz++)
    for (int64_t ky = 0; ky < g->kernel[1]; ky++)
      for (int64_t kx = 0; kx < g->kernel[2]; kx++)
        *table++ = kz * v->slice + ky * g->dilation[1] * v->row + kx * g->dilation[2] * cells;
}

/* ---- forward, and dx where the stride is 1 (n1: the taps backwards) ----
 * p0 bk_conv, p1 x, p2 w[taps, F], p3 bias or NULL, p4 stored output whose activation is undone or NULL, p5 y; n0 act;
 * f0 alpha, f1 scale. A unit is a band of rows of one image. */
static bk_plan plan_depthwise_forward(const bk_args *a) {
  const bk_conv *g = a->p[0];
  const bk_bands b = bk_conv_bands(g, g->F);
  bk_plan p = {b.units, 4 * (bk_window_size(g, b.rows, g->F) + 2 * bk_volume(g->kernel) + 2 * BK_PANEL),
               bk_conv_flops(g), bk_conv_bytes(g)};
  return p;
}

typedef struct { const int64_t *tap; int64_t taps, F, step; const float *bias; const float *y; int fin, act; float alpha, scale; } bk_depth_tile;

/* What becomes of a tile's sums: with `whole` all channels are there. */
BK_INLINE void bk_depth_finish(const bk_depth_tile *t, int64_t f, vf c[DEPTH_PX][DEPTH_NV], const float *slope, float *out,
                               const int px, const int whole, const int fin) {
  const int64_t n = t->F - f;
  BK_EACH_OF(i, j, px, DEPTH_NV) {
    vf v = c[i][j];
    const int64_t left = whole ? VL : n - j * VL, at = i * t->F + j * VL;
    if (left <= 0) continue;
    if (fin == FIN_RELU) v = v_max(v_zero(), v);
    else if (fin == FIN_ACT) v = bk_activate(v, t->act, t->alpha);
    else if (fin >= FIN_SCALE) {
      if (fin == FIN_RELU_SLOPE) v = bk_act_slope(v, v_load_n(slope + at, left), BK_RELU, 0);
      else if (fin == FIN_SLOPE) v = bk_act_slope(v, v_load_n(slope + at, left), t->act, t->alpha);
      v = v_mul(v, v_set1(t->scale));
    }
    v_store_n(out + at, v, left);
  }
}

/* px outputs of DEPTH_LANES channels. With `three`, windows of neighbours are one pixel apart and rows of a filter are three
 * taps: each x of a row is loaded once. */
BK_INLINE void bk_depth_tile_run(const bk_depth_tile *t, const float *x, const float *w, int64_t wstep, int64_t f,
                                 const float *slope, float *out, const int px, const int three) {
  vf c[DEPTH_PX][DEPTH_NV];
  const int64_t n = t->F - f;
  BK_UNROLL for (int j = 0; j < DEPTH_NV; j++) {
    const vf start = t->bias ? v_load_n(t->bias + f + j * VL, bk_max(n - j * VL, 0)) : v_zero();
    BK_UNROLL for (int i = 0; i < px; i++) c[i][j] = start;
  }
  if (three) {
    for (int64_t q = 0; q < t->taps; q += 3, w += 3 * wstep) {
      const float *in = x + t->tap[q];
      vf wv[3][DEPTH_NV];
      BK_EACH_OF(k, j, 3, DEPTH_NV) wv[k][j] = v_load(w + k * wstep + j * VL);
      if (VL == 8) BK_EACH_OF(k, j, 3, DEPTH_NV) BK_PIN(wv[k][j]);
      BK_UNROLL for (int i = 0; i < px + 2; i++) {
        BK_UNROLL for (int j = 0; j < DEPTH_NV; j++) {
          const vf v = v_load(in + j * VL);
          if (i < px) c[i][j] = v_fma(v, wv[0][j], c[i][j]);
          if (i > 0 && i <= px) c[i - 1][j] = v_fma(v, wv[1][j], c[i - 1][j]);
          if (i > 1) c[i - 2][j] = v_fma(v, wv[2][j], c[i - 2][j]);
        }
        BK_STEP(in, t->step);
      }
    }
  } else {
    for (int64_t q = 0; q < t->taps; q++, w += wstep) {
      const float *in = x + t->tap[q];
      vf wv[DEPTH_NV];
      BK_UNROLL for (int j = 0; j < DEPTH_NV; j++) wv[j] = v_load(w + j * VL);
      BK_UNROLL for (int i = 0; i < px; i++) {
        BK_UNROLL for (int j = 0; j < DEPTH_NV; j++) c[i][j] = v_fma(v_load(in + j * VL), wv[j], c[i][j]);
        BK_STEP(in, t->step);
      }
    }
  }
  if (n < DEPTH_LANES || t->fin >= FIN_CALL) bk_depth_finish(t, f, c, slope, out, px, 0, t->fin);
  else if (t->fin == FIN_NONE) bk_depth_finish(t, f, c, slope, out, px, 1, FIN_NONE);
  else if (t->fin == FIN_RELU) bk_depth_finish(t, f, c, slope, out, px, 1, FIN_RELU);
  else if (t->fin == FIN_RELU_SLOPE) bk_depth_finish(t, f, c, slope, out, px, 1, FIN_RELU_SLOPE);
  else bk_depth_finish(t, f, c, slope, out, px, 1, FIN_SCALE);
}

/* One row of outputs. */
BK_INLINE void bk_depth_row_run(const bk_depth_tile *t, const float *x, const float *w, int64_t wstep, int64_t width,
                                const float *slope, float *out, const int three) {
  const int64_t F = t->F;
  const bk_depth_tile here = *t;                     /* the compiler sees that no store changes it */
  for (int64_t f = 0; f < F; f += DEPTH_LANES) {
    int64_t i = 0;
    for (; i + DEPTH_PX <= width; i += DEPTH_PX)
      bk_depth_tile_run(&here, x + i * t->step + f, w + f, wstep, f, slope ? slope + i * F + f : 0, out + i * F + f, DEPTH_PX, three);
    for (; i < width; i++)
      bk_depth_tile_run(&here, x + i * t->step + f, w + f, wstep, f, slope ? slope + i * F + f : 0, out + i * F + f, 1, three);
  }
}

BK_KERNEL(depthwise_forward) {
  const bk_conv *g = a->p[0];
  const float *slope = a->p[4];
  const int64_t F = g->F, repeat = F / g->C, taps = bk_volume(g->kernel), width = g->out[2];
  const bk_bands bands = bk_conv_bands(g, F);
  const int border = bk_conv_has_border(g), three = g->kernel[2] == 3 && g->dilation[2] == 1 && g->stride[2] == 1;
  int64_t *table = (int64_t *)w->scratch;
  float *copy = w->scratch + (2 * taps + BK_PANEL) / BK_PANEL * BK_PANEL;
  bk_depth_tile t = {.tap = table, .taps = taps, .F = F, .step = g->stride[2] * F, .bias = a->p[3],
                     .act = (int)a->n[0], .alpha = a->f[0], .scale = a->f[1]};
  t.fin = slope ? bk_fin_slope(slope, t.act, t.scale) : bk_fin_forward(t.act);
  if (t.fin != FIN_RELU_SLOPE && t.fin != FIN_SLOPE) slope = 0;
  const float *first = (const float *)a->p[2] + (a->n[1] ? (taps - 1) * F : 0);
  const int64_t wstep = a->n[1] ? -F : F;
  for (int64_t u = lo; u < hi; u++) {
    const int64_t band = u % bands.bands, z = u / bands.bands % g->out[0], n = u / bands.bands / g->out[0];
    const int64_t y0 = band * bands.rows, rows = bk_min(bands.rows, g->out[1] - y0);
    const bk_window v = bk_window_of(g, (const float *)a->p[1] + n * bk_volume(g->in) * g->C, z, y0, rows, repeat, border, copy);
    bk_tap_table(g, &v, F, table);
    int64_t at = (((n * g->out[0] + z) * g->out[1] + y0) * width) * F;
    for (int64_t y = 0; y < rows; y++, at += width * F) {
      const float *x = v.base + y * g->stride[1] * v.row, *stored = slope ? slope + at : 0;
      float *out = (float *)a->p[5] + at;
      if (three) bk_depth_row_run(&t, x, first, wstep, width, stored, out, 1);
      else bk_depth_row_run(&t, x, first, wstep, width, stored, out, 0);
    }
  }
}

/* ---- dx for any stride and any number of filters a channel: each input gathers what it was multiplied into ----
 * p0 bk_conv, p1 dz, p2 w[taps, F], p3 stored output or NULL, p4 dx; n0 act; f0 alpha, f1 scale. A unit is one row of dx.
 * Inputs a stride apart gather by the same taps, from outputs that are neighbours; but for the borders, where some miss. */
static bk_plan plan_depthwise_gather(const bk_args *a) {
  const bk_conv *g = a->p[0];
  bk_plan p = {g->N * g->in[0] * g->in[1], 16 * bk_volume(g->kernel) + 64, bk_conv_flops(g), bk_conv_bytes(g)};
  return p;
}

typedef struct { const float *dz, *w; int64_t *from, *weight, count, C, F, step; int act; float alpha, scale; } bk_gather_tile;

/* px inputs, `step` floats apart; from[] is where the first reads dz, the next reads F further. */
BK_INLINE void bk_gather_run(const bk_gather_tile *t, int64_t c, const float *stored, float *dx, const int px, const int act) {
  vf s[DEPTH_PX][DEPTH_NV];
  BK_EACH_OF(i, j, px, DEPTH_NV) s[i][j] = v_zero();
  for (int64_t q = 0; q < t->count; q++) {
    const float *in = t->dz + t->from[q] + c, *wq = t->w + t->weight[q] + c;
    vf wv[DEPTH_NV];
    BK_UNROLL for (int j = 0; j < DEPTH_NV; j++) wv[j] = v_load(wq + j * VL);
    BK_UNROLL for (int i = 0; i < px; i++) {
      BK_UNROLL for (int j = 0; j < DEPTH_NV; j++) s[i][j] = v_fma(v_load(in + j * VL), wv[j], s[i][j]);
      BK_STEP(in, t->F);
    }
  }
  BK_EACH_OF(i, j, px, DEPTH_NV) {
    const int64_t left = t->C - c - j * VL;
    if (left <= 0) continue;
    vf v = s[i][j];
    if (act != BK_LINEAR) v = bk_act_slope(v, v_load_n(stored + i * t->step + c + j * VL, left), act, t->alpha);
    v_store_n(dx + i * t->step + c + j * VL, v_mul(v, v_set1(t->scale)), left);
  }
}

BK_INLINE void bk_gather_channels(const bk_gather_tile *t, const float *stored, float *dx, const int px) {
  for (int64_t c = 0; c < t->C; c += DEPTH_LANES) {
    if (t->act == BK_LINEAR) bk_gather_run(t, c, stored, dx, px, BK_LINEAR);
    else if (t->act == BK_RELU) bk_gather_run(t, c, stored, dx, px, BK_RELU);
    else bk_gather_run(t, c, stored, dx, px, t->act);
  }
}

/* Several filters a channel: channel by channel. */
static void bk_gather_repeated(const bk_gather_tile *t, int64_t repeat, const float *stored, float *dx) {
  for (int64_t c = 0; c < t->C; c += VL) {
    const int64_t left = t->C - c;
    float lanes[VL] = {0};
    for (int64_t q = 0; q < t->count; q++)
      for (int64_t i = 0; i < VL && i < left; i++)
        for (int64_t r = 0; r < repeat; r++)
          lanes[i] += t->dz[t->from[q] + (c + i) * repeat + r] * t->w[t->weight[q] + (c + i) * repeat + r];
    vf s = v_load(lanes);
    if (t->act != BK_LINEAR) s = bk_act_slope(s, v_load_n(stored + c, left), t->act, t->alpha);
    v_store_n(dx + c, v_mul(s, v_set1(t->scale)), left);
  }
}

/* The taps of the input at (z, y, x), whose windows' offsets and weights go into the tile. */
static void bk_gather_taps(const bk_conv *g, int64_t z, int64_t y, int64_t x, bk_gather_tile *t) {
  const int64_t *kernel = g->kernel;
  t->count = 0;
  for (int64_t kz = 0; kz < kernel[0]; kz++) {
    const int64_t oz = bk_tap_output(g, 0, z, kz);
    for (int64_t ky = 0; ky < kernel[1] && oz >= 0; ky++) {
      const int64_t oy = bk_tap_output(g, 1, y, ky);
      for (int64_t kx = 0; kx < kernel[2] && oy >= 0; kx++) {
        const int64_t ox = bk_tap_output(g, 2, x, kx);
        if (ox < 0) continue;
        t->from[t->count] = ((oz * g->out[1] + oy) * g->out[2] + ox) * g->F;
        t->weight[t->count++] = ((kz * kernel[1] + ky) * kernel[2] + kx) * g->F;
      }
    }
  }
}

/* Inputs x, x + stride, ... in [first, end) have all taps of their kind within the outputs. */
static void bk_gather_inside(const bk_conv *g, int64_t phase, int64_t *first, int64_t *end) {
  const int64_t stride = g->stride[2], count = bk_ceil(g->in[2] - phase, stride);
  int64_t lo = 0, hi = count;
  for (int64_t kx = 0; kx < g->kernel[2]; kx++) {
    const int64_t at = phase + g->before[2] - kx * g->dilation[2];
    if (at % stride) continue;
    lo = bk_max(lo, -at / stride), hi = bk_min(hi, g->out[2] - at / stride);
  }
  *first = phase + bk_min(lo, count) * stride, *end = phase + bk_max(hi, bk_min(lo, count)) * stride;
}

BK_KERNEL(depthwise_gather) {
  const bk_conv *g = a->p[0];
  const int64_t C = g->C, F = g->F, repeat = F / C, stride = g->stride[2], width = g->in[2];
  bk_gather_tile t = {.w = a->p[2], .from = (int64_t *)w->scratch, .C = C, .F = F, .step = stride * C,
                      .act = a->p[3] ? (int)a->n[0] : BK_LINEAR, .alpha = a->f[0], .scale = a->f[1]};
  t.weight = t.from + bk_volume(g->kernel);
  for (int64_t u = lo; u < hi; u++) {
    const int64_t y = u % g->in[1], z = u / g->in[1] % g->in[0], n = u / g->in[1] / g->in[0];
    t.dz = (const float *)a->p[1] + n * bk_volume(g->out) * F;
    float *dx = (float *)a->p[4] + u * width * C;
    const float *stored = t.act == BK_LINEAR ? dx : (const float *)a->p[3] + u * width * C;
    for (int64_t phase = 0; phase < bk_min(stride, width); phase++) {
      int64_t first, end, x = phase;
      bk_gather_inside(g, phase, &first, &end);
      while (x < width) {
        const int inside = repeat == 1 && x >= first && x < end;
        bk_gather_taps(g, z, y, x, &t);
        if (repeat > 1) bk_gather_repeated(&t, repeat, stored + x * C, dx + x * C);
        else if (!inside) bk_gather_channels(&t, stored + x * C, dx + x * C, 1);
        if (!inside) { x += stride; continue; }
        for (; x + (DEPTH_PX - 1) * stride < end; x += DEPTH_PX * stride) {
          bk_gather_channels(&t, stored + x * C, dx + x * C, DEPTH_PX);
          for (int64_t q = 0; q < t.count; q++) t.from[q] += DEPTH_PX * F;
        }
        for (; x < end; x += stride) {
          bk_gather_channels(&t, stored + x * C, dx + x * C, 1);
          for (int64_t q = 0; q < t.count; q++) t.from[q] += F;
        }
      }
    }
  }
}

/* ---- dw, db: shards as in conv_wgrad.h; a copy is [taps + 1][F rounded up to 16], for shard_sum ----
 * p0 bk_conv, p1 x, p2 dz, p3 the copies; n0 shards, n1 db is wanted. A unit is one shard. */
#define DEPTH_TAPS 9                 /* summed at a time */

BK_INLINE int64_t bk_depth_row(const bk_conv *g) { return bk_ceil(g->F, BK_PANEL) * BK_PANEL; }
BK_INLINE int64_t bk_depth_copy(const bk_conv *g) { return (bk_volume(g->kernel) + 1) * bk_depth_row(g); }

static bk_plan plan_depthwise_wgrad(const bk_args *a) {
  const bk_conv *g = a->p[0];
  const bk_bands b = bk_conv_bands(g, g->F);
  bk_plan p = {a->n[0], 4 * (bk_window_size(g, b.rows, g->F) + 2 * bk_volume(g->kernel) + 2 * BK_PANEL),
               bk_conv_flops(g), bk_conv_bytes(g)};
  return p;
}

typedef struct { const float *x, *dz; const int64_t *tap; float *sum; int64_t row, F, width, height, xstep, ystep; int first; } bk_depth_sum;

BK_INLINE void bk_depth_sum_run(const bk_depth_sum *t, const int taps) {
  vf c[DEPTH_TAPS];
  BK_UNROLL for (int q = 0; q < taps; q++) c[q] = t->first ? v_zero() : v_load(t->sum + q * t->row);
  const float *dz = t->dz;
  for (int64_t y = 0; y < t->height; y++) {
    const float *x = t->x + y * t->ystep;
    for (int64_t n = t->width; n > 0; n--, x += t->xstep, dz += t->F) {
      const vf d = v_load(dz);
      BK_UNROLL for (int q = 0; q < taps; q++) c[q] = v_fma(v_load(x + t->tap[q]), d, c[q]);
    }
  }
  BK_UNROLL for (int q = 0; q < taps; q++) v_store(t->sum + q * t->row, c[q]);
}

BK_KERNEL(depthwise_wgrad) {
  const bk_conv *g = a->p[0];
  const int64_t F = g->F, repeat = F / g->C, taps = bk_volume(g->kernel), shards = a->n[0];
  const bk_bands bands = bk_conv_bands(g, F);
  const int border = bk_conv_has_border(g);
  int64_t *table = (int64_t *)w->scratch;
  float *copy = w->scratch + (2 * taps + BK_PANEL) / BK_PANEL * BK_PANEL;
  for (int64_t u = lo; u < hi; u++) {
    float *sums = (float *)a->p[3] + u * bk_depth_copy(g);
    bk_depth_sum t = {.row = bk_depth_row(g), .F = F, .width = g->out[2], .xstep = g->stride[2] * F, .first = 1};
    for (int64_t n = g->N * u / shards, n1 = g->N * (u + 1) / shards; n < n1; n++)
      for (int64_t z = 0; z < g->out[0]; z++) for (int64_t y0 = 0; y0 < g->out[1]; y0 += bands.rows) {
        t.height = bk_min(bands.rows, g->out[1] - y0);
        const bk_window v = bk_window_of(g, (const float *)a->p[1] + n * bk_volume(g->in) * g->C, z, y0, t.height, repeat, border, copy);
        bk_tap_table(g, &v, F, table);
        t.ystep = g->stride[1] * v.row;
        const float *dz = (const float *)a->p[2] + (((n * g->out[0] + z) * g->out[1] + y0) * g->out[2]) * F;
        for (int64_t f = 0; f < F; f += VL) {
          t.x = v.base + f, t.dz = dz + f;
          for (int64_t q = 0; q < taps; q += DEPTH_TAPS) {
            t.tap = table + q, t.sum = sums + q * t.row + f;
            const int64_t some = bk_min(DEPTH_TAPS, taps - q);
            if (some == DEPTH_TAPS) bk_depth_sum_run(&t, DEPTH_TAPS);
            else for (int64_t i = 0; i < some; i++) {
              bk_depth_sum_run(&t, 1);
              t.tap++, t.sum += t.row;
            }
          }
          if (!a->n[1]) continue;
          vf s = t.first ? v_zero() : v_load(sums + taps * t.row + f);
          for (int64_t i = 0; i < t.height * t.width; i++) s = v_add(s, v_load(t.dz + i * F));
          v_store(sums + taps * t.row + f, s);
        }
        t.first = 0;
      }
  }
}

/* ---- sums of copies [rows + 1][F rounded up to 16], the last row the bias's: p0 the copies, p1 dw[rows, F], p2 db or NULL;
 * n0 shards, n1 rows, n2 F. A unit is some rows ---- */
static bk_plan plan_shard_sum(const bk_args *a) {
  const double n = (double)(a->n[0] * (a->n[1] + 1) * a->n[2]);
  bk_plan p = {bk_ceil(a->n[1] + 1, SUM_ROWS), 0, n, 4 * n};
  return p;
}

BK_KERNEL(shard_sum) {
  (void)w;
  const int64_t shards = a->n[0], rows = a->n[1], F = a->n[2], row = bk_ceil(F, BK_PANEL) * BK_PANEL, size = (rows + 1) * row;
  for (int64_t k = lo * SUM_ROWS; k < bk_min(hi * SUM_ROWS, rows + 1); k++) {
    float *out = k == rows ? a->p[2] : (float *)a->p[1] + k * F;
    if (!out) continue;
    for (int64_t f = 0; f < F; f += VL) {
      const float *in = (const float *)a->p[0] + k * row + f;
      vf s = v_load(in);
      for (int64_t h = 1; h < shards; h++) s = v_add(s, v_load(in + h * size));
      v_store_n(out + f, s, F - f);
    }
  }
}
