/* loss.h: loss heads: the mean loss and its gradient in one pass (ops/loss.py is the specification).
 *
 * A unit is a block of rows; it leaves its part of the loss, in double, in p5[unit]. With one unit the loss itself is written;
 * with more, the instruction sum_partials follows.
 */
#ifndef BRISKNET_LOSS_H
#define BRISKNET_LOSS_H
#include "kernels/softmax.h"

#define HEAD_ELEMENTS 16384      /* predictions in one unit, about */
#define LOSS_EPS 1e-7f           /* Keras' clip of probabilities */

enum { LOSS_MSE, LOSS_MAE, LOSS_HUBER, LOSS_HINGE, LOSS_SQUARED_HINGE, LOSS_BCE, LOSS_BCE_LOGITS, LOSS_LOG_COSH,
       LOSS_MAPE, LOSS_MSLE, LOSS_POISSON, LOSS_KL };

static bk_plan bk_head_plan(const bk_args *a) {
  const double n = (double)(a->n[0] * a->n[1]);
  const int64_t rows = bk_max(HEAD_ELEMENTS / bk_max(a->n[1], 1), 1);
  bk_plan p = {bk_max(bk_ceil(a->n[0], rows), 1), 0, 40 * n, 12 * n};
  return p;
}
#define BK_HEAD_ROWS(a, lo, hi, m0, m1) /* n[3], the number of units, spares small heads the division */ \
  const int64_t each_ = (a)->n[3] == 1 ? (a)->n[0] : bk_max(HEAD_ELEMENTS / bk_max((a)->n[1], 1), 1), \
                m0 = (lo) * each_, m1 = bk_min((hi) * each_, (a)->n[0])

BK_INLINE void bk_head_done(const bk_args *a, int64_t unit, double sum) {
  ((double *)a->p[5])[unit] = sum;
  if (a->n[3] == 1) *(float *)a->p[3] = (float)(sum * a->f[1]);
}

/* ---- element-wise losses: (prediction, target) -> loss, slope ---- */
BK_INLINE vf bk_pointwise(int kind, vf p, vf t, vf parameter, int is_signed, vf *slope) {
  const vf zero = v_zero(), one = v_set1(1.0f), half = v_set1(0.5f);
  vf e = v_sub(p, t);
  switch (kind) {
    case LOSS_MSE: *slope = v_add(e, e); return v_mul(e, e);
    case LOSS_MAE: *slope = v_sign(e); return v_abs(e);
    case LOSS_HUBER: {
      vf ae = v_abs(e);
      vi small = v_le(ae, parameter);
      *slope = v_sel(small, e, v_mul(parameter, v_sign(e)));
      return v_sel(small, v_mul(half, v_mul(e, e)), v_mul(parameter, v_sub(ae, v_mul(half, parameter))));
    }
    case LOSS_HINGE: case LOSS_SQUARED_HINGE: {
      if (is_signed) t = v_sub(v_add(t, t), one);
      vf margin = v_fnma(t, p, one);
      if (kind == LOSS_HINGE) { *slope = v_mask(v_gt(margin, zero), v_neg(t)); return v_max(zero, margin); }
      margin = v_max(zero, margin);
      *slope = v_mul(v_mul(v_set1(-2.0f), t), margin);
      return v_mul(margin, margin);
    }
    case LOSS_BCE: {
      const vf low = v_set1(LOSS_EPS), high = v_set1(1.0f - LOSS_EPS);
      t = v_fma(t, v_sub(one, parameter), v_mul(half, parameter));
      vf q = v_min(high, v_max(low, p)), r = v_sub(one, q), s = v_sub(one, t);
      *slope = v_mask(v_ge(p, low) & v_le(p, high), v_sub(v_div(s, r), v_div(t, q)));
      return v_neg(v_add(v_mul(t, v_log(q)), v_mul(s, v_log(r))));
    }
    case LOSS_BCE_LOGITS: {      /* max(z,0) - z t + log(1 + exp(-|z|)); slope sigmoid(z) - t, both from one exponential */
      t = v_fma(t, v_sub(one, parameter), v_mul(half, parameter));
      vf x = v_exp_negative(v_neg(v_abs(p))), d = v_div(one, v_add(one, x));
      *slope = v_sub(v_sel(v_ge(p, zero), d, v_mul(x, d)), t);
      vf loss = v_add(v_fnma(p, t, v_max(zero, p)), v_log1p(x));
      vi nan = v_isnan(p);
      *slope = v_sel(nan, p, *slope);
      return v_sel(nan, p, loss);
    }
    case LOSS_MAPE: {
      vf per = v_div(v_set1(100.0f), v_max(v_set1(LOSS_EPS), v_abs(t)));
      *slope = v_mul(v_sign(e), per);
      return v_mul(v_abs(e), per);
    }
    case LOSS_MSLE: {
      const vf low = v_set1(LOSS_EPS);
      vf q = v_add(v_max(low, p), one), d = v_sub(v_log(q), v_log(v_add(v_max(low, t), one)));
      *slope = v_mask(v_ge(p, low), v_div(v_add(d, d), q));
      return v_mul(d, d);
    }
    case LOSS_POISSON: {
      vf q = v_add(p, v_set1(LOSS_EPS));
      *slope = v_sub(one, v_div(t, q));
      return v_fnma(t, v_log(q), p);
    }
    case LOSS_KL: {
      const vf low = v_set1(LOSS_EPS);
      t = v_min(one, v_max(low, t));
      vf q = v_min(one, v_max(low, p)), ratio = v_div(t, q);
      *slope = v_mask(v_ge(p, low) & v_le(p, one), v_neg(ratio));
      return v_mul(t, v_log(ratio));
    }
    default: {                   /* log(cosh(e)) = |e| + log(1 + exp(-2|e|)) - log 2 */
      vf ae = v_abs(e);
      *slope = v_tanh(e);
      return v_add(ae, v_sub(v_log1p(v_exp_negative(v_mul(v_set1(-2.0f), ae))), v_set1(0.69314718056f)));
    }
  }
}

