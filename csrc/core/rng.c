/* rng.c: Philox4x32 with 7 rounds (Salmon et al. 2011) and the shuffle made of it; runtime/philox.py is the specification. */
#include "brisknet.h"

void bk_philox(uint64_t key, uint64_t counter_hi, uint64_t counter_lo, uint32_t out[4]) {
  uint32_t c0 = (uint32_t)counter_lo, c1 = (uint32_t)(counter_lo >> 32);
  uint32_t c2 = (uint32_t)counter_hi, c3 = (uint32_t)(counter_hi >> 32);
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < BK_PHILOX_ROUNDS; round++) {
    uint64_t p0 = (uint64_t)BK_PHILOX_M0 * c0, p1 = (uint64_t)BK_PHILOX_M1 * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1, c3 = (uint32_t)p0;
    k0 += BK_PHILOX_W0, k1 += BK_PHILOX_W1;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* Fisher and Yates from the top down; swap i uses word n - 1 - i of the stream (key, epoch). */
void bk_shuffle(uint32_t *index, int64_t n, uint64_t key, uint64_t epoch) {
  for (int64_t i = 0; i < n; i++) index[i] = (uint32_t)i;
  uint32_t draw[4];
  for (int64_t i = n - 1, used = 0; i > 0; i--, used++) {
    if (used % 4 == 0) bk_philox(key, epoch, (uint64_t)(used / 4), draw);
    int64_t j = (int64_t)(((uint64_t)draw[used % 4] * (uint64_t)(i + 1)) >> 32);
    uint32_t t = index[i];
    index[i] = index[j], index[j] = t;
  }
}
