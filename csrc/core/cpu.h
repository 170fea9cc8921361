/* cpu.h: what run.c and pool.c need to know of the processor. */
#ifndef BRISKNET_CPU_H
#define BRISKNET_CPU_H
#include "brisknet.h"

uint64_t bk_fp_enter(void);              /* denormals to zero; returns what bk_fp_leave restores */
void bk_fp_leave(uint64_t old);

static inline void bk_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}
#endif