/* Keras' hinge losses read 0/1 labels as -1/1 where the whole batch holds nothing else. */
static int bk_only_zero_one(const float *t, int64_t n) {
  for (int64_t i = 0; i < n; i++) if (t[i] != 0 && t[i] != 1) return 0;
  return 1;
}

BK_INLINE void bk_pointwise_rows(const bk_args *a, int64_t lo, int64_t hi, const int kind, const int is_signed) {
  const int64_t C = a->n[1];
  const float *pred = a->p[0], *target = a->p[1], *weights = a->p[2];
  float *dpred = a->p[4];
  const vf parameter = v_set1(a->f[0]), scale = v_set1(a->f[1]);
  for (int64_t u = lo; u < hi; u++) {
    BK_HEAD_ROWS(a, u, u + 1, m0, m1);
    double sum = 0;
    vf total = v_zero();
    const int flat = !weights || C == 1;         /* one run over all elements, else row by row */
    for (int64_t r = m0; r < m1; r = flat ? m1 : r + 1) {
      const int64_t i0 = r * C, i1 = flat ? m1 * C : i0 + C;
      vf row = v_zero();
      for (int64_t i = i0; i < i1; i += VL) {
        const int64_t n = i1 - i;
        vf slope, loss = bk_pointwise(kind, v_load_n(pred + i, n), v_load_n(target + i, n), parameter, is_signed, &slope);
        if (weights) {
          vf wt = C == 1 ? v_load_n(weights + i, n) : v_set1(weights[r]);
          loss = v_mul(loss, wt), slope = v_mul(slope, wt);
        }
        v_store_n(dpred + i, v_mul(slope, scale), n);
        if (n < VL) { float t[VL]; v_store(t, loss); loss = v_load_n(t, n); }
        row = v_add(row, loss);
      }
      total = v_add(total, row);
    }
    sum += (double)v_hsum(total);
    bk_head_done(a, u, sum);
  }
}

static bk_plan plan_pointwise_head(const bk_args *a) { return bk_head_plan(a); }
#define BK_POINTWISE_CASE(kind) case kind: bk_pointwise_rows(a, lo, hi, kind, is_signed); break;
BK_KERNEL(pointwise_head) {
  (void)w;
  int is_signed = 0;
  if (a->n[2] == LOSS_HINGE || a->n[2] == LOSS_SQUARED_HINGE) is_signed = bk_only_zero_one(a->p[1], a->n[0] * a->n[1]);
  switch (a->n[2]) {
    BK_POINTWISE_CASE(LOSS_MSE) BK_POINTWISE_CASE(LOSS_MAE) BK_POINTWISE_CASE(LOSS_HUBER) BK_POINTWISE_CASE(LOSS_HINGE)
    BK_POINTWISE_CASE(LOSS_SQUARED_HINGE) BK_POINTWISE_CASE(LOSS_BCE) BK_POINTWISE_CASE(LOSS_BCE_LOGITS)
    BK_POINTWISE_CASE(LOSS_MAPE) BK_POINTWISE_CASE(LOSS_MSLE) BK_POINTWISE_CASE(LOSS_POISSON) BK_POINTWISE_CASE(LOSS_KL)
    default: bk_pointwise_rows(a, lo, hi, LOSS_LOG_COSH, 0);
  }
}

/* ---- softmax cross-entropy of logits ---- */
static bk_plan plan_xent_head(const bk_args *a) { return bk_head_plan(a); }

static float bk_not_a_label(float *d, int64_t n) {     /* a label out of range makes its row NaN */
  for (int64_t i = 0; i < n; i++) d[i] = __builtin_nanf("");
  return __builtin_nanf("");
}

