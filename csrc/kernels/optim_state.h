/* optim_state.h: what goes with an update (ops/optim_state.py is the specification): schedules, sums of gradients over several
 * steps, averages of weights, and LAMB, whose steps are scaled by norms of whole parameters.
 */
#ifndef BRISKNET_OPTIM_STATE_H
#define BRISKNET_OPTIM_STATE_H
#include "kernels/optim.h"

/* ---- learning-rate schedules: p[0] steps taken, p[1] rate, p[2] f64 parameters; n[0] kind, n[1] parameters,
 * n[2] 1 for a float32 step, 0 for an int64 ---- */
enum { BK_EXPONENTIAL, BK_INVERSE_TIME, BK_PIECEWISE, BK_POLYNOMIAL, BK_COSINE, BK_RESTARTS };

static double bk_cosine(double step, const double *p) {   /* rate, steps, alpha, target, warm-up steps or -1 */
  double rate = p[0];
  if (p[4] >= 0) {
    step = fmin(step, p[1] + p[4]);
    if (step < p[4]) return (p[3] - rate) * (step / p[4]) + rate;
    rate = p[3], step -= p[4];
  }
  return rate * ((1 - p[2]) * 0.5 * (1 + cos(3.14159265358979323846 * fmin(step, p[1]) / p[1])) + p[2]);
}

static double bk_restarts(double step, const double *p) { /* rate, first, t_mul, m_mul, alpha */
  double x = step / p[1], i;
  if (p[2] == 1) {
    i = floor(x);
    x -= i;
  } else {
    i = floor(log(1 - x * (1 - p[2])) / log(p[2]));
    x = (x - (1 - pow(p[2], i)) / (1 - p[2])) / pow(p[2], i);
  }
  return p[0] * ((1 - p[4]) * 0.5 * pow(p[3], i) * (1 + cos(3.14159265358979323846 * x)) + p[4]);
}

static double bk_polynomial(double step, const double *p) {  /* rate, steps, end, power, cycle */
  double steps = p[1];
  if (p[4] != 0) steps *= step != 0 ? ceil(step / steps) : 1;
  else step = fmin(step, steps);
  return (p[0] - p[2]) * pow(1 - step / steps, p[3]) + p[2];
}

BK_KERNEL(scheduled_rate) {
  (void)w;
  if (lo >= hi) return;
  const double step = a->n[2] ? (double)*(const float *)a->p[0] : (double)*(const int64_t *)a->p[0], *p = a->p[2];
  double rate = 0;
  switch (a->n[0]) {
    case BK_EXPONENTIAL: rate = p[0] * pow(p[2], p[3] != 0 ? floor(step / p[1]) : step / p[1]); break;
    case BK_INVERSE_TIME: rate = p[0] / (1 + p[2] * (p[3] != 0 ? floor(step / p[1]) : step / p[1])); break;
    case BK_PIECEWISE: {
      const int64_t n = a->n[1] / 2;
      int64_t at = n;
      for (int64_t i = 0; i < n; i++) at += step > p[i];
      rate = p[at];
      break;
    }
    case BK_POLYNOMIAL: rate = bk_polynomial(step, p); break;
    case BK_COSINE: rate = bk_cosine(step, p); break;
    default: rate = bk_restarts(step, p);
  }
  *(float *)a->p[1] = (float)rate;
}

/* ---- counts: p[0] i64 iterations, p[1] out; n[0] every ---- */
BK_KERNEL(step_number) {
  (void)w;
  if (lo < hi) *(float *)a->p[1] = (float)(*(const int64_t *)a->p[0] / a->n[0] + 1);
}
BK_KERNEL(step_due) {
  (void)w;
  if (lo < hi) *(int32_t *)a->p[1] = (*(const int64_t *)a->p[0] + 1) % a->n[0] == 0;
}
BK_KERNEL(nadam_product) {   /* p[0] f32 product, p[1] i64 iterations, p[2] out; n[0] every; f[0] 1 - beta 1 */
  (void)w;
  if (lo >= hi) return;
  const int64_t it = *(const int64_t *)a->p[1];
  const double u = *(const float *)a->p[0], b1 = 1 - (double)a->f[0];
  *(float *)a->p[2] = (float)((it + 1) % a->n[0] ? u : u * b1 * (1 - 0.5 * bk_power(0.96, it / a->n[0] + 1)));
}

/* ---- segments ---- */
/* The segment that holds unit u, from s on, and its elements [i0, i1) up to unit hi; returns the unit after them. */
BK_INLINE int64_t bk_segment_of(const bk_segment **s, int64_t u, int64_t hi, int64_t *i0, int64_t *i1) {
  int64_t units = bk_ceil((*s)->n, BK_BLOCK);
  while (u >= (*s)->first + units) ++*s, units = bk_ceil((*s)->n, BK_BLOCK);
  const int64_t last = bk_min(hi, (*s)->first + units);
  *i0 = (u - (*s)->first) * BK_BLOCK, *i1 = bk_min((*s)->n, (last - (*s)->first) * BK_BLOCK);
  return last;
}

