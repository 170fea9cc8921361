/* optim.h: one fused pass over parameters, gradients and slots, by Keras 3's formulas (ops/optim.py is the specification).
 *
 * The work is a list of segments, runs of parameters that lie one after another in every buffer; a unit is BK_BLOCK elements of
 * one of them. Zero padding of panels stays zero under every rule.
 */
#ifndef BRISKNET_OPTIM_H
#define BRISKNET_OPTIM_H
#include "kernels/elementwise.h"

enum { SGD_PLAIN, SGD_MOMENTUM, SGD_NESTEROV };
enum { RULE_SGD, RULE_RMSPROP, RULE_ADAM, RULE_ADAGRAD, RULE_ADADELTA, RULE_ADAMAX, RULE_NADAM, RULE_LION, RULE_FTRL };

static bk_plan bk_update_plan(const bk_args *a) {
  const double n = (double)a->n[1] * BK_BLOCK;
  bk_plan p = {a->n[1], 0, 12 * n, 28 * n};
  return p;
}

/* b^t by squaring: the same on every machine. */
BK_INLINE double bk_power(double b, int64_t t) {
  double r = 1;
  for (; t > 0; t >>= 1, b *= b) if (t & 1) r *= b;
  return r;
}

/* Only every n[3]-th step updates (0 and 1: all), and updates are what a rule counts. */
BK_INLINE int64_t bk_every(const bk_args *a) { return a->n[3] > 1 ? a->n[3] : 1; }
BK_INLINE int bk_due(const bk_args *a) { return (*(const int64_t *)a->p[2] + 1) % bk_every(a) == 0; }
BK_INLINE int64_t bk_update_number(const bk_args *a) { return *(const int64_t *)a->p[2] / bk_every(a) + 1; }

typedef struct {          /* what a step's rule needs, hoisted out of its loops */
  vf lr, a, b, c, d, e, f;
} bk_rule;

/* m' and g of the step, and v under the root: ops/optim_rules.py, nadam_factors. p[4] is the product of momenta. */
BK_INLINE void bk_nadam_factors(const bk_args *a, bk_rule *r) {
  const int64_t t = bk_update_number(a);
  const double lr = *(const float *)a->p[1], product = *(const float *)a->p[4], b1 = 1 - (double)a->f[0];
  const double now = b1 * (1 - 0.5 * bk_power(0.96, t)), after = b1 * (1 - 0.5 * bk_power(0.96, t + 1));
  r->d = v_set1((float)(lr * after / (1 - product * after)));
  r->e = v_set1((float)(lr * (1 - now) / (1 - product)));
  r->f = v_set1((float)(1 / (1 - bk_power(1 - (double)a->f[1], t))));
}

