/* random.h: Philox in vectors. Eight blocks make a group: 32 words, or 64 halves (runtime/philox.py is the specification).
 * A vector holds the same word of VL neighbouring blocks, so elements come out in order: e = 8 * word + block. */
#ifndef BRISKNET_RANDOM_H
#define BRISKNET_RANDOM_H
#include "kernels/elementwise.h"

#define GROUP 8                            /* blocks in a group */
#define SPLIT (VL < GROUP ? GROUP / VL : 1)   /* vectors that hold a word of one group */
#define GROUPS_PER_UNIT 64

BK_INLINE vi bk_iota(void) {
  vi v;
  for (int i = 0; i < VL; i++) v[i] = i;
  return v;
}

/* Word j of blocks first .. first + VL - 1 in out[j]. */
BK_INLINE void bk_philox_vector(uint64_t key, uint64_t step, uint64_t first, vi out[4]) {
  vi c0 = vi_set1((int32_t)first) + bk_iota(), c1 = vi_set1((int32_t)(first >> 32));   /* first is a multiple of VL: no carry */
  vi c2 = vi_set1((int32_t)step), c3 = vi_set1((int32_t)(step >> 32));
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  const vi m0 = vi_set1((int32_t)BK_PHILOX_M0), m1 = vi_set1((int32_t)BK_PHILOX_M1);
  BK_UNROLL for (int round = 0; round < BK_PHILOX_ROUNDS; round++) {
    vi h0, l0, h1, l1;
    vi_mulhilo(c0, m0, &h0, &l0);
    vi_mulhilo(c2, m1, &h1, &l1);
    c0 = h1 ^ c1 ^ vi_set1((int32_t)k0), c1 = l1;
    c2 = h0 ^ c3 ^ vi_set1((int32_t)k1), c3 = l0;
    k0 += BK_PHILOX_W0, k1 += BK_PHILOX_W1;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* words[4][8] of group g. With 16 lanes the upper half is computed in vain. */
BK_INLINE void bk_philox_group(uint64_t key, uint64_t step, int64_t g, int32_t words[4][GROUP]) {
  for (int s = 0; s < SPLIT; s++) {
    vi out[4];
    bk_philox_vector(key, step, (uint64_t)g * GROUP + (uint64_t)s * VL, out);
    for (int j = 0; j < 4; j++) {
      if (VL <= GROUP) vi_store(words[j] + s * VL, out[j]);
      else for (int i = 0; i < GROUP; i++) words[j][i] = out[j][i];
    }
  }
}

static bk_plan bk_random_plan(int64_t n, int64_t per_group) {
  bk_plan p = {bk_ceil(bk_ceil(n, per_group), GROUPS_PER_UNIT), 0, 12.0 * (double)n, 8.0 * (double)n};
  return p;
}

/* y = x * scale where the element's 16 bits reach the threshold, else 0 */
static bk_plan plan_dropout(const bk_args *a) { return bk_random_plan(a->n[0], 64); }
BK_KERNEL(dropout) {
  (void)w;
  const float *x = a->p[0];
  float *y = a->p[1];
  const uint64_t step = (uint64_t)*(const int64_t *)a->p[2], key = (uint64_t)a->n[1];
  const vf scale = v_set1(a->f[0]);
  const vi threshold = vi_set1((int32_t)a->n[2] - 1), low = vi_set1(0xffff);
  const int64_t total = a->n[0], groups = bk_min(hi * GROUPS_PER_UNIT, bk_ceil(total, 64));
#define BK_DROP(at, half) do { const int64_t e = (at), n = total - e; \
    if (n > 0) v_store_n(y + e, v_mask((half) > threshold, v_mul(v_load_n(x + e, n), scale)), n); } while (0)
  for (int64_t g = lo * GROUPS_PER_UNIT; g < groups; g++) {
#if VL <= GROUP
    for (int s = 0; s < SPLIT; s++) {
      vi words[4];
      bk_philox_vector(key, step, (uint64_t)g * GROUP + (uint64_t)s * VL, words);
      BK_UNROLL for (int j = 0; j < 4; j++) {
        BK_DROP(g * 64 + 16 * j + s * VL, words[j] & low);
        BK_DROP(g * 64 + 16 * j + 8 + s * VL, (vi)((vu)words[j] >> 16));
      }
    }
#else
    int32_t words[4][GROUP], halves[64];
    bk_philox_group(key, step, g, words);
    for (int i = 0; i < 32; i++) {
      halves[i / 8 * 16 + i % 8] = words[i / 8][i % 8] & 0xffff;
      halves[i / 8 * 16 + 8 + i % 8] = (int32_t)((uint32_t)words[i / 8][i % 8] >> 16);
    }
    for (int i = 0; i < 64; i += VL) BK_DROP(g * 64 + i, vi_load(halves + i));
    (void)low;
#endif
  }
#undef BK_DROP
}

#define BK_DRAW(name, ...) \
  static bk_plan plan_##name(const bk_args *a) { return bk_random_plan(a->n[0], 32); } \
  BK_KERNEL(name) { \
    (void)w; \
    float *out = a->p[0]; \
    const uint64_t step = (uint64_t)*(const int64_t *)a->p[1]; \
    const vf f0 = v_set1(a->f[0]), f1 = v_set1(a->f[1]); \
    const int64_t groups = bk_min(hi * GROUPS_PER_UNIT, bk_ceil(a->n[0], 32)); \
    for (int64_t g = lo * GROUPS_PER_UNIT; g < groups; g++) { \
      int32_t words[4][GROUP]; \
      float draws[4 * GROUP + VL]; \
      bk_philox_group((uint64_t)a->n[1], step, g, words); \
      __VA_ARGS__ \
      const int64_t e0 = g * 32, n = bk_min(32, a->n[0] - e0); \
      for (int64_t i = 0; i < n; i += VL) v_store_n(out + e0 + i, v_fma(v_load(draws + i), f1, f0), n - i); \
    } \
  }

/* 24 bits of each word, in [0, 1) */
BK_DRAW(random_uniform, {
  for (int i = 0; i < 4 * GROUP; i++) draws[i] = (float)((uint32_t)words[i / GROUP][i % GROUP] >> 8) * 5.9604644775390625e-08f;
})

/* Box and Muller: words 0 and 1 make elements 0..7 (cosine) and 8..15 (sine), words 2 and 3 the rest */
BK_DRAW(random_normal, {
  for (int pair = 0; pair < 2; pair++) {
    float u1[GROUP + VL], u2[GROUP + VL];
    for (int i = 0; i < GROUP; i++) {
      u1[i] = (float)(((uint32_t)words[2 * pair][i] >> 8) + 1) * 5.9604644775390625e-08f;
      u2[i] = (float)((uint32_t)words[2 * pair + 1][i] >> 8) * 5.9604644775390625e-08f;
    }
    for (int i = 0; i < GROUP; i += VL) {
      vf r = v_sqrt(v_mul(v_set1(-2.0f), v_log(v_load_n(u1 + i, GROUP - i))));
      vf angle = v_mul(v_load_n(u2 + i, GROUP - i), v_set1(6.283185307179586f));
      v_store_n(draws + 16 * pair + i, v_mul(r, v_cos(angle)), GROUP - i);
      v_store_n(draws + 16 * pair + 8 + i, v_mul(r, v_sin(angle)), GROUP - i);
    }
  }
})
#endif
