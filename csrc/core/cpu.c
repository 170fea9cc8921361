/* cpu.c: how many threads are ours, and the floating-point mode of a running program. */
#define _GNU_SOURCE
#include "core/cpu.h"
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* CPUs that the cgroup's quota pays for (version 2, then 1); a large number where there is no quota. */
static int cgroup_cpus(void) {
  long long quota = -1, period = 100000;
  FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
  if (f) {
    char text[64] = "";
    if (fgets(text, sizeof text, f) && strncmp(text, "max", 3)) sscanf(text, "%lld %lld", &quota, &period);
    fclose(f);
  } else if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r"))) {
    if (fscanf(f, "%lld", &quota) != 1) quota = -1;
    fclose(f);
    if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r"))) {
      if (fscanf(f, "%lld", &period) != 1) period = 100000;
      fclose(f);
    }
  }
  if (quota <= 0 || period <= 0) return 1 << 20;
  return quota < period ? 1 : (int)(quota / period);
}

int bk_threads_available(void) {
  int n = 0;
#if defined(__linux__)
  cpu_set_t set;
  if (!sched_getaffinity(0, sizeof set, &set)) n = CPU_COUNT(&set);
#endif
  if (n < 1) n = (int)sysconf(_SC_NPROCESSORS_ONLN);
  const int paid = cgroup_cpus();
  if (paid < n) n = paid;
  return n < 1 ? 1 : n;
}

uint64_t bk_fp_enter(void) {
#if defined(__x86_64__)
  uint32_t old = _mm_getcsr();
  _mm_setcsr(old | 0x8040);              /* FTZ and DAZ */
  return old;
#elif defined(__aarch64__)
  uint64_t old;
  __asm__ volatile("mrs %0, fpcr" : "=r"(old));
  __asm__ volatile("msr fpcr, %0" : : "r"(old | (1u << 24)));
  return old;
#else
  return 0;
#endif
}

void bk_fp_leave(uint64_t old) {
#if defined(__x86_64__)
  _mm_setcsr((uint32_t)old);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(old));
#else
  (void)old;
#endif
}
