/* optim_factored.h: Adafactor, whose second moments are an outer product of row and column means (ops/optim_rules.py is the
 * specification). One parameter an instruction, in four steps: sums of squares, the means made of them, the length of the step,
 * the step.
 *
 * The parameter is B matrices [K, N], kept as [panels][B][K][W]: W is N in row-major order, 16 in panels, whose padding is
 * zero. A unit is R rows of one panel. A parameter of fewer than two dimensions is one row, and its velocity is not factored.
 *
 * n0 B, n1 K, n2 N, n3 W, n4 R, n5 every, n6 1 where not factored
 */
#ifndef BRISKNET_OPTIM_FACTORED_H
#define BRISKNET_OPTIM_FACTORED_H
#include "kernels/optim.h"

typedef struct { int64_t B, K, N, W, R, panels, chunks, units; int plain; } bk_factored;

BK_INLINE bk_factored bk_factored_of(const bk_args *a) {
  bk_factored s = {a->n[0], a->n[1], a->n[2], a->n[3], a->n[4], bk_ceil(a->n[2], a->n[3]), bk_ceil(a->n[1], a->n[4]), 0, a->n[6] != 0};
  s.units = s.B * s.panels * s.chunks;
  return s;
}

static bk_plan bk_factored_plan(const bk_args *a) {
  const bk_factored s = bk_factored_of(a);
  const double n = (double)(s.B * s.panels * s.K * s.W);
  bk_plan p = {s.units, 0, 8 * n, 12 * n};
  return p;
}

/* One unit: its panel (of all), rows [k0, k1), and the column where the panel begins. */
typedef struct { int64_t panel, matrix, chunk, k0, k1, column; } bk_piece;
BK_INLINE bk_piece bk_piece_of(const bk_factored *s, int64_t u) {
  const int64_t panel = u / s->chunks, chunk = u % s->chunks;
  const bk_piece p = {panel, panel % s->B, chunk, chunk * s->R, bk_min(s->K, (chunk + 1) * s->R), panel / s->B * s->W};
  return p;
}

BK_INLINE int bk_factored_idle(const bk_args *a, const int64_t *iterations) { return a->n[5] > 1 && (*iterations + 1) % a->n[5]; }
/* 1 - beta 2 at this step: t ^ beta_2_decay. */
BK_INLINE double bk_factored_share(const bk_args *a, const int64_t *iterations, float power) {
  return pow((double)(*iterations / (a->n[5] > 1 ? a->n[5] : 1) + 1), (double)power);
}

typedef struct { vf scale, limit; int clipped; } bk_factored_gradient;
BK_INLINE bk_factored_gradient bk_factored_gradient_of(const float *scale, float clip) {
  const bk_factored_gradient g = {scale ? v_bcast(scale) : v_set1(1.0f), v_set1(clip), clip > 0};
  return g;
}
BK_INLINE vf bk_factored_load(const bk_factored_gradient *g, const float *p, int64_t n) {
  const vf v = v_mul(v_load_n(p, n), g->scale);
  return g->clipped ? v_min(g->limit, v_max(v_neg(g->limit), v)) : v;
}

/* ---- p0 param, p1 grad, p2 rate, p3 scale or NULL, p4 i64 iterations, p5 f32 row sums [panels * B][K], p6 f32 column sums
 * [chunks][panels * B][W], p7 f64 sums of param^2 [units]; f0 decay, f7 clip value ---- */
static bk_plan plan_factored_sums(const bk_args *a) { return bk_factored_plan(a); }

