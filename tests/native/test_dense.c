/* Dense forward, dgrad and wgrad against sums in double precision, for sizes around every tile, panel and block edge. */
#include "check.h"
#include "kernels/dense.h"

static const int64_t SIZES[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 129, 257, 300};
static char what[160];
#define PANELS(K, N) ((N) == 1 ? (K) : ((N) + BK_PANEL - 1) / BK_PANEL * BK_PANEL * (K))

static int64_t weight_at(int64_t K, int64_t N, int64_t k, int64_t n) {
  return N == 1 ? k : (n / BK_PANEL * K + k) * BK_PANEL + n % BK_PANEL;
}

static buffer weights(int64_t K, int64_t N) {
  buffer b = buffer_new(PANELS(K, N));
  memset(b.p, 0, (size_t)b.n * 4);
  for (int64_t k = 0; k < K; k++) for (int64_t n = 0; n < N; n++) b.p[weight_at(K, N, k, n)] = random_float();
  mprotect(b.base, b.bytes, PROT_READ);
  return b;
}

static double activate(double z, int act, double alpha) {
  switch (act) {
    case BK_RELU: return z < 0 ? 0 : z;
    case BK_LEAKY_RELU: return z < 0 ? alpha * z : z;
    case BK_ELU: return z < 0 ? alpha * expm1(z) : z;
    case BK_SIGMOID: return 1 / (1 + exp(-z));
    case BK_TANH: return tanh(z);
    default: return z;
  }
}
static double slope(double y, int act, double alpha) {
  switch (act) {
    case BK_RELU: return y > 0;
    case BK_LEAKY_RELU: return y > 0 ? 1 : alpha;
    case BK_ELU: return y > 0 ? 1 : y + alpha;
    case BK_SIGMOID: return y * (1 - y);
    case BK_TANH: return 1 - y * y;
    default: return 1;
  }
}

static void test_forward(int64_t M, int64_t K, int64_t N, int act, int with_bias) {
  const double alpha = act == BK_ELU ? 1.25 : 0.25;
  buffer x = buffer_random(M * K), w = weights(K, N), bias = buffer_random(N), y = buffer_new(M * N), *out[2] = {&y, 0};
  bk_args a = {.p = {x.p, w.p, with_bias ? bias.p : 0, y.p}, .n = {M, K, N, act}, .f = {(float)alpha}};
  snprintf(what, sizeof what, "forward M=%d K=%d N=%d act=%d bias=%d", (int)M, (int)K, (int)N, act, with_bias);
  run_all_ways(what, k_dense_forward, &a, plan_dense_forward(&a), out);
  for (int64_t m = 0; m < M; m++) for (int64_t n = 0; n < N; n++) {
    double z = with_bias ? bias.p[n] : 0, size = fabs(z);
    for (int64_t k = 0; k < K; k++) {
      const double term = (double)x.p[m * K + k] * w.p[weight_at(K, N, k, n)];
      z += term, size += fabs(term);
    }
    const double want = activate(z, act, alpha), bound = 1.25 * (double)(K + 1) * 0x1p-24 * size + 4 * 0x1p-23 * fabs(want);
    check_near(what, m * N + n, y.p[m * N + n], want, bound + 1e-37);
  }
  buffer_free(&x), buffer_free(&w), buffer_free(&bias), buffer_free(&y);
}

static void test_dgrad(int64_t M, int64_t K, int64_t N, int act, int with_y, float scale) {
  const double alpha = act == BK_ELU ? 1.25 : 0.25;
  buffer dz = buffer_random(M * N), w = weights(K, N), y = buffer_random(M * K), dx = buffer_new(M * K), *out[2] = {&dx, 0};
  bk_args a = {.p = {dz.p, w.p, with_y ? y.p : 0, dx.p}, .n = {M, K, N, act}, .f = {(float)alpha, scale}};
  snprintf(what, sizeof what, "dgrad M=%d K=%d N=%d act=%d y=%d scale=%g", (int)M, (int)K, (int)N, act, with_y, scale);
  run_all_ways(what, k_dense_dgrad, &a, plan_dense_dgrad(&a), out);
  for (int64_t m = 0; m < M; m++) for (int64_t k = 0; k < K; k++) {
    double g = 0, size = 0;
    for (int64_t n = 0; n < N; n++) {
      const double term = (double)dz.p[m * N + n] * w.p[weight_at(K, N, k, n)];
      g += term, size += fabs(term);
    }
    const double factor = scale * (with_y ? slope(y.p[m * K + k], act, alpha) : 1), want = g * factor;
    check_near(what, m * K + k, dx.p[m * K + k], want, ((double)N * size * fabs(factor) + 8 * fabs(want)) * 0x1p-24 + 1e-37);
  }
  if (N > 1) {                             /* the same bits by weights that were turned round before */
    buffer turned = buffer_new(bk_ceil(K, BK_PANEL) * bk_transposed_stride(N)), again = buffer_new(M * K), *outs[2] = {&turned, 0};
    bk_args t = {.p = {w.p, turned.p}, .n = {K, N}};
    run_all_ways(what, k_transpose_panels, &t, plan_transpose_panels(&t), outs);
    a.p[3] = again.p, a.p[4] = turned.p, outs[0] = &again;
    run_all_ways(what, k_dense_dgrad, &a, plan_dense_dgrad(&a), outs);
    for (int64_t i = 0; i < M * K; i++) CHECK(float_bits(again.p[i]) == float_bits(dx.p[i]), "%s: transposed, %ld differs", what, (long)i);
    buffer_free(&turned), buffer_free(&again);
  }
  buffer_free(&dz), buffer_free(&w), buffer_free(&y), buffer_free(&dx);
}

