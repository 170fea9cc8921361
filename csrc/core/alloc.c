/* alloc.c: the one place that allocates. Zeroed, 64-byte aligned, BK_PAD readable bytes behind; large blocks ask for huge pages. */
#define _GNU_SOURCE
#include "brisknet.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HEADER 64
#define HUGE_PAGE ((size_t)2 << 20)

typedef struct block { void *base; size_t bytes; } block;   /* kept in the 64 bytes before what callers see */

static bk_alloc_hook hook;
static int64_t allocated;

void bk_set_alloc_hook(bk_alloc_hook h) { hook = h; }

void *bk_alloc(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return NULL;
  const size_t align = bytes >= 2 * HUGE_PAGE ? HUGE_PAGE : 64;
  const size_t total = bytes + BK_PAD + HEADER + align;
  char *base = hook ? hook(total) : malloc(total);
  if (!base) return NULL;
  char *p = (char *)(((uintptr_t)base + HEADER + align - 1) & ~(uintptr_t)(align - 1));
#ifdef MADV_HUGEPAGE
  if (align > 64) madvise(p, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
  memset(p, 0, bytes + BK_PAD);
  block *b = (block *)(p - HEADER);
  b->base = base, b->bytes = bytes;
  __atomic_fetch_add(&allocated, (int64_t)bytes, __ATOMIC_RELAXED);
  return p;
}

void bk_free(void *p) {
  if (!p) return;
  block *b = (block *)((char *)p - HEADER);
  __atomic_fetch_sub(&allocated, (int64_t)b->bytes, __ATOMIC_RELAXED);
  free(b->base);
}

int64_t bk_allocated(void) { return __atomic_load_n(&allocated, __ATOMIC_RELAXED); }
