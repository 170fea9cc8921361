/* The elementary functions against libm in double precision, over a dense sweep of all floats: every 257th by default.
 * An argument gives another step; 1 tests them all. */
#include "check.h"
#include "kernels/vmath.h"

typedef struct function {
  const char *name;
  vf (*fast)(vf);
  double (*exact)(double);
  double ulp, absolute;      /* allowed: either of them */
  float low, high;           /* the domain that is held to it */
} function;

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
#define WRAP(name) static __attribute__((noinline)) vf f_##name(vf x) { return v_##name(x); }
WRAP(exp) WRAP(exp_negative) WRAP(expm1) WRAP(log) WRAP(log1p) WRAP(sigmoid) WRAP(tanh) WRAP(erf) WRAP(sin) WRAP(cos)

static const function FUNCTIONS[] = {
  {"exp", f_exp, exp, 2, 0, -INFINITY, INFINITY},
  {"exp_negative", f_exp_negative, exp, 2, 0, -INFINITY, 0},
  {"expm1", f_expm1, expm1, 4, 0, -INFINITY, INFINITY},
  {"log", f_log, log, 2, 0, 0x1p-126f, INFINITY},
  {"log1p", f_log1p, log1p, 4, 0, -1, INFINITY},
  {"sigmoid", f_sigmoid, sigmoid, 4, 0, -INFINITY, INFINITY},
  {"tanh", f_tanh, tanh, 4, 0, -INFINITY, INFINITY},
  {"erf", f_erf, erf, 0, 5e-7, -INFINITY, INFINITY},
  {"sin", f_sin, sin, 0, 2e-7, -8000, 8000},
  {"cos", f_cos, cos, 0, 2e-7, -8000, 8000},
};

static double ulp_of(double x) {
  int e;
  frexp(x, &e);
  return ldexp(1, (e < -125 ? -125 : e) - 24);
}

static void sweep(const function *f, uint64_t step) {
  double worst = 0;
  float worst_at = 0;
  for (uint64_t u = 0; u < 1ull << 32;) {
    float x[VL], y[VL];
    for (int i = 0; i < VL; i++, u += step) x[i] = bits_float((uint32_t)u);
    v_store(y, f->fast(v_load(x)));
    for (int i = 0; i < VL; i++) {
      if (isnan(x[i])) { CHECK(isnan(y[i]), "%s(NaN) = %g", f->name, y[i]); continue; }
      if (!(x[i] >= f->low && x[i] <= f->high)) continue;
      const double want = f->exact(x[i]), got = y[i];
      if (isnan(want)) { CHECK(isnan(got), "%s(%.9g) = %.9g, expected NaN", f->name, x[i], got); continue; }
      if (got == want || (float)want == y[i]) continue;
      if (fabs(want) < 0x1p-126 && fabs(got) < 0x1p-125) continue;           /* below the normal range: may be flushed */
      const double off = fabs(got - want), ulps = off / ulp_of(want);
      if (!(off <= f->absolute || ulps <= f->ulp)) FAIL("%s(%.9g = %08x) = %.9g, expected %.9g: %.2f ULP", f->name, x[i],
                                                        float_bits(x[i]), got, want, ulps);
      const double measure = f->ulp ? ulps : off;
      if (measure > worst) worst = measure, worst_at = x[i];
    }
  }
  printf("%-12s worst %.3g %s at %.9g\n", f->name, worst, f->ulp ? "ULP" : "absolute", worst_at);
}

static float call(vf (*f)(vf), float x) {
  float y[VL];
  v_store(y, f(v_set1(x)));
  return y[0];
}
#define SAME(f, x, want) do { const float got_ = call(f_##f, x), want_ = want; \
  CHECK(isnan(want_) ? isnan(got_) : float_bits(got_) == float_bits(want_), "%s(%g) = %g, expected %g", #f, (double)(x), got_, want_); } while (0)

static void special_values(void) {
  const float inf = INFINITY, tiny = 0x1p-140f;
  SAME(exp, 0.0f, 1.0f); SAME(exp, -0.0f, 1.0f); SAME(exp, inf, inf); SAME(exp, -inf, 0.0f); SAME(exp, 1000.0f, inf);
  SAME(exp, tiny, 1.0f); SAME(exp, -1000.0f, 0.0f);
  SAME(exp_negative, 0.0f, 1.0f); SAME(exp_negative, -inf, 0.0f); SAME(exp_negative, -88.0f, 0.0f);
  SAME(expm1, 0.0f, 0.0f); SAME(expm1, -0.0f, -0.0f); SAME(expm1, inf, inf); SAME(expm1, -inf, -1.0f);
  SAME(log, 1.0f, 0.0f); SAME(log, 0.0f, -inf); SAME(log, -0.0f, -inf); SAME(log, inf, inf); SAME(log, -1.0f, NAN);
  SAME(log, -inf, NAN);
  SAME(log1p, 0.0f, 0.0f); SAME(log1p, -0.0f, -0.0f); SAME(log1p, -1.0f, -inf); SAME(log1p, inf, inf); SAME(log1p, -2.0f, NAN);
  SAME(sigmoid, 0.0f, 0.5f); SAME(sigmoid, inf, 1.0f); SAME(sigmoid, -inf, 0.0f); SAME(sigmoid, tiny, 0.5f);
  SAME(tanh, 0.0f, 0.0f); SAME(tanh, -0.0f, -0.0f); SAME(tanh, inf, 1.0f); SAME(tanh, -inf, -1.0f);
  SAME(erf, 0.0f, 0.0f); SAME(erf, -0.0f, -0.0f); SAME(erf, inf, 1.0f); SAME(erf, -inf, -1.0f);
  SAME(sin, 0.0f, 0.0f); SAME(sin, -0.0f, -0.0f); SAME(cos, 0.0f, 1.0f); SAME(cos, -0.0f, 1.0f);
  /* a denormal counts as the smallest normal number, or as zero where the mode that programs run in says so */
  const float y = call(f_log, tiny);
  CHECK(y == -inf || fabsf(y + 87.33655f) < 1e-4f, "log(2^-140) = %g", y);
}

int main(int argc, char **argv) {
  const uint64_t step = argc > 1 ? strtoull(argv[1], 0, 10) : 257;
  special_values();
  for (int i = 0; i < COUNT(FUNCTIONS); i++) sweep(&FUNCTIONS[i], step);
  return finish("vmath");
}