/* for (i; i < i1; i += VL) call(i, n): whole vectors with n = VL, which the compiler knows, and then what is left. */
#define BK_VECTORS(i, i1, call) do { \
    for (; i + 2 * VL <= i1; i += 2 * VL) { call(i, VL); call(i + VL, VL); } \
    for (; i + VL <= i1; i += VL) call(i, VL); \
    if (i < i1) call(i, i1 - i); \
  } while (0)

/* p[0] segments: param sums, grad, slot 0 means; p[1] i64 iterations; n[0] segments, n[1] units, n[2] every, n[3] whether means
 * are looked at where no update is due (they are the gradients then) */
static bk_plan plan_accumulate(const bk_args *a) { return bk_update_plan(a); }
BK_KERNEL(accumulate) {
  (void)w;
  const bk_segment *s = a->p[0];
  const int due = (*(const int64_t *)a->p[1] + 1) % a->n[2] == 0;
  const vf share = v_set1((float)(1.0 / (double)a->n[2]));
  for (int64_t u = lo, i, i1; u < hi;) {
    u = bk_segment_of(&s, u, hi, &i, &i1);
    float *sum = s->param, *mean = s->slot[0];
    const float *g = s->grad;
#define BK_ACC_DUE(i, n) \
    v_store_n(mean + (i), v_mul(v_add(v_load_n(g + (i), n), v_load_n(sum + (i), n)), share), n); \
    v_store_n(sum + (i), v_zero(), n)
#define BK_ACC_SUM(i, n) v_store_n(sum + (i), v_add(v_load_n(g + (i), n), v_load_n(sum + (i), n)), n)
#define BK_ACC_COPY(i, n) v_store_n(mean + (i), v_load_n(g + (i), n), n)
    int64_t k = i;
    if (due) {
      for (; i + VL <= i1; i += VL) { BK_ACC_DUE(i, VL); }
      if (i < i1) { BK_ACC_DUE(i, i1 - i); }
    } else {
      BK_VECTORS(i, i1, BK_ACC_SUM);
      if (a->n[3]) BK_VECTORS(k, i1, BK_ACC_COPY);
    }
#undef BK_ACC_DUE
#undef BK_ACC_SUM
#undef BK_ACC_COPY
  }
}

/* p[0] segments: param averages, grad weights, slot 0 the weights to overwrite; p[1] i64 iterations; n[0] segments, n[1] units,
 * n[2] every, n[3] overwrite; f[0] momentum, f[1] 1 - momentum */
static bk_plan plan_average(const bk_args *a) { return bk_update_plan(a); }
BK_KERNEL(average) {
  (void)w;
  const bk_segment *s = a->p[0];
  const int64_t update = *(const int64_t *)a->p[1] / a->n[2];
  const int overwrite = a->n[3] && (update + 1) % a->n[3] == 0;
  const vf keep = v_set1(update ? a->f[0] : 0.0f), take = v_set1(update ? a->f[1] : 1.0f);
  for (int64_t u = lo, i, i1; u < hi;) {
    u = bk_segment_of(&s, u, hi, &i, &i1);
    float *mean = s->param, *out = s->slot[0];
    const float *p = s->grad;
    int64_t k = i;
#define BK_AVERAGE_MEAN(i, n) v_store_n(mean + (i), v_fma(keep, v_load_n(mean + (i), n), v_mul(take, v_load_n(p + (i), n))), n)
#define BK_AVERAGE_OUT(i, n) v_store_n(out + (i), v_load_n(mean + (i), n), n)
    BK_VECTORS(i, i1, BK_AVERAGE_MEAN);
    if (overwrite) BK_VECTORS(k, i1, BK_AVERAGE_OUT);
#undef BK_AVERAGE_MEAN
#undef BK_AVERAGE_OUT
  }
}

/* ---- LAMB, in two passes. p[0] segments (one a parameter) with slots m, v; p[1] rate; p[2] i64 iterations; p[3] gradient scale
 * or NULL; p[4] f64 partial sums [units][2] of p^2 and step^2; n[0] segments, n[1] units, n[3] every; f[0] 1 - beta 1,
 * f[1] 1 - beta 2, f[2] epsilon, f[7] clip value or 0 ---- */
typedef struct { vf m, v, epsilon; } bk_lamb;
BK_INLINE bk_lamb bk_lamb_of(const bk_args *a) {
  const int64_t t = bk_update_number(a);
  const bk_lamb r = {v_set1((float)(1 / (1 - bk_power(1 - (double)a->f[0], t)))),
                     v_set1((float)(1 / (1 - bk_power(1 - (double)a->f[1], t)))), v_set1(a->f[2])};
  return r;
}
BK_INLINE vf bk_lamb_step(const bk_lamb *r, vf m, vf v) {
  return v_div(v_mul(m, r->m), v_add(v_sqrt(v_mul(v, r->v)), r->epsilon));
}