/* Rows of 16: VL of them at a time, so that their sums make one vector. */
BK_INLINE vf bk_sums_of_16(const bk_factored_gradient *gradient, const float *g, const float *p, int64_t rows, vf decay, float *row_sums,
                           float *column_sums) {
  vf columns[16 / VL], size = v_zero();
  BK_UNROLL for (int j = 0; j < 16 / VL; j++) columns[j] = v_zero();
  for (int64_t k = 0; k < rows; k += VL) {
    vf t[VL];
    for (int i = 0; i < VL; i++) {
      t[i] = v_zero();
      if (k + i >= rows) continue;
      BK_UNROLL for (int j = 0; j < 16 / VL; j++) {
        const vf x = bk_factored_load(gradient, g + (k + i) * 16 + j * VL, VL), square = v_mul(x, x);
        vf w = v_load(p + (k + i) * 16 + j * VL);
        w = v_fnma(w, decay, w);
        t[i] = v_add(t[i], square), columns[j] = v_add(columns[j], square), size = v_fma(w, w, size);
      }
    }
    v_store_n(row_sums + k, v_sum_rows(t), bk_min(VL, rows - k));
  }
  BK_UNROLL for (int j = 0; j < 16 / VL; j++) v_store(column_sums + j * VL, columns[j]);
  return size;
}

/* One vector of a row: g^2 is added to *sum and to the column's sum, the weight's square to *size. */
BK_INLINE void bk_sums_of_vector(const bk_factored_gradient *gradient, const float *g, const float *p, float *column, int64_t n, vf decay,
                                 vf *sum, vf *size) {
  const vf x = bk_factored_load(gradient, g, n), square = v_mul(x, x), w = v_load_n(p, n), kept = v_fnma(w, decay, w);
  *sum = v_add(*sum, square), *size = v_fma(kept, kept, *size);
  v_store_n(column, v_add(v_load_n(column, n), square), n);
}

BK_INLINE vf bk_sums_of_rows(const bk_factored_gradient *gradient, const float *g, const float *p, int64_t rows, int64_t W, vf decay,
                             float *row_sums, float *column_sums) {
  vf size[2] = {v_zero(), v_zero()};
  for (int64_t c = 0; c < W; c += VL) v_store_n(column_sums + c, v_zero(), W - c);
  for (int64_t k = 0; k < rows; k++, g += W, p += W) {
    vf sum[2] = {v_zero(), v_zero()};
    int64_t c = 0;
    for (; c + 2 * VL <= W; c += 2 * VL) {
      bk_sums_of_vector(gradient, g + c, p + c, column_sums + c, VL, decay, &sum[0], &size[0]);
      bk_sums_of_vector(gradient, g + c + VL, p + c + VL, column_sums + c + VL, VL, decay, &sum[1], &size[1]);
    }
    for (; c < W; c += VL) bk_sums_of_vector(gradient, g + c, p + c, column_sums + c, bk_min(VL, W - c), decay, &sum[0], &size[0]);
    row_sums[k] = v_hsum(v_add(sum[0], sum[1]));
  }
  return v_add(size[0], size[1]);
}

BK_KERNEL(factored_sums) {
  (void)w;
  if (bk_factored_idle(a, a->p[4])) return;
  const bk_factored s = bk_factored_of(a);
  const bk_factored_gradient gradient = bk_factored_gradient_of(a->p[3], a->f[7]);
  const vf decay = v_set1(a->f[0] * *(const float *)a->p[2]);
  for (int64_t u = lo; u < hi; u++) {
    const bk_piece e = bk_piece_of(&s, u);
    const int64_t at = (e.panel * s.K + e.k0) * s.W;
    const float *p = (const float *)a->p[0] + at, *g = (const float *)a->p[1] + at;
    float *row_sums = (float *)a->p[5] + e.panel * s.K + e.k0;
    float *column_sums = (float *)a->p[6] + (e.chunk * s.B * s.panels + e.panel) * s.W;
    const vf size = s.W == 16 ? bk_sums_of_16(&gradient, g, p, e.k1 - e.k0, decay, row_sums, column_sums)
                              : bk_sums_of_rows(&gradient, g, p, e.k1 - e.k0, s.W, decay, row_sums, column_sums);
    ((double *)a->p[7])[u] = (double)v_hsum(size);
  }
}

