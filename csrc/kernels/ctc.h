/* ctc.h: connectionist temporal classification (Graves et al. 2006), loss and gradient of one sequence a unit. ops/ctc.py is the
 * specification and says what the recursion means:
 *   A[n] = log(e^phi[n] + e^(emit[n-1] + pr[n]))                      n labels done, the next not begun
 *   emit'[n] = log(e^A[n] + e^emit[n]) + log p(label n)               in the middle of label n
 *   phi'[n]  = log(e^A[n] + e^(emit[n-1] + pq[n])) + log p(blank)     pr, pq: -1e5 where that way is closed
 *   loss = -log(e^phi[len] + e^emit[len-1])
 * emit is kept shifted, es[n] = emit[n-1], so that everything on a line has one index.
 */
#ifndef BRISKNET_CTC_H
#define BRISKNET_CTC_H
#include "kernels/softmax.h"

#define CTC_CLOSED -1e5f         /* Keras' log of zero */
#define CTC_NONE -1e30f

typedef struct {
  int64_t T, K, N, W, L;         /* frames, classes, labels, room for one vector, lanes in use */
  const int32_t *label;
  float *history, *le, *pr, *pq, *gphi, *ges, *up;
} bk_ctc;

BK_INLINE vf v_log_add(vf a, vf b) {
  return v_add(v_sel(v_gt(a, b), a, b), v_log1p(v_exp_negative(v_neg(v_abs(v_sub(a, b))))));
}
static void bk_fill(float *p, int64_t n, float value) { for (int64_t i = 0; i < n; i++) p[i] = value; }

static bk_ctc bk_ctc_of(const bk_args *a, int64_t row) {
  bk_ctc c = {.T = a->n[2], .K = a->n[3], .N = a->n[4], .W = a->n[5]};
  c.L = bk_ceil(c.N + 1, VL) * VL;
  c.label = (const int32_t *)a->p[1] + row * c.N;
  c.history = (float *)a->p[4] + row * (2 * (c.T + 1) + 6) * c.W;
  float *more = c.history + 2 * (c.T + 1) * c.W;
  float **const parts[6] = {&c.le, &c.pr, &c.pq, &c.gphi, &c.ges, &c.up};
  for (int i = 0; i < 6; i++) *parts[i] = more + i * c.W, bk_fill(*parts[i], c.L + 1, 0);
  for (int64_t n = 1; n <= c.N; n++) {
    const int twice = n < c.N && c.label[n - 1] == c.label[n];
    c.pr[n] = twice ? CTC_CLOSED : 0;
    c.pq[n] = twice ? 0 : CTC_CLOSED;
  }
  return c;
}

/* Fills the history; logp holds the logarithms of the probabilities [T,K]. */
static void bk_ctc_forward(const bk_ctc *c, const float *logp) {
  float *phi = c->history, *es = phi + c->W;
  bk_fill(phi, c->L + 1, CTC_NONE), bk_fill(es, c->L + 1, CTC_NONE);
  bk_fill(phi, c->N + 1, CTC_CLOSED), bk_fill(es + 1, c->N, CTC_CLOSED);
  phi[0] = 0;
  for (int64_t t = 0; t < c->T; t++, logp += c->K) {
    float *next_phi = es + c->W, *next_es = next_phi + c->W;
    for (int64_t n = 0; n < c->N; n++) c->le[n] = logp[c->label[n]];
    const vf blank = v_set1(logp[0]);
    for (int64_t n = 0; n < c->L; n += VL) {
      vf e = v_load(es + n), A = v_log_add(v_load(phi + n), v_add(e, v_load(c->pr + n)));
      v_store(next_es + n + 1, v_add(v_log_add(A, v_load(es + n + 1)), v_load(c->le + n)));
      v_store(next_phi + n, v_add(v_log_add(A, v_add(e, v_load(c->pq + n))), blank));
    }
    next_es[0] = CTC_NONE;
    phi = next_phi, es = next_es;
  }
}

