/* conv_wgrad.h: dw[k, f] = sum over pixels of window[pixel + k] dz[pixel, f], db[f] = sum over pixels of dz[pixel, f].
 * Included by conv.h.
 *
 * The images are cut into shards by shapes alone (passes/lower/rules_conv.py); each shard sums into a copy of its own, and
 * conv_wgrad_sum adds the copies in order: the bits do not depend on threads. A copy is [group][F/16][K + 1][16], its last
 * row the bias's. */

static inline int64_t bk_wgrad_rows(const bk_conv *g) { return bk_volume(g->kernel) * (g->C / g->groups); }
static inline int64_t bk_wgrad_panels(const bk_conv *g) { return g->groups * bk_ceil(g->F / g->groups, BK_PANEL); }
BK_INLINE int64_t bk_wgrad_copy(const bk_conv *g) { return bk_wgrad_panels(g) * (bk_wgrad_rows(g) + 1) * BK_PANEL; }

/* ---- sums of a few rows of dw over the pixels of a band ---- */
typedef struct bk_wgrad_tile {
  const float *window;
  const int32_t *row;                /* offsets of the rows of dw into the window */
  const float *dz;
  float *sum;                        /* [mr][16] */
  int64_t F, width, height, xstep, ystep;
  int first;                         /* nothing has been summed yet */
} bk_wgrad_tile;

BK_INLINE void bk_wgrad_tile_body(const bk_wgrad_tile *t, const int mr, const int nv) {
  vf c[8][NV];
  const float *x[8];
  BK_UNROLL for (int i = 0; i < mr; i++) x[i] = t->window + t->row[i];
  if (t->first) BK_EACH_OF(i, j, mr, nv) c[i][j] = v_zero();
  else BK_EACH_OF(i, j, mr, nv) c[i][j] = v_load(t->sum + i * BK_PANEL + j * VL);
  const float *dz = t->dz;
  const int64_t F = t->F, xstep = t->xstep;
  for (int64_t y = 0; y < t->height; y++) {
    int64_t at = y * t->ystep;
    for (int64_t n = t->width; n > 0; n--, at += xstep, dz += F) {
      vf d[NV];
      BK_UNROLL for (int j = 0; j < nv; j++) {
        d[j] = v_load(dz + j * VL);                  /* past F: the next pixel's, in columns that nobody reads */
        if (NV <= 2) BK_PIN(d[j]);
      }
      BK_UNROLL for (int i = 0; i < mr; i++) {
        vf xv = v_bcast(x[i] + at);
        BK_UNROLL for (int j = 0; j < nv; j++) c[i][j] = v_fma(xv, d[j], c[i][j]);
      }
    }
  }
  BK_EACH_OF(i, j, mr, nv) v_store(t->sum + i * BK_PANEL + j * VL, c[i][j]);
}

typedef void (*bk_wgrad_tile_fn)(const bk_wgrad_tile *t);
#define BK_WGRAD_TILE(R) BK_NOINLINE void bk_wgrad_tile_##R(const bk_wgrad_tile *t) { bk_wgrad_tile_body(t, R, NV); }
#define BK_WGRAD_HALF(R) BK_NOINLINE void bk_wgrad_half_##R(const bk_wgrad_tile *t) { bk_wgrad_tile_body(t, R, HALF_NV); }
BK_CONV_SIZES(BK_WGRAD_TILE)
BK_HALF_SIZES(BK_WGRAD_HALF)
#define BK_WGRAD_TILE_NAME(R) bk_wgrad_tile_##R,
#define BK_WGRAD_HALF_NAME(R) bk_wgrad_half_##R,
static const bk_wgrad_tile_fn bk_wgrad_tiles[CONV_MR + 1] = {0, BK_CONV_SIZES(BK_WGRAD_TILE_NAME)};
static const bk_wgrad_tile_fn bk_wgrad_halves[HALF_MR + 1] = {0, BK_HALF_SIZES(BK_WGRAD_HALF_NAME)};

/* Output rows whose window and gradients are summed at a time, about as many in each band: they stay in an L1 cache while all
 * rows of dw walk them. */