BK_INLINE bk_rule bk_rule_of(const bk_args *a, const int rule) {
  const float lr = *(const float *)a->p[1];
  bk_rule r = {v_set1(lr), v_zero(), v_zero(), v_zero(), v_zero(), v_zero(), v_zero()};
  switch (rule) {
    case RULE_SGD: r.a = v_set1(a->f[0]); break;
    case RULE_RMSPROP: r.a = v_set1(a->f[0]), r.b = v_set1(1.0f - a->f[0]), r.c = v_set1(a->f[1]), r.d = v_set1(a->f[2]); break;
    case RULE_ADAM: {     /* m' = m + (g - m)(1 - b1), v' = v + (g^2 - v)(1 - b2), p' = p - alpha m' / (sqrt v' + eps) */
      const int64_t t = bk_update_number(a);
      const double b1 = 1 - (double)a->f[0], b2 = 1 - (double)a->f[1];  /* f holds 1 - beta: 1 - 0.999f is off by 1e-5 */
      const double alpha = (double)lr * sqrt(1 - bk_power(b2, t)) / (1 - bk_power(b1, t));
      r.a = v_set1(a->f[0]), r.b = v_set1(a->f[1]), r.c = v_set1(a->f[2]), r.d = v_set1((float)alpha);
      break;
    }
    case RULE_ADAGRAD: r.c = v_set1(a->f[0]); break;
    case RULE_ADAMAX:     /* f: 1 - beta 1, beta 2, epsilon */
      r.a = v_set1(a->f[0]), r.b = v_set1(a->f[1]), r.c = v_set1(a->f[2]);
      r.d = v_set1((float)((double)lr / (1 - bk_power(1 - (double)a->f[0], bk_update_number(a)))));
      break;
    case RULE_NADAM:
      r.a = v_set1(a->f[0]), r.b = v_set1(a->f[1]), r.c = v_set1(a->f[2]);
      bk_nadam_factors(a, &r);
      break;
    case RULE_LION:       /* f: beta 1, 1 - beta 1, beta 2, 1 - beta 2 */
      r.a = v_set1(a->f[0]), r.b = v_set1(a->f[1]), r.c = v_set1(a->f[2]), r.d = v_set1(a->f[3]);
      break;
    case RULE_FTRL:       /* f: -power, l1, l2, shrinkage, beta */
      r.a = v_set1(a->f[0]), r.b = v_set1(a->f[1]), r.d = v_set1(2 * a->f[3]), r.e = v_set1(1 / lr);
      r.c = v_set1((float)(2 * ((double)a->f[2] + (double)a->f[4] / (2 * (double)lr))));
      break;
    default: r.a = v_set1(a->f[0]), r.b = v_set1(1.0f - a->f[0]), r.c = v_set1(a->f[1]);
  }
  return r;
}

BK_INLINE vf bk_ftrl_power(vf x, vf power) {   /* x^power for x >= 0 */
  return v_mask(v_ne(x, v_zero()), v_exp(v_mul(power, v_log(x))));
}