/* Row r: what the logits say of the target is summed before their memory may become the gradient's. */
static float bk_xent_sparse(const bk_args *a, int64_t r, const float *z, float *d, float weight) {   /* d = (p - onehot) scale */
  const int64_t N = a->n[1], label = ((const int32_t *)a->p[1])[r];
  if (label < 0 || label >= N) return bk_not_a_label(d, N);
  const float max = bk_row_max(z, N), below = max - z[label], total = bk_row_exp(z, d, N, max);
  const vf scale = v_set1(weight * a->f[1]), norm = v_set1(1.0f / total);
  for (int64_t i = 0; i < N; i += VL) v_store_n(d + i, v_mul(v_mul(v_load_n(d + i, N - i), norm), scale), N - i);
  d[label] -= weight * a->f[1];
  return v_log(v_set1(total))[0] + below;
}

BK_INLINE vf bk_smoothed(const float *t, int64_t n, int64_t N, float smoothing) {   /* lanes past n are 0 */
  vf v = v_load_n(t, n);
  if (smoothing == 0) return v;
  v = v_fma(v, v_set1(1.0f - smoothing), v_set1(smoothing / (float)N));
  if (n >= VL) return v;
  float pad[VL];
  v_store(pad, v);
  return v_load_n(pad, n);
}

static float bk_xent_dense(const bk_args *a, int64_t r, const float *z, float *d, float weight) {
  const int64_t N = a->n[1];                           /* d = (p sum(t) - t) scale, l = -sum t log p */
  const float *t = (const float *)a->p[1] + r * N, smoothing = a->f[0], max = bk_row_max(z, N);
  vf sum = v_zero(), below = v_zero();
  for (int64_t i = 0; i < N; i += VL) {
    const vf ti = bk_smoothed(t + i, N - i, N, smoothing);
    sum = v_add(sum, ti);
    below = v_add(below, v_mask(v_ne(ti, v_zero()), v_mul(ti, v_sub(v_set1(max), v_load_n(z + i, N - i)))));
  }
  const float all = v_hsum(sum), total = bk_row_exp(z, d, N, max);
  const vf scale = v_set1(weight * a->f[1]), norm = v_set1(1.0f / total), all_t = v_set1(all);
  for (int64_t i = 0; i < N; i += VL) {
    const vf p = v_mul(v_mul(v_load_n(d + i, N - i), norm), all_t);
    v_store_n(d + i, v_mul(v_sub(p, bk_smoothed(t + i, N - i, N, smoothing)), scale), N - i);
  }
  return v_log(v_set1(total))[0] * all + v_hsum(below);
}

BK_KERNEL(xent_head) {
  (void)w;
  const int64_t N = a->n[1];
  for (int64_t u = lo; u < hi; u++) {
    BK_HEAD_ROWS(a, u, u + 1, m0, m1);
    double sum = 0;
    for (int64_t r = m0; r < m1; r++) {
      const float *z = (const float *)a->p[0] + r * N, weight = a->p[2] ? ((const float *)a->p[2])[r] : 1.0f;
      float *d = (float *)a->p[4] + r * N;
      sum += (double)((a->n[2] ? bk_xent_sparse(a, r, z, d, weight) : bk_xent_dense(a, r, z, d, weight)) * weight);
    }
    bk_head_done(a, u, sum);
  }
}

/* ---- categorical cross-entropy of probabilities: normalised, clipped ---- */
static bk_plan plan_cce_head(const bk_args *a) { return bk_head_plan(a); }

BK_KERNEL(cce_head) {
  (void)w;
  const int64_t N = a->n[1];
  const float smoothing = a->f[0], low = LOSS_EPS, high = 1.0f - LOSS_EPS;
  for (int64_t u = lo; u < hi; u++) {
    BK_HEAD_ROWS(a, u, u + 1, m0, m1);
    double sum = 0;
    for (int64_t r = m0; r < m1; r++) {
      const float *probs = (const float *)a->p[0] + r * N, weight = a->p[2] ? ((const float *)a->p[2])[r] : 1.0f;
      const float inverse = 1.0f / bk_row_sum(probs, N), scale = weight * a->f[1];
      float *d = (float *)a->p[4] + r * N;
      const int64_t label = a->n[2] ? ((const int32_t *)a->p[1])[r] : -1;
      if (a->n[2] && (label < 0 || label >= N)) { sum += bk_not_a_label(d, N); continue; }
      double loss = 0, inner = 0;                      /* inner = sum_i dp_i p_i */
      for (int64_t i = 0; i < N; i++) {
        float t = a->n[2] ? (float)(i == label) : ((const float *)a->p[1])[r * N + i];
        if (smoothing != 0) t = t * (1.0f - smoothing) + smoothing / (float)N;
        const float p = probs[i] * inverse, q = p < low ? low : p > high ? high : p;
        if (t != 0) loss -= (double)(t * v_log(v_set1(q))[0]);
        d[i] = p >= low && p <= high ? -t / q : 0.0f;
        inner += (double)(d[i] * p);
      }
      for (int64_t i = 0; i < N; i++) d[i] = (d[i] - (float)inner) * inverse * scale;
      sum += loss * (double)weight;
    }
    bk_head_done(a, u, sum);
  }
}
#endif