#define BAND_BYTES (24 << 10)
#define BAND_PIXELS 48       /* at least, where an image has so many: each tile's sums are loaded and stored once a band */
static inline int64_t bk_wgrad_band(const bk_conv *g, int64_t F) {
  const int64_t row = 4 * (g->kernel[0] * g->stride[1] * bk_conv_extent(g, 2, g->out[2]) * g->C + g->out[2] * F);
  const int64_t most = bk_min(g->out[1], bk_max(bk_max(BAND_BYTES / row, bk_ceil(BAND_PIXELS, g->out[2])), 1));
  return bk_ceil(g->out[1], bk_ceil(g->out[1], most));
}

/* p0 bk_conv, p1 x, p2 dz, p3 the copies; n0 shards. A unit is one shard's part of one panel. */
static bk_plan plan_conv_wgrad(const bk_args *a) {
  const bk_conv *g = a->p[0];
  const int64_t band = bk_wgrad_band(g, BK_PANEL);
  const int64_t scratch = bk_wgrad_rows(g) + BK_PANEL + bk_window_size(g, band, g->C) + band * g->out[2] * BK_PANEL;
  bk_plan p = {a->n[0] * bk_wgrad_panels(g), 4 * scratch, bk_conv_flops(g), bk_conv_bytes(g)};
  return p;
}

/* A panel of dz as rows of 16, one after another: where filters are many, its lines lie so far apart (a power of two) that
 * they would fight for a few sets of an L1 cache. */
static void bk_wgrad_pack(const float *dz, int64_t F, int64_t pixels, float *out) {
  for (; pixels > 0; pixels--, dz += F, out += BK_PANEL)
    BK_UNROLL for (int j = 0; j < NV; j++) v_store(out + j * VL, v_load(dz + j * VL));
}

static void bk_wgrad_bias(const float *dz, int64_t F, int64_t pixels, int first, float *sum) {
  vf s[2][NV];
  BK_EACH(i, j, 2) s[i][j] = v_zero();
  int64_t q = 0;
  for (; q + 2 <= pixels; q += 2, dz += 2 * F) BK_EACH(i, j, 2) s[i][j] = v_add(s[i][j], v_load(dz + i * F + j * VL));
  if (q < pixels) BK_UNROLL for (int j = 0; j < NV; j++) s[0][j] = v_add(s[0][j], v_load(dz + j * VL));
  BK_UNROLL for (int j = 0; j < NV; j++)
    v_store(sum + j * VL, v_add(first ? v_zero() : v_load(sum + j * VL), v_add(s[0][j], s[1][j])));
}

BK_KERNEL(conv_wgrad) {
  const bk_conv *g = a->p[0];
  const int64_t C = g->C / g->groups, F = g->F / g->groups, K = bk_wgrad_rows(g), panels = bk_wgrad_panels(g);
  const int64_t shards = a->n[0], band = bk_wgrad_band(g, BK_PANEL);
  const int border = bk_conv_has_border(g);
  int32_t *offset = (int32_t *)w->scratch;
  float *panel = w->scratch + (K + BK_PANEL) / BK_PANEL * BK_PANEL, *copy = panel + band * g->out[2] * BK_PANEL;
  const int packs = g->F > BK_PANEL;
  for (int64_t u = lo; u < hi; u++) {
    const int64_t shard = u / panels, p = u % panels, group = p / (panels / g->groups), q = p % (panels / g->groups);
    const int64_t n0 = g->N * shard / shards, n1 = g->N * (shard + 1) / shards, nc = bk_min(BK_PANEL, F - q * BK_PANEL);
    float *sums = (float *)a->p[3] + u * (K + 1) * BK_PANEL;
    const int half = nc <= HALF_PANEL && NV > 1;
    const bk_wgrad_tile_fn *tiles = half ? bk_wgrad_halves : bk_wgrad_tiles;
    const bk_split s = bk_split_by(K, half ? HALF_MR : CONV_MR);
    bk_wgrad_tile t = {.F = packs ? BK_PANEL : g->F, .width = g->out[2], .first = 1};
    int64_t slice = -1, row = -1;
    for (int64_t n = n0; n < n1; n++) for (int64_t z = 0; z < g->out[0]; z++)
      for (int64_t y0 = 0; y0 < g->out[1]; y0 += band) {
        t.height = bk_min(band, g->out[1] - y0);
        const bk_window v = bk_window_of(g, (const float *)a->p[1] + n * bk_volume(g->in) * g->C, z, y0, t.height, 1, border, copy);
        if (v.slice != slice || v.row != row) {      /* the same for all bands but the last */
          slice = v.slice, row = v.row;
          for (int64_t k = 0; k < K; k++) {
            const int64_t tap = k / C, kx = tap % g->kernel[2], ky = tap / g->kernel[2] % g->kernel[1];
            const int64_t kz = tap / g->kernel[2] / g->kernel[1];
            offset[k] = (int32_t)(kz * slice + ky * g->dilation[1] * row + kx * g->dilation[2] * g->C + k % C);
          }
        }
        t.window = v.base + group * C;
        t.dz = (const float *)a->p[2] + (((n * g->out[0] + z) * g->out[1] + y0) * g->out[2]) * g->F + group * F + q * BK_PANEL;
        if (packs) {
          bk_wgrad_pack(t.dz, g->F, t.height * t.width, panel);
          t.dz = panel;
        }
        t.xstep = g->stride[2] * g->C, t.ystep = g->stride[1] * row;
        t.row = offset, t.sum = sums;
        for (int32_t i = 0; i < s.large + s.small; i++) {
          const int mr = i < s.large ? s.mr : s.mr - 1;
          tiles[mr](&t);
          t.row += mr, t.sum += mr * BK_PANEL;
        }
        bk_wgrad_bias(t.dz, t.F, t.height * t.width, t.first, sums + K * BK_PANEL);
        t.first = 0;
      }
  }
}

