/* check.h: what the native test programs share: counting failures, random numbers, and buffers between guard pages.
 *
 * A program is one kernel set: it is compiled with ISA_HEADER naming a simd header, and that ISA's flags. It prints what
 * failed and exits 1, or ends with "ok" and exits 0. An argument makes the run shorter (sanitizers, emulators). */
#ifndef CHECK_H
#define CHECK_H
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include ISA_HEADER

static int failures;
#define FAIL(...) do { if (failures++ < 20) { printf("FAIL "); printf(__VA_ARGS__); printf("\n"); } } while (0)
#define CHECK(condition, ...) do { if (!(condition)) FAIL(__VA_ARGS__); } while (0)

static uint64_t random_state = 1;
static inline uint32_t random_u32(void) {              /* splitmix64 */
  uint64_t z = random_state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return (uint32_t)((z ^ (z >> 31)) >> 32);
}
static inline float random_float(void) { return (float)(random_u32() >> 8) * 0x1p-23f - 1.0f; }
static inline int64_t random_below(int64_t n) { return (int64_t)(random_u32() % (uint32_t)n); }
#define COUNT(array) ((int64_t)(sizeof(array) / sizeof((array)[0])))

/* n floats, 64-byte aligned, that end as near to an unreadable page as the contract allows: BK_PAD bytes, which are NaN
 * and must stay so, as must what lies between the page before and the first float. */
typedef struct buffer { float *p; int64_t n; float *base; size_t bytes; } buffer;

static inline uint32_t float_bits(float x) { uint32_t u; memcpy(&u, &x, 4); return u; }
static inline float bits_float(uint32_t u) { float x; memcpy(&x, &u, 4); return x; }
#define POISON bits_float(0x7fc0dead)

static inline void buffer_poison(buffer *b) { for (int64_t i = 0; i < b->n; i++) b->p[i] = POISON; }

static inline buffer buffer_new(int64_t n) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), body = ((size_t)n * 4 + BK_PAD + 63) / 64 * 64;
  const size_t inner = (body + 64 + page - 1) / page * page;
  char *all = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED || mprotect(all + page, inner, PROT_READ | PROT_WRITE)) { perror("mmap"); exit(2); }
  buffer b = {(float *)(all + page + inner - body), n, (float *)(all + page), inner};
  for (size_t i = 0; i < inner / 4; i++) b.base[i] = POISON;
  return b;
}
static inline buffer buffer_random(int64_t n) {   /* read-only */
  buffer b = buffer_new(n);
  for (int64_t i = 0; i < n; i++) b.p[i] = random_float();
  mprotect(b.base, b.bytes, PROT_READ);
  return b;
}
static inline int buffer_border_intact(const buffer *b) {
  for (const float *q = b->base; q < b->base + b->bytes / 4; q++)
    if ((q < b->p || q >= b->p + b->n) && float_bits(*q) != float_bits(POISON)) return 0;
  return 1;
}
static inline void buffer_free(buffer *b) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  munmap((char *)b->base - page, b->bytes + 2 * page);
}

/* Each element is written by exactly one unit. */
static inline void check_units_disjoint(const char *what, bk_kernel kernel, const bk_args *a, bk_plan plan, buffer **out,
                                        bk_worker *w) {
  for (int i = 0; i < 2; i++) {
    if (!out[i] || plan.units * out[i]->n > 300000) continue;
    int64_t written = 0;
    for (int64_t u = 0; u < plan.units; u++) {
      buffer_poison(out[i]);
      kernel(a, u, u + 1, w);
      for (int64_t j = 0; j < out[i]->n; j++) written += float_bits(out[i]->p[j]) != float_bits(POISON);
    }
    CHECK(written == out[i]->n, "%s: units wrote %lld of %lld elements of output %d", what, (long long)written,
          (long long)out[i]->n, i);
  }
}

/* Runs all units of a kernel in one call, then again cut in other ways: always the same bits in out[0..1], nothing written
 * beside them or the scratch. */
static inline void run_all_ways(const char *what, bk_kernel kernel, const bk_args *a, bk_plan plan, buffer **out) {
  buffer scratch = buffer_new(plan.scratch_bytes / 4), first[2];
  CHECK(plan.units >= 1, "%s: plan has no units", what);
  for (int way = 0; way < 5; way++) {
    bk_worker w = {.nthreads = 1, .scratch = scratch.p};
    buffer_poison(&scratch);
    for (int i = 0; i < 2; i++) if (out[i]) buffer_poison(out[i]);
    if (way == 0) kernel(a, 0, plan.units, &w);
    if (way == 1) for (int64_t u = 0; u < plan.units; u++) kernel(a, u, u + 1, &w);
    if (way == 2) for (int64_t u = plan.units; u-- > 0;) kernel(a, u, u + 1, &w);
    if (way == 3) for (int64_t t = 2; t >= 0; t--) kernel(a, t * plan.units / 3, (t + 1) * plan.units / 3, &w);
    if (way == 4) for (int64_t lo = 0, hi; lo < plan.units; lo = hi) {
      hi = lo + 1 + random_below(plan.units - lo);
      kernel(a, lo, hi, &w);
    }
    CHECK(buffer_border_intact(&scratch), "%s: wrote past its scratch (way %d)", what, way);
    for (int i = 0; i < 2; i++) {
      if (!out[i]) continue;
      CHECK(buffer_border_intact(out[i]), "%s: wrote outside output %d (way %d)", what, i, way);
      if (way == 0) { first[i] = buffer_new(out[i]->n); memcpy(first[i].p, out[i]->p, (size_t)out[i]->n * 4); }
      else CHECK(!memcmp(first[i].p, out[i]->p, (size_t)out[i]->n * 4), "%s: other bits when cut differently (way %d)", what, way);
    }
  }
  bk_worker w = {.nthreads = 1, .scratch = scratch.p};
  check_units_disjoint(what, kernel, a, plan, out, &w);
  for (int i = 0; i < 2; i++) {
    if (!out[i]) continue;
    memcpy(out[i]->p, first[i].p, (size_t)out[i]->n * 4);
    buffer_free(&first[i]);
  }
  buffer_free(&scratch);
}

/* |got - want| <= bound; NaN never passes. */
static inline void check_near(const char *what, int64_t at, double got, double want, double bound) {
  CHECK(fabs(got - want) <= bound, "%s [%lld]: got %.9g, expected %.9g, off by %.3g, allowed %.3g", what, (long long)at, got,
        want, fabs(got - want), bound);
}

static inline int finish(const char *what) {
  if (failures) printf("%s: %d failures\n", what, failures);
  else printf("%s: ok\n", what);
  return failures != 0;
}
#endif
