/* conv_pack.h: weights in the order in which a product walks them, group by group. Included by conv.h.
 * p0 bk_conv of the layer, p1 w, p2 out; n0 enum bk_conv_order, n1 whether w is in panels. A unit is one panel. */
enum bk_conv_order {
  ORDER_FORWARD,   /* [group][F/16][taps, C][16]: panels of filters */
  ORDER_TURNED,    /* [group][C/16][taps backwards, F][16]: for dx as a convolution of dz */
  ORDER_SCATTER,   /* [group][segment][length/16][F][16]: for dx as a product that is scattered */
};

typedef struct { int64_t panels, rows; } bk_pack_shape;      /* of one group */
static bk_pack_shape bk_conv_pack_shape(const bk_conv *g, int64_t order) {
  const int64_t C = g->C / g->groups, F = g->F / g->groups, taps = bk_volume(g->kernel);
  bk_pack_shape s = {bk_ceil(F, BK_PANEL), taps * C};
  if (order == ORDER_TURNED) s.panels = bk_ceil(C, BK_PANEL), s.rows = taps * F;
  if (order == ORDER_SCATTER) s.panels = bk_conv_segments(g) * bk_ceil(bk_conv_segment_length(g), BK_PANEL), s.rows = F;
  return s;
}

static bk_plan plan_conv_pack(const bk_args *a) {
  const bk_conv *g = a->p[0];
  const bk_pack_shape s = bk_conv_pack_shape(g, a->n[0]);
  const double n = (double)(g->groups * s.panels * s.rows * BK_PANEL);
  bk_plan p = {g->groups * s.panels, 0, n, 8 * n};
  return p;
}

BK_KERNEL(conv_pack) {
  (void)w;
  const bk_conv *g = a->p[0];
  const float *weights = a->p[1];
  const int64_t order = a->n[0], C = g->C / g->groups, F = g->F / g->groups, taps = bk_volume(g->kernel), K = taps * C;
  const int64_t length = bk_conv_segment_length(g), pieces = bk_ceil(length, BK_PANEL);
  const int in_panels = (int)a->n[1];
  const bk_pack_shape s = bk_conv_pack_shape(g, order);
  for (int64_t u = lo; u < hi; u++) {
    const int64_t group = u / s.panels, p = u % s.panels, f0 = group * F;
    float *out = (float *)a->p[2] + u * s.rows * BK_PANEL;
    for (int64_t r = 0; r < s.rows; r++, out += BK_PANEL) {
      for (int64_t j = 0; j < BK_PANEL; j++) {
        int64_t k = -1, f = 0;                       /* which weight lies here: none past the end */
        if (order == ORDER_FORWARD) {
          if (p * BK_PANEL + j < F) k = r, f = p * BK_PANEL + j;
        } else if (order == ORDER_TURNED) {
          if (p * BK_PANEL + j < C) k = (taps - 1 - r / F) * C + p * BK_PANEL + j, f = r % F;
        } else if (p % pieces * BK_PANEL + j < length) {
          k = p / pieces * length + p % pieces * BK_PANEL + j, f = r;
        }
        out[j] = k < 0 ? 0.0f : bk_conv_weight(weights, in_panels, K, g->F, k, f0 + f);
      }
    }
  }
}
