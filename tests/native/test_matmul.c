/* matmul against sums in double precision: both transpositions, batches, sizes around every tile and block edge. */
#include "check.h"
#include "kernels/matmul.h"

static const int64_t SIZES[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 129, 200, 257, 300};
static char what[160];

static void test(int64_t M, int64_t N, int64_t K, int ta, int tb, int64_t batch, int shared_b) {
  const int64_t step_b = shared_b ? 0 : K * N;
  buffer a = buffer_random(M * K * batch), b = buffer_random(shared_b ? K * N : K * N * batch), c = buffer_new(M * N * batch);
  buffer *out[2] = {&c, 0};
  bk_args args = {.p = {a.p, b.p, c.p}, .n = {M, N, K, ta, tb, batch, M * K, step_b, M * N}};
  snprintf(what, sizeof what, "matmul M=%d N=%d K=%d ta=%d tb=%d batch=%d", (int)M, (int)N, (int)K, ta, tb, (int)batch);
  run_all_ways(what, k_matmul, &args, plan_matmul(&args), out);
  for (int64_t i = 0; i < batch; i++) for (int64_t m = 0; m < M; m++) for (int64_t n = 0; n < N; n++) {
    double sum = 0, size = 0;
    for (int64_t k = 0; k < K; k++) {
      const double x = a.p[i * M * K + (ta ? k * M + m : m * K + k)], y = b.p[i * step_b + (tb ? n * K + k : k * N + n)];
      sum += x * y, size += fabs(x * y);
    }
    check_near(what, (i * M + m) * N + n, c.p[(i * M + m) * N + n], sum, (double)K * 0x1p-24 * size);
  }
  buffer_free(&a), buffer_free(&b), buffer_free(&c);
}

int main(int argc, char **argv) {
  const int step = argc > 1 ? atoi(argv[1]) : 1;       /* every step-th case */
  static const int64_t fixed[][3] = {{32, 64, 10}, {32, 32, 64}, {4, 4, 2}, {1, 300, 300}, {300, 1, 300}, {193, 40, 520},
                                     {192, 40, 520}, {300, 300, 9}, {40, 1060, 33}, {300, 1060, 20}, {1, 1, 1}};
  for (int i = 0; i < COUNT(fixed) * 4 + 400; i += step) {
    int64_t s[3];
    for (int j = 0; j < 3; j++) s[j] = i < COUNT(fixed) * 4 ? fixed[i / 4][j] : SIZES[random_below(COUNT(SIZES))];
    const int batched = i % 5 == 4 && s[0] * s[1] * s[2] < 500000;
    test(s[0], s[1], s[2], i & 1, i / 2 & 1, batched ? 1 + random_below(4) : 1, (int)random_below(2));
  }
  return finish("matmul");
}