/* ---- p0 row means [B, K], p1 column means [B, N], p2 f32 row factors [B, K], p4 .. p7 as above; f0 epsilon 1, f1 beta_2_decay ---- */
BK_KERNEL(factored_means) {
  (void)w;
  if (lo >= hi || bk_factored_idle(a, a->p[4]) || a->n[6]) return;
  const bk_factored s = bk_factored_of(a);
  const double share = bk_factored_share(a, a->p[4], a->f[1]), epsilon = a->f[0];
  float *rows = a->p[0], *columns = a->p[1], *factors = a->p[2];
  const float *row_sums = a->p[5], *column_sums = a->p[6];
  for (int64_t b = 0; b < s.B; b++) {
    double total = 0;
    for (int64_t k = 0; k < s.K; k++) {
      double sum = 0;
      for (int64_t q = 0; q < s.panels; q++) sum += (double)row_sums[(q * s.B + b) * s.K + k];
      float *r = rows + b * s.K + k;
      *r = (float)((1 - share) * (double)*r + share * (sum / (double)s.N + epsilon));
      total += (double)*r;
    }
    const double scale = (double)s.K / total;
    for (int64_t k = 0; k < s.K; k++) factors[b * s.K + k] = (float)((double)rows[b * s.K + k] * scale);
    for (int64_t c = 0; c < s.N; c++) {
      double sum = 0;
      for (int64_t h = 0; h < s.chunks; h++) sum += (double)column_sums[((h * s.panels + c / s.W) * s.B + b) * s.W + c % s.W];
      float *to = columns + b * s.N + c;
      *to = (float)((1 - share) * (double)*to + share * (sum / (double)s.K + epsilon));
    }
  }
}

/* g / sqrt(v), and 0 where g is 0 (as in the padding, where v is 0 too). */
BK_INLINE vf bk_factored_direction(vf g, vf v) { return v_mask(v_ne(g, v_zero()), v_div(g, v_sqrt(v))); }

/* The row k of a piece: its gradient, velocity, column means and how many of these there are, and its row factor. */
typedef struct { const float *g, *columns; float *velocity; vf factor; int64_t at, width; } bk_factored_row;
BK_INLINE bk_factored_row bk_factored_row_of(const bk_args *a, const bk_factored *s, const bk_piece *e, int64_t k) {
  const int64_t at = (e->panel * s->K + k) * s->W;
  const bk_factored_row r = {(const float *)a->p[1] + at, s->plain ? 0 : (const float *)a->p[2] + e->matrix * s->N + e->column,
                             (float *)a->p[0] + at, s->plain ? v_zero() : v_bcast((const float *)a->p[5] + e->matrix * s->K + k), at,
                             bk_min(s->W, s->N - e->column)};
  return r;
}
/* for (c = 0; c < width; c += VL) call(c, n), whole vectors first; the padding of a last panel stays as it is, zero. */
#define BK_COLUMNS(width, call) do { \
    int64_t c = 0; \
    for (; c + VL <= (width); c += VL) call(c, VL); \
    if (c < (width)) call(c, (width) - c); \
  } while (0)

/* ---- p0 velocity, p1 grad, p2 column means, p3 scale or NULL, p4 i64 iterations, p5 row factors, p6 f64 sums of step^2 [units];
 * f0 epsilon 1, f1 beta_2_decay, f7 clip value ---- */