static void test_wgrad(int64_t M, int64_t K, int64_t N, int with_bias) {
  buffer x = buffer_random(M * K), dz = buffer_random(M * N), dw = buffer_new(PANELS(K, N)), db = buffer_new(N);
  buffer *out[2] = {&dw, with_bias ? &db : 0};
  bk_args a = {.p = {x.p, dz.p, dw.p, with_bias ? db.p : 0}, .n = {M, K, N}};
  snprintf(what, sizeof what, "wgrad M=%d K=%d N=%d bias=%d", (int)M, (int)K, (int)N, with_bias);
  run_all_ways(what, k_dense_wgrad, &a, plan_dense_wgrad(&a), out);
  for (int64_t n = 0; n < (N == 1 ? 1 : PANELS(1, N)); n++) {
    for (int64_t k = 0; k < K; k++) {
      double sum = 0, size = 0;
      for (int64_t m = 0; m < M && n < N; m++) {
        const double term = (double)x.p[m * K + k] * dz.p[m * N + n];
        sum += term, size += fabs(term);
      }
      check_near(what, k * N + n, dw.p[weight_at(K, N, k, n)], sum, (double)M * 0x1p-24 * size);   /* padding: exactly 0 */
    }
    double sum = 0, size = 0;
    for (int64_t m = 0; m < M && n < N; m++) sum += dz.p[m * N + n], size += fabs(dz.p[m * N + n]);
    if (with_bias && n < N) check_near(what, n, db.p[n], sum, (double)M * 0x1p-24 * size);
  }
  if (!with_bias) CHECK(float_bits(db.p[0]) == float_bits(POISON), "%s: wrote db", what);
  buffer_free(&x), buffer_free(&dz), buffer_free(&dw), buffer_free(&db);
}

/* NaN and infinities reach exactly the outputs they belong to. */
static void test_special(int64_t M, int64_t K, int64_t N, int act) {
  float x[9 * 40], w[3 * 16 * 40] = {0}, y[9 * 40], bad[] = {NAN, INFINITY};
  for (int i = 0; i < 2; i++) {
    for (int64_t j = 0; j < M * K; j++) x[j] = 1;
    for (int64_t k = 0; k < K; k++) for (int64_t n = 0; n < N; n++) w[weight_at(K, N, k, n)] = -0.125f;
    x[(M - 1) * K + K - 1] = bad[i];
    bk_args a = {.p = {x, w, 0, y}, .n = {M, K, N, act}, .f = {0.25f}};
    bk_worker worker = {.nthreads = 1};
    k_dense_forward(&a, 0, plan_dense_forward(&a).units, &worker);
    for (int64_t m = 0; m < M; m++) for (int64_t n = 0; n < N; n++) {
      const double z = -0.125 * (double)(K - 1) - 0.125 * x[m * K + K - 1], want = activate(z, act, 0.25), got = y[m * N + n];
      CHECK(isnan(want) ? isnan(got) : isinf(want) ? got == want : fabs(got - want) < 1e-5,
            "special M=%d K=%d N=%d act=%d x=%g: got %g, expected %g", (int)M, (int)K, (int)N, act, bad[i], got, want);
    }
  }
}

int main(int argc, char **argv) {
  const int step = argc > 1 ? atoi(argv[1]) : 1;       /* every step-th case */
  static const int64_t fixed[][3] = {{32, 10, 64}, {32, 64, 32}, {32, 32, 1}, {4, 2, 4}, {4, 4, 1}, {1, 300, 100}, {128, 96, 10},
                                     {300, 20, 33}, {129, 257, 65}, {1, 1, 1}, {145, 257, 17}, {300, 300, 16}, {290, 7, 530}, {2, 520, 2}};
  for (int i = 0; i < COUNT(fixed) + 400; i += step) {
    int64_t s[3];
    for (int j = 0; j < 3; j++) s[j] = i < COUNT(fixed) ? fixed[i][j] : SIZES[random_below(COUNT(SIZES))];
    const int act = (int)(i % 6);
    test_forward(s[0], s[1], s[2], act, (int)random_below(2));
    test_dgrad(s[0], s[1], s[2], act, random_below(4) != 0, random_below(2) ? 1.0f : 2.5f);
    test_wgrad(s[0], s[1], s[2], (int)random_below(2));
  }
  for (int act = 0; act < 6; act++) for (int i = 0; i < 6; i++)
    test_special((int64_t[]){1, 9, 7, 9, 1, 5}[i], 9, (int64_t[]){1, 1, 16, 37, 37, 10}[i], act);
  return finish("dense");
}
