/* integers.h: int32 arithmetic that broadcasts, element-wise int32 functions and int32 reductions. Sums and products wrap
 * around, as NumPy's do. */
#ifndef BRISKNET_INTEGERS_H
#define BRISKNET_INTEGERS_H
#include "kernels/elementwise.h"

/* The order of INTEGER_KINDS in passes/lower/rules_integer.py. */
enum {
  INT_ADD, INT_SUBTRACT, INT_MULTIPLY, INT_MAXIMUM, INT_MINIMUM, INT_EQUAL, INT_NOT_EQUAL, INT_LESS, INT_LESS_EQUAL,
  INT_GREATER, INT_GREATER_EQUAL, INT_FLOOR_DIVIDE, INT_MOD, INT_AND, INT_OR, INT_XOR, INT_LEFT, INT_RIGHT
};

/* Division that rounds down; a divisor of 0 gives 0, as in NumPy. */
BK_INLINE int32_t bk_floor_divide(int32_t x, int32_t y) {
  if (y == 0) return 0;
  if (y == -1) return (int32_t)-(uint32_t)x;
  const int32_t q = x / y;
  return q - (x % y != 0 && (x < 0) != (y < 0));
}
BK_INLINE int32_t bk_floor_mod(int32_t x, int32_t y) {
  if (y == 0 || y == -1) return 0;
  const int32_t r = x % y;
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

#define BK_INTEGERS(expression) BK_BROADCAST(a, lo, hi, { \
    const int32_t *px = (const int32_t *)ox.p + r * ox.row + c * ox.col, *py = (const int32_t *)oy.p + r * oy.row + c * oy.col; \
    const int64_t m = bk_min(n, VL); \
    for (int64_t j = 0; j < m; j++) { \
      const int32_t x = px[j * ox.col], y = py[j * oy.col]; \
      out[i + j] = (int32_t)(expression); \
    } \
  }); break

/* p0 a, p1 b, p2 out[n0 / n1, n1]; strides as in BK_BINARY; n6 what to compute */
BK_KERNEL(integer_binary) {
  (void)w;
  const bk_operand ox = bk_operand_of(a, 0, 2), oy = bk_operand_of(a, 1, 4);
  int32_t *out = a->p[2];
  switch (a->n[6]) {
    case INT_ADD: BK_INTEGERS((uint32_t)x + (uint32_t)y);
    case INT_SUBTRACT: BK_INTEGERS((uint32_t)x - (uint32_t)y);
    case INT_MULTIPLY: BK_INTEGERS((uint32_t)x * (uint32_t)y);
    case INT_MAXIMUM: BK_INTEGERS(x > y ? x : y);
    case INT_MINIMUM: BK_INTEGERS(x < y ? x : y);
    case INT_EQUAL: BK_INTEGERS(x == y);
    case INT_NOT_EQUAL: BK_INTEGERS(x != y);
    case INT_LESS: BK_INTEGERS(x < y);
    case INT_LESS_EQUAL: BK_INTEGERS(x <= y);
    case INT_GREATER: BK_INTEGERS(x > y);
    case INT_GREATER_EQUAL: BK_INTEGERS(x >= y);
    case INT_FLOOR_DIVIDE: BK_INTEGERS(bk_floor_divide(x, y));
    case INT_MOD: BK_INTEGERS(bk_floor_mod(x, y));
    case INT_AND: BK_INTEGERS(x & y);
    case INT_OR: BK_INTEGERS(x | y);
    case INT_XOR: BK_INTEGERS(x ^ y);
    case INT_LEFT: BK_INTEGERS(y < 0 || y > 31 ? 0 : (uint32_t)x << y);
    default: BK_INTEGERS(y < 0 || y > 31 ? (x < 0 ? -1 : 0) : x >> y);
  }
}

/* p0 x, p1 y; n0 elements; n1 0 negative, 1 absolute, 2 sign, 3 square, 4 clip to n2..n3 */
BK_KERNEL(integer_unary) {
  (void)w;
  BK_SPAN(a, lo, hi, i0, i1);
  const int32_t *x = a->p[0], low = (int32_t)a->n[2], high = (int32_t)a->n[3];
  int32_t *y = a->p[1];
  switch (a->n[1]) {
    case 0: for (int64_t i = i0; i < i1; i++) y[i] = (int32_t)-(uint32_t)x[i]; break;
    case 1: for (int64_t i = i0; i < i1; i++) y[i] = (int32_t)(x[i] < 0 ? -(uint32_t)x[i] : (uint32_t)x[i]); break;
    case 2: for (int64_t i = i0; i < i1; i++) y[i] = (x[i] > 0) - (x[i] < 0); break;
    case 3: for (int64_t i = i0; i < i1; i++) y[i] = (int32_t)((uint32_t)x[i] * (uint32_t)x[i]); break;
    default: for (int64_t i = i0; i < i1; i++) y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
  }
}

/* p0 x[outer, reduced, inner], p1 out[outer, inner]; n0 outer, n1 reduced, n2 inner; n3 0 sum, 1 largest, 2 smallest, 3 product */
static bk_plan plan_integer_reduce(const bk_args *a) {
  double n = (double)(a->n[0] * a->n[1] * a->n[2]);
  bk_plan p = {a->n[0], 0, n, 4 * n};
  return p;
}
BK_KERNEL(integer_reduce) {
  (void)w;
  const int64_t red = a->n[1], inner = a->n[2], kind = a->n[3];
  const int32_t start[4] = {0, INT32_MIN, INT32_MAX, 1};
  for (int64_t o = lo; o < hi; o++) {
    const int32_t *x = (const int32_t *)a->p[0] + o * red * inner;
    int32_t *out = (int32_t *)a->p[1] + o * inner;
    for (int64_t c = 0; c < inner; c++) out[c] = start[kind];
    for (int64_t k = 0; k < red; k++, x += inner)
      for (int64_t c = 0; c < inner; c++) {
        const int32_t s = out[c], v = x[c];
        out[c] = kind == 0 ? (int32_t)((uint32_t)s + (uint32_t)v) : kind == 1 ? (s > v ? s : v)
               : kind == 2 ? (s < v ? s : v) : (int32_t)((uint32_t)s * (uint32_t)v);
      }
  }
}
#endif