/* What all vectors of a unit share. */
typedef struct { bk_lamb rule; vf scale, limit, keep1, keep2, decay, l1, l2; int clipped; } bk_lamb_unit;

BK_INLINE void bk_lamb_vector(const bk_segment *s, const bk_lamb_unit *u, int64_t i, int64_t n, vf *sizes, vf *steps) {
  vf p = v_load_n(s->param + i, n), g = v_load_n(s->grad + i, n);
  g = v_mul(v_add(g, v_fma(p, u->l2, v_mul(v_sign(p), u->l1))), u->scale);
  if (u->clipped) g = v_min(u->limit, v_max(v_neg(u->limit), g));
  p = v_fnma(p, u->decay, p);
  vf m = v_load_n(s->slot[0] + i, n), v = v_load_n(s->slot[1] + i, n);
  m = v_fma(v_sub(g, m), u->keep1, m), v = v_fma(v_fma(g, g, v_neg(v)), u->keep2, v);
  v_store_n(s->slot[0] + i, m, n), v_store_n(s->slot[1] + i, v, n);
  vf step = bk_lamb_step(&u->rule, m, v);
  if (n < VL) {                /* beyond the end 0 / (0 + epsilon), which is NaN without an epsilon */
    float t[VL] = {0};
    v_store_n(t, step, n);
    step = v_load(t);
  }
  *sizes = v_fma(p, p, *sizes), *steps = v_fma(step, step, *steps);
}

static bk_plan plan_lamb_moments(const bk_args *a) { return bk_update_plan(a); }
BK_KERNEL(lamb_moments) {
  (void)w;
  const bk_segment *s = a->p[0];
  double *partial = a->p[4];
  if (!bk_due(a)) return;
  const vf lr = v_bcast(a->p[1]);
  bk_lamb_unit unit = {bk_lamb_of(a), a->p[3] ? v_bcast(a->p[3]) : v_set1(1.0f), v_set1(a->f[7]), v_set1(a->f[0]), v_set1(a->f[1]),
                       lr, lr, lr, a->f[7] > 0};
  for (int64_t u = lo, i, i1; u < hi; u++) {
    bk_segment_of(&s, u, u + 1, &i, &i1);
    const bk_segment segment = *s;
    unit.decay = v_mul(v_set1(s->decay), lr), unit.l1 = v_set1(s->l1), unit.l2 = v_set1(2.0f * s->l2);
    vf sizes[2] = {v_zero(), v_zero()}, steps[2] = {v_zero(), v_zero()};
    for (; i + 2 * VL <= i1; i += 2 * VL) {
      bk_lamb_vector(&segment, &unit, i, VL, &sizes[0], &steps[0]);
      bk_lamb_vector(&segment, &unit, i + VL, VL, &sizes[1], &steps[1]);
    }
    for (; i + VL <= i1; i += VL) bk_lamb_vector(&segment, &unit, i, VL, &sizes[0], &steps[0]);
    if (i < i1) bk_lamb_vector(&segment, &unit, i, i1 - i, &sizes[0], &steps[0]);
    partial[2 * u] = (double)v_hsum(v_add(sizes[0], sizes[1])), partial[2 * u + 1] = (double)v_hsum(v_add(steps[0], steps[1]));
  }
}

static bk_plan plan_lamb_step(const bk_args *a) { return bk_update_plan(a); }
BK_KERNEL(lamb_step) {
  (void)w;
  const bk_segment *s = a->p[0];
  const double *partial = a->p[4];
  if (!bk_due(a)) return;
  const bk_lamb r = bk_lamb_of(a);
  const double lr = (double)*(const float *)a->p[1];
  for (int64_t u = lo, i, i1; u < hi;) {
    u = bk_segment_of(&s, u, hi, &i, &i1);
    double size = 0, length = 0;
    for (int64_t k = s->first, end = s->first + bk_ceil(s->n, BK_BLOCK); k < end; k++) size += partial[2 * k], length += partial[2 * k + 1];
    const vf rate = v_set1((float)(lr * (size > 0 && length > 0 ? sqrt(size / length) : 1.0)));
    const vf decay = v_set1((float)((double)s->decay * lr));
    float *param = s->param;
    const float *m = s->slot[0], *v = s->slot[1];
#define BK_LAMB_STEP(i, n) do { \
      const vf p = v_load_n(param + (i), n), step = bk_lamb_step(&r, v_load_n(m + (i), n), v_load_n(v + (i), n)); \
      v_store_n(param + (i), v_fnma(rate, step, v_fnma(p, decay, p)), n); \
    } while (0)
    BK_VECTORS(i, i1, BK_LAMB_STEP);
#undef BK_LAMB_STEP
  }
}
#endif