/* One frame backwards: from the gradients of phi' and emit' to those of phi and emit; d gets its row of d loss / d logits. */
static void bk_ctc_backward(const bk_ctc *c, int64_t t, float *d) {
  const float *phi = c->history + 2 * t * c->W, *es = phi + c->W;
  const vf one = v_set1(1.0f);
  vf through = v_zero(), of_blank = v_zero();
  for (int64_t n = 0; n < c->N; n++) c->le[n] = c->ges[n + 1];            /* gradient of log p(label n) */
  for (int64_t n = 0; n < c->L; n += VL) {
    vf e = v_load(es + n), p = v_load(phi + n), er = v_add(e, v_load(c->pr + n)), A = v_log_add(p, er);
    vf ge = v_load(c->ges + n + 1), gp = v_load(c->gphi + n);
    vf s1 = v_sigmoid(v_sub(A, v_load(es + n + 1))), s2 = v_sigmoid(v_sub(A, v_add(e, v_load(c->pq + n))));
    vf s3 = v_sigmoid(v_sub(p, er)), gA = v_fma(ge, s1, v_mul(gp, s2));
    v_store(c->up + n + 1, v_mul(ge, v_sub(one, s1)));                    /* for emit[n], which is es[n+1] */
    v_store(c->ges + n, v_fma(gp, v_sub(one, s2), v_mul(gA, v_sub(one, s3))));
    v_store(c->gphi + n, v_mul(gA, s3));
    through = v_add(through, ge), of_blank = v_add(of_blank, gp);
  }
  c->up[0] = 0;
  for (int64_t n = 0; n < c->L; n += VL) v_store(c->ges + n, v_add(v_load(c->ges + n), v_load(c->up + n)));
  c->ges[0] = c->ges[c->L] = 0;
  const float blank = v_hsum(of_blank), total = v_hsum(through) + blank;
  for (int64_t k = 0; k < c->K; k += VL)
    v_store_n(d + k, v_mul(v_exp_negative(v_load_n(d + k, c->K - k)), v_set1(-total)), c->K - k);
  d[0] += blank;
  for (int64_t n = 0; n < c->N; n++) d[c->label[n]] += c->le[n];
}

static int64_t bk_ctc_length(const bk_ctc *c) {      /* labels that are not blank; -1 where one is no class */
  int64_t n = 0;
  for (int64_t i = 0; i < c->N; i++) {
    if (c->label[i] < 0 || c->label[i] >= c->K) return -1;
    n += c->label[i] != 0;
  }
  return n;
}

BK_KERNEL(ctc_head) {
  (void)w;
  for (int64_t r = lo; r < hi; r++) {
    const bk_ctc c = bk_ctc_of(a, r);
    const int64_t length = bk_ctc_length(&c), size = c.T * c.K;
    const float *x = (const float *)a->p[0] + r * size;
    float *d = (float *)a->p[3] + r * size, *loss = (float *)a->p[2] + r;
    if (length < 0) { bk_fill(d, size, __builtin_nanf("")), *loss = __builtin_nanf(""); continue; }
    for (int64_t t = 0; t < c.T; t++) {              /* d: log_softmax for now */
      const float *row = x + t * c.K, max = bk_row_max(row, c.K), total = bk_row_exp(row, d + t * c.K, c.K, max);
      const vf shift = v_set1(max + v_log(v_set1(total))[0]);
      for (int64_t k = 0; k < c.K; k += VL) v_store_n(d + t * c.K + k, v_sub(v_load_n(row + k, c.K - k), shift), c.K - k);
    }
    bk_ctc_forward(&c, d);
    const float *phi = c.history + 2 * c.T * c.W, *es = phi + c.W;
    const vf p = v_set1(phi[length]), e = v_set1(es[length]);
    *loss = -v_log_add(p, e)[0];
    c.gphi[length] = -v_sigmoid(v_sub(p, e))[0];
    c.ges[length] = length ? -v_sigmoid(v_sub(e, p))[0] : 0;
    for (int64_t t = c.T - 1; t >= 0; t--) bk_ctc_backward(&c, t, d + t * c.K);
  }
}
#endif