/* The new parameter; s0, s1, s2 are the slots, replaced where the rule has them. */
BK_INLINE vf bk_apply_rule(const int rule, const int variant, const bk_rule *r, vf p, vf g, vf *s0, vf *s1, vf *s2) {
  switch (rule) {
    case RULE_SGD:
      if (variant == SGD_PLAIN) return v_fnma(r->lr, g, p);
      *s0 = v_sub(v_mul(*s0, r->a), v_mul(g, r->lr));
      return variant == SGD_MOMENTUM ? v_add(p, *s0) : v_sub(v_fma(*s0, r->a, p), v_mul(g, r->lr));
    case RULE_RMSPROP: {  /* slots: mean square, [momentum], [mean] in this order */
      const int momentum = variant & 1, centered = variant & 2;
      *s0 = v_fma(r->a, *s0, v_mul(v_mul(r->b, g), g));
      vf under = v_add(*s0, r->c);
      if (centered) {
        vf *mean = momentum ? s2 : s1;
        *mean = v_fma(r->a, *mean, v_mul(r->b, g));
        under = v_add(v_fnma(*mean, *mean, *s0), r->c);
      }
      vf step = v_div(v_mul(r->lr, g), v_sqrt(under));
      if (momentum) step = *s1 = v_fma(r->d, *s1, step);
      return v_sub(p, step);
    }
    case RULE_ADAM: {
      *s0 = v_fma(v_sub(g, *s0), r->a, *s0);
      *s1 = v_fma(v_fma(g, g, v_neg(*s1)), r->b, *s1);
      vf top = *s1;
      if (variant) top = *s2 = v_sel(v_gt(*s2, *s1), *s2, *s1);
      return v_sub(p, v_div(v_mul(*s0, r->d), v_add(v_sqrt(top), r->c)));
    }
    case RULE_ADAGRAD:
      *s0 = v_fma(g, g, *s0);
      return v_sub(p, v_div(v_mul(r->lr, g), v_sqrt(v_add(*s0, r->c))));
    case RULE_ADAMAX:
      *s0 = v_fma(v_sub(g, *s0), r->a, *s0);
      *s1 = v_max(v_mul(*s1, r->b), v_abs(g));
      return v_sub(p, v_div(v_mul(*s0, r->d), v_add(*s1, r->c)));
    case RULE_NADAM:
      *s0 = v_fma(v_sub(g, *s0), r->a, *s0);
      *s1 = v_fma(v_fma(g, g, v_neg(*s1)), r->b, *s1);
      return v_sub(p, v_div(v_fma(*s0, r->d, v_mul(g, r->e)), v_add(v_sqrt(v_mul(*s1, r->f)), r->c)));
    case RULE_LION: {
      const vf mixed = v_fma(*s0, r->a, v_mul(g, r->b));
      *s0 = v_fma(*s0, r->c, v_mul(g, r->d));
      return v_fnma(r->lr, v_sign(mixed), p);
    }
    case RULE_FTRL: {     /* slots accumulator, linear; variant 0: power -1/2 */
      const vf sum = v_fma(g, g, *s0);
      const vf root = variant ? bk_ftrl_power(sum, r->a) : v_sqrt(sum), old = variant ? bk_ftrl_power(*s0, r->a) : v_sqrt(*s0);
      const vf linear = v_add(*s1, v_sub(v_fma(r->d, p, g), v_mul(v_mul(v_sub(root, old), r->e), p)));
      const vf quadratic = v_fma(root, r->e, r->c), clipped = v_min(r->b, v_max(v_neg(r->b), linear));
      *s0 = sum, *s1 = linear;
      return v_mask(v_ne(quadratic, v_zero()), v_div(v_sub(clipped, linear), quadratic));
    }
    default: {            /* Adadelta: slots mean square of gradients, mean square of steps */
      *s0 = v_fma(r->a, *s0, v_mul(v_mul(r->b, g), g));
      vf delta = v_neg(v_div(v_mul(v_sqrt(v_add(*s1, r->c)), g), v_sqrt(v_add(*s0, r->c))));
      *s1 = v_fma(r->a, *s1, v_mul(v_mul(r->b, delta), delta));
      return v_fma(r->lr, delta, p);
    }
  }
}

/* What all vectors of a run share; the flags are loop invariants that gcc takes out of the loop. */
typedef struct {
  const bk_segment *s;
  vf scale, limit, decay, l1, l2;
  int scaled, clipped, decayed, penalised;
} bk_run_of;

BK_INLINE void bk_update_vector(const bk_run_of *u, const bk_rule *r, int64_t i, int64_t n, const int rule, const int variant,
                                const int slots) {
  const bk_segment *s = u->s;
  vf p = v_load_n(s->param + i, n), g = v_load_n(s->grad + i, n), s0 = v_zero(), s1 = s0, s2 = s0;
  if (slots > 0) s0 = v_load_n(s->slot[0] + i, n);
  if (slots > 1) s1 = v_load_n(s->slot[1] + i, n);
  if (slots > 2) s2 = v_load_n(s->slot[2] + i, n);
  if (u->penalised) g = v_add(g, v_fma(p, u->l2, v_mul(v_sign(p), u->l1)));
  if (u->scaled) g = v_mul(g, u->scale);
  if (u->clipped) g = v_min(u->limit, v_max(v_neg(u->limit), g));
  if (u->decayed) p = v_fnma(p, u->decay, p);
  p = bk_apply_rule(rule, variant, r, p, g, &s0, &s1, &s2);
  v_store_n(s->param + i, p, n);
  if (slots > 0) v_store_n(s->slot[0] + i, s0, n);
  if (slots > 1) v_store_n(s->slot[1] + i, s1, n);
  if (slots > 2) v_store_n(s->slot[2] + i, s2, n);
}