/* p0 bk_conv, p1 the copies, p2 dw, p3 db or NULL; n0 shards, n1 whether dw is in panels. A unit is some rows of one panel. */
#define SUM_ROWS 64
static bk_plan plan_conv_wgrad_sum(const bk_args *a) {
  const bk_conv *g = a->p[0];
  const double n = (double)(a->n[0] * bk_wgrad_copy(g));
  bk_plan p = {bk_wgrad_panels(g) * bk_ceil(bk_wgrad_rows(g) + 1, SUM_ROWS), 0, n, 4 * n};
  return p;
}

BK_KERNEL(conv_wgrad_sum) {
  (void)w;
  const bk_conv *g = a->p[0];
  float *dw = a->p[2], *db = a->p[3];
  const int64_t F = g->F / g->groups, K = bk_wgrad_rows(g), each = bk_ceil(F, BK_PANEL), blocks = bk_ceil(K + 1, SUM_ROWS);
  const int64_t size = bk_wgrad_copy(g), shards = a->n[0];
  for (int64_t u = lo; u < hi; u++) {
    const int64_t p = u / blocks, k1 = bk_min((u % blocks + 1) * SUM_ROWS, K + 1), q = p % each * BK_PANEL;
    const int64_t nc = bk_min(BK_PANEL, F - q), f0 = p / each * F + q;
    for (int64_t k = u % blocks * SUM_ROWS; k < k1; k++) {
      const float *in = (const float *)a->p[1] + (p * (K + 1) + k) * BK_PANEL;
      vf s[NV];
      BK_UNROLL for (int j = 0; j < NV; j++) s[j] = v_load(in + j * VL);
      for (int64_t h = 1; h < shards; h++)
        BK_UNROLL for (int j = 0; j < NV; j++) s[j] = v_add(s[j], v_load(in + h * size + j * VL));
      float *out = k == K ? db ? db + f0 : 0 : a->n[1] ? dw + (p * K + k) * BK_PANEL : dw + k * g->F + f0;
      if (!out) continue;
      const int padded = k < K && a->n[1];           /* zeros in a panel's last columns, whatever was summed there */
      BK_UNROLL for (int j = 0; j < NV; j++) {
        const int64_t left = nc - j * VL;
        if (left >= VL) v_store(out + j * VL, s[j]);
        else {
          float lanes[VL];
          v_store(lanes, s[j]);
          for (int64_t i = 0; i < VL; i++)
            if (i < left) out[j * VL + i] = lanes[i];
            else if (padded) out[j * VL + i] = 0;
        }
      }
    }
  }
}
