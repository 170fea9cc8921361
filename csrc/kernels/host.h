/* host.h: a function of Python's inside a step. */
#ifndef BRISKNET_HOST_H
#define BRISKNET_HOST_H
#include "core/kernel.h"
#include "core/cpu.h"

#if defined(__x86_64__)
#define BK_FP_PLAIN 0x1f80     /* MXCSR as programs start with it: Python computes with denormals */
#else
#define BK_FP_PLAIN 0
#endif

typedef void (*bk_host)(void *object);   /* takes the GIL; src/brisknet/_core.pyx */

BK_KERNEL(host_call) {
  (void)lo, (void)hi, (void)w;
  bk_fp_leave(BK_FP_PLAIN);
  ((bk_host)a->p[0])(a->p[1]);
  bk_fp_enter();
}
#endif