static bk_plan plan_factored_lengths(const bk_args *a) { return bk_factored_plan(a); }
BK_KERNEL(factored_lengths) {
  (void)w;
  if (bk_factored_idle(a, a->p[4])) return;
  const bk_factored s = bk_factored_of(a);
  const bk_factored_gradient gradient = bk_factored_gradient_of(a->p[3], a->f[7]);
  const double share = bk_factored_share(a, a->p[4], a->f[1]);
  const vf add = v_set1((float)share), keep = v_set1((float)(1 - share)), epsilon = v_set1(a->f[0]);
  for (int64_t u = lo; u < hi; u++) {
    const bk_piece e = bk_piece_of(&s, u);
    vf sum = v_zero();
    for (int64_t k = e.k0; k < e.k1; k++) {
      const bk_factored_row r = bk_factored_row_of(a, &s, &e, k);
      /* (g / sqrt(v))^2 = g^2 / v, and 0 where g is 0 */
#define BK_LENGTH(c, n) do { \
        const vf x = bk_factored_load(&gradient, r.g + (c), n), square = v_mul(x, x); \
        const vf v = v_mul(r.factor, v_load_n(r.columns + (c), n)); \
        sum = v_add(sum, v_mask(v_ne(square, v_zero()), v_div(square, v))); \
      } while (0)
#define BK_PLAIN(c, n) do { \
        const vf x = bk_factored_load(&gradient, r.g + (c), n), square = v_mul(x, x); \
        const vf v = v_fma(keep, v_load_n(r.velocity + (c), n), v_mul(add, v_add(square, epsilon))); \
        v_store_n(r.velocity + (c), v, n); \
        sum = v_add(sum, v_mask(v_ne(square, v_zero()), v_div(square, v))); \
      } while (0)
      if (s.plain) BK_COLUMNS(r.width, BK_PLAIN);
      else BK_COLUMNS(r.width, BK_LENGTH);
#undef BK_LENGTH
#undef BK_PLAIN
    }
    ((double *)a->p[6])[u] = (double)v_hsum(sum);
  }
}

/* ---- p0 velocity, p1 grad, p2 column means, p3 scale or NULL, p4 i64 iterations, p5 row factors, p6 f64 sums of step^2,
 * p7 f64 sums of param^2, p8 param, p9 rate; f0 decay, f1 epsilon 2, f2 clip threshold, f7 clip value ---- */
static bk_plan plan_factored_step(const bk_args *a) { return bk_factored_plan(a); }

BK_INLINE vf bk_factored_rate(const bk_args *a, const bk_factored *s) {
  const double n = (double)(s->B * s->K * s->N), *steps = a->p[6], *sizes = a->p[7];
  double length = 0, size = 0;
  for (int64_t u = 0; u < s->units; u++) length += steps[u], size += sizes[u];
  const double t = (double)(*(const int64_t *)a->p[4] / (a->n[5] > 1 ? a->n[5] : 1) + 1);
  const double rate = fmin((double)*(const float *)a->p[9], 1 / sqrt(t)) * fmax((double)a->f[1], sqrt(size / n));
  return v_set1((float)(rate / fmax(1.0, sqrt(length / n) / (double)a->f[2])));
}

BK_KERNEL(factored_step) {
  (void)w;
  if (bk_factored_idle(a, a->p[4])) return;
  const bk_factored s = bk_factored_of(a);
  const bk_factored_gradient gradient = bk_factored_gradient_of(a->p[3], a->f[7]);
  const vf rate = bk_factored_rate(a, &s), decay = v_set1(a->f[0] * *(const float *)a->p[9]);
  for (int64_t u = lo; u < hi; u++) {
    const bk_piece e = bk_piece_of(&s, u);
    for (int64_t k = e.k0; k < e.k1; k++) {
      const bk_factored_row r = bk_factored_row_of(a, &s, &e, k);
      float *param = (float *)a->p[8] + r.at;
#define BK_FACTORED_STEP(c, n) do { \
        const vf p = v_load_n(param + (c), n), x = bk_factored_load(&gradient, r.g + (c), n); \
        vf v; \
        if (s.plain) v = v_load_n(r.velocity + (c), n); \
        else v_store_n(r.velocity + (c), v = v_mul(r.factor, v_load_n(r.columns + (c), n)), n); \
        v_store_n(param + (c), v_fnma(rate, bk_factored_direction(x, v), v_fnma(p, decay, p)), n); \
      } while (0)
      BK_COLUMNS(r.width, BK_FACTORED_STEP);
#undef BK_FACTORED_STEP
    }
  }
}
#endif
