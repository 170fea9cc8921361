/* dense.h: a dense layer forward and backward.
 *
 * Weights w[K,N] live in panels [ceil(N/16)][K][16], zero padded, so that no product packs them; with N == 1 they are a
 * plain vector [K]. Activations are row-major.
 */
#ifndef BRISKNET_DENSE_H
#define BRISKNET_DENSE_H
#include "kernels/microkernel.h"

/* A few rows of at most a vector of columns: no tiles. Such a product is one unit. */
static inline int bk_is_narrow(int64_t M, int64_t K, int64_t N) { return N <= VL && M < 32 && K < 32 && M * K <= 128; }

#define COLUMN_UNIT 64       /* rows (forward, dgrad) or weights (wgrad) in a unit where N == 1 */

/* Units of a product are its panels times blocks of its rows: blocks so small that a strip stays in an L2 cache and, where
 * the panels are few, that there is something to share among threads. By shapes alone. */
static inline int64_t bk_row_blocks(int64_t rows, int64_t panels) {
  static const uint8_t wanted[16] = {0, 16, 8, 6, 4, 4, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2};   /* ceil(16 / panels) */
  int64_t blocks = rows <= STRIP ? 1 : bk_ceil(rows, STRIP);
  if (panels < 16) blocks = bk_max(blocks, bk_min(wanted[panels], rows >> 4));
  return blocks;
}

/* The work of units [lo, hi): unit p * blocks + r is rows [r * rows, ...) of panel p. */
typedef struct bk_grid { int64_t blocks, rows, total, lo, hi; } bk_grid;

static inline bk_grid bk_grid_of(int64_t rows, int64_t panels, int64_t lo, int64_t hi) {
  bk_grid g = {bk_row_blocks(rows, panels), rows, rows, lo, hi};
  if (g.blocks == 1) return g;
  if (rows <= STRIP) {                      /* whole panels at once where the share is made of such */
    if (lo == 0 && hi == panels * g.blocks) {
      g.hi = panels, g.blocks = 1;
      return g;
    }
    if (lo % g.blocks == 0 && hi % g.blocks == 0) {
      g.lo /= g.blocks, g.hi /= g.blocks, g.blocks = 1;
      return g;
    }
  }
  g.rows = bk_ceil(rows, g.blocks);
  return g;
}
/* Panels [first, end) of row block r, and its rows (0 or less: none). */
static inline int64_t bk_grid_first(const bk_grid *g, int64_t r) {
  return g->blocks == 1 ? g->lo : bk_ceil(bk_max(g->lo - r, 0), g->blocks);
}
static inline int64_t bk_grid_end(const bk_grid *g, int64_t r) {
  return g->blocks == 1 ? g->hi : bk_ceil(bk_max(g->hi - r, 0), g->blocks);
}
static inline int64_t bk_grid_rows(const bk_grid *g, int64_t r) { return bk_min(g->rows, g->total - r * g->rows); }

static inline bk_plan bk_dense_plan(int64_t M, int64_t K, int64_t N, int64_t units, int64_t scratch) {
  bk_plan p = {units, scratch, 2.0 * M * K * N, 4.0 * (M * K + K * N + M * N)};
  return p;
}

#include "kernels/dense_forward.h"
#include "kernels/dense_dgrad.h"
#include "kernels/dense_wgrad.h"
#endif
