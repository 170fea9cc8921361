/* sparsemax.h: rows projected onto the simplex. */
#ifndef BRISKNET_SPARSEMAX_H
#define BRISKNET_SPARSEMAX_H
#include "kernels/softmax.h"

/* tau with sum max(x - max - tau, 0) = 1: what lies above tau is guessed, tau follows from it and leaves fewer above, until nothing
 * changes (Michelot 1986). All of the support lies above max - 1. A NaN in x gives NaN. */
static float bk_simplex_threshold(const float *x, int64_t n, vf max) {
  float tau = -1.0f;
  for (int64_t before = n + 1;;) {
    vf sum = v_zero(), count = v_zero();
    const vf t = v_set1(tau);
    for (int64_t i = 0; i < n; i += VL) {
      vf v = v_load_n(x + i, n - i);
      if (n - i < VL) {                              /* lanes past the row are below every tau */
        float pad[VL];
        v_store(pad, v);
        for (int64_t j = n - i; j < VL; j++) pad[j] = -__builtin_inff();
        v = v_load(pad);
      }
      v = v_sub(v, max);
      vi above = v_gt(v, t);
      sum = v_add(sum, v_mask(above | v_isnan(v), v));
      count = v_add(count, v_mask(above, v_set1(1.0f)));
    }
    const int64_t k = (int64_t)v_hsum(count);
    const float total = v_hsum(sum);
    if (total != total || k == 0) return __builtin_nanf("");
    tau = (total - 1.0f) / (float)k;
    if (k >= before) return tau;
    before = k;
  }
}

BK_KERNEL(sparsemax) {
  (void)w;
  const int64_t n = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *x = (const float *)a->p[0] + r * n;
    float *y = (float *)a->p[1] + r * n;
    const vf max = v_set1(bk_row_max(x, n)), tau = v_set1(bk_simplex_threshold(x, n, max));
    for (int64_t i = 0; i < n; i += VL)
      v_store_n(y + i, v_max(v_zero(), v_sub(v_sub(v_load_n(x + i, n - i), max), tau)), n - i);
  }
}

/* y = max(x - tau, 0)  ->  dx = dy - mean of dy over the support of y, there; 0 elsewhere */
BK_KERNEL(sparsemax_grad) {
  (void)w;
  const int64_t n = a->n[1];
  for (int64_t r = lo; r < hi; r++) {
    const float *dy = (const float *)a->p[0] + r * n, *y = (const float *)a->p[1] + r * n;
    float *dx = (float *)a->p[2] + r * n;
    vf sum = v_zero(), count = v_zero();
    for (int64_t i = 0; i < n; i += VL) {            /* lanes past the row load 0, which is no support */
      vi kept = v_gt(v_load_n(y + i, n - i), v_zero());
      sum = v_add(sum, v_mask(kept, v_load_n(dy + i, n - i)));
      count = v_add(count, v_mask(kept, v_set1(1.0f)));
    }
    const float k = v_hsum(count);
    const vf mean = v_set1(v_hsum(sum) / (k < 1 ? 1 : k));
    for (int64_t i = 0; i < n; i += VL) {
      vi kept = v_gt(v_load_n(y + i, n - i), v_zero());
      v_store_n(dx + i, v_mask(kept, v_sub(v_load_n(dy + i, n - i), mean)), n - i);
    }
  }
}
#endif
