/* What the machine can do: FMA peak and bandwidth by working set. Usage: machine THREADS; prints JSON lines.
 * Compiled with -march=native: it measures this machine and is part of no package. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
typedef float vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#if defined(__aarch64__)
#define PIN(v) __asm__ volatile("" : "+w"(v))
#elif defined(__x86_64__)
#define PIN(v) __asm__ volatile("" : "+x"(v))
#else
#define PIN(v) (void)(v)
#endif

static pthread_barrier_t gate;
static int threads, mode;
static long count, repeats;
static float *from[64], *to[64], sink[64];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* 12 independent chains hide the latency of 4 cycles on two pipes; each step is 2 * LANES operations a chain. */
static void fma_loop(int tid) {
  vec x = {0}, y = {0};
  x += 1.0f - 1e-7f;
  y += 1e-7f;
  vec a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, k = x, l = x, m = x, n = x;
#define STEP(v) v = v * x + y; PIN(v)
  for (long i = 0; i < repeats; i++) {
    STEP(a); STEP(b); STEP(c); STEP(d); STEP(e); STEP(f); STEP(g); STEP(h); STEP(k); STEP(l); STEP(m); STEP(n);
  }
  sink[tid] = (a + b + c + d + e + f + g + h + k + l + m + n)[0];
}

/* read: the sum of `from`. update: to = to + 3 from, two reads and one write, as an optimizer's. */
static void memory_loop(int tid) {
  float *f = from[tid], *t = to[tid];
  for (long r = 0; r < repeats; r++) {
    __asm__ volatile("" ::: "memory");
    if (mode == 1) {
      vec s = {0}, u = s, v = s, w = s;
      for (long i = 0; i < count; i += 4 * LANES) {
        s += *(vec *)(f + i);
        u += *(vec *)(f + i + LANES);
        v += *(vec *)(f + i + 2 * LANES);
        w += *(vec *)(f + i + 3 * LANES);
      }
      s += u + v + w;
      PIN(s);
      sink[tid] = s[0];
    } else {
      for (long i = 0; i < count; i += LANES) *(vec *)(t + i) += 3.0f * *(vec *)(f + i);
    }
  }
}

static void *work(void *arg) {
  int tid = (int)(intptr_t)arg;
  pthread_barrier_wait(&gate);
  if (mode == 0) fma_loop(tid); else memory_loop(tid);
  pthread_barrier_wait(&gate);
  return NULL;
}

static double once(void) {
  pthread_t t[64];
  for (long i = 1; i < threads; i++) pthread_create(&t[i], NULL, work, (void *)(intptr_t)i);
  double start;
  pthread_barrier_wait(&gate);
  start = now();
  if (mode == 0) fma_loop(0); else memory_loop(0);
  pthread_barrier_wait(&gate);
  start = now() - start;
  for (long i = 1; i < threads; i++) pthread_join(t[i], NULL);
  return start;
}

static double best(int tries) {
  double b = 1e9;
  for (int i = 0; i < tries; i++) {
    double s = once();
    if (s < b) b = s;
  }
  return b;
}

int main(int argc, char **argv) {
  threads = argc > 1 ? atoi(argv[1]) : 1;
  int quick = argc > 2;
  if (threads < 1 || threads > 64) return 2;
  pthread_barrier_init(&gate, NULL, threads);
  mode = 0;
  repeats = quick ? 400000 : 2000000;
  double s = best(quick ? 2 : 60);
  printf("{\"what\": \"fma\", \"threads\": %d, \"lanes\": %d, \"gflops\": %.2f}\n", threads, LANES, 24.0 * LANES * repeats * threads / s * 1e-9);
  long most = quick ? 1L << 18 : 1L << 25; /* floats over all threads and each of two arrays: 128 MiB */
  for (int i = 0; i < threads; i++) {
    size_t bytes = (size_t)most / threads * 4 + 4096;
    from[i] = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    to[i] = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (!from[i] || !to[i]) return 1;
    memset(from[i], 0, bytes);
    memset(to[i], 0, bytes);
  }
  static const char *name[] = {"", "read", "update"};
  for (mode = 1; mode <= 2; mode++)
    for (long kb = 64; kb * 1024 <= most * 4 * mode; kb *= 4) {
      count = kb * 1024 / 4 / mode / threads / (8 * LANES) * (8 * LANES);
      double moved = (mode == 1 ? 4.0 : 12.0) * count * threads;
      repeats = (long)((quick ? 2e6 : 4e8) / moved) + 1;
      s = best(quick ? 2 : 5);
      printf("{\"what\": \"%s\", \"threads\": %d, \"bytes\": %ld, \"gbytes\": %.2f}\n", name[mode], threads, kb * 1024, moved * repeats / s * 1e-9);
    }
  return 0;
}