BK_INLINE void bk_update_run(const bk_args *a, const bk_segment *segment, int64_t i0, int64_t i1, const bk_rule *r,
                             const int rule, const int variant, const int slots) {
  const bk_segment s = *segment;                 /* a copy: stores through its pointers cannot change it */
  bk_run_of u = {&s, a->p[3] ? v_bcast(a->p[3]) : v_set1(1.0f), v_set1(a->f[7]), v_mul(v_set1(s.decay), r->lr),
                 v_set1(s.l1), v_set1(2.0f * s.l2), a->p[3] != 0, a->f[7] > 0, s.decay != 0, s.l1 != 0 || s.l2 != 0};
  int64_t i = i0;
  if (!u.scaled && !u.clipped && !u.decayed && !u.penalised) {
    bk_run_of plain = u;
    plain.scaled = plain.clipped = plain.decayed = plain.penalised = 0;
    for (; i + 2 * VL <= i1; i += 2 * VL) {
      bk_update_vector(&plain, r, i, VL, rule, variant, slots);
      bk_update_vector(&plain, r, i + VL, VL, rule, variant, slots);
    }
  }
  for (; i + VL <= i1; i += VL) bk_update_vector(&u, r, i, VL, rule, variant, slots);
  if (i < i1) bk_update_vector(&u, r, i, i1 - i, rule, variant, slots);
}

BK_INLINE void bk_update(const bk_args *a, int64_t lo, int64_t hi, const int rule, const int variant, const int slots) {
  const bk_segment *s = a->p[0];
  if (!bk_due(a)) return;
  const bk_rule r = bk_rule_of(a, rule);
  for (int64_t u = lo; u < hi;) {
    int64_t units = bk_ceil(s->n, BK_BLOCK);
    while (u >= s->first + units) units = bk_ceil((++s)->n, BK_BLOCK);
    const int64_t last = bk_min(hi, s->first + units);          /* all units of this segment in one run */
    bk_update_run(a, s, (u - s->first) * BK_BLOCK, bk_min(s->n, (last - s->first) * BK_BLOCK), &r, rule, variant, slots);
    u = last;
  }
}

#define BK_VARIANT(rule, variant, slots) case variant: bk_update(a, lo, hi, rule, variant, slots); break;
#define BK_OPTIMIZER(name, variants) \
  static bk_plan plan_##name(const bk_args *a) { return bk_update_plan(a); } \
  BK_KERNEL(name) { (void)w; switch (a->n[2]) { variants } }

BK_OPTIMIZER(sgd_update, BK_VARIANT(RULE_SGD, SGD_PLAIN, 0) BK_VARIANT(RULE_SGD, SGD_MOMENTUM, 1) BK_VARIANT(RULE_SGD, SGD_NESTEROV, 1))
BK_OPTIMIZER(rmsprop_update, BK_VARIANT(RULE_RMSPROP, 0, 1) BK_VARIANT(RULE_RMSPROP, 1, 2) BK_VARIANT(RULE_RMSPROP, 2, 2) BK_VARIANT(RULE_RMSPROP, 3, 3))
BK_OPTIMIZER(adam_update, BK_VARIANT(RULE_ADAM, 0, 2) BK_VARIANT(RULE_ADAM, 1, 3))
BK_OPTIMIZER(adagrad_update, BK_VARIANT(RULE_ADAGRAD, 0, 1))
BK_OPTIMIZER(adadelta_update, BK_VARIANT(RULE_ADADELTA, 0, 2))
BK_OPTIMIZER(adamax_update, BK_VARIANT(RULE_ADAMAX, 0, 2))
BK_OPTIMIZER(nadam_update, BK_VARIANT(RULE_NADAM, 0, 2))
BK_OPTIMIZER(lion_update, BK_VARIANT(RULE_LION, 0, 1))
BK_OPTIMIZER(ftrl_update, BK_VARIANT(RULE_FTRL, 0, 2) BK_VARIANT(RULE_FTRL, 1, 2))
#endif
