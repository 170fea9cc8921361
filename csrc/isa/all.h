/* all.h: every kernel, and the table of this ISA. isa/<isa>.c defines BK_TABLE and includes simd/<isa>.h before. */
#include "core/table.h"
#include "kernels/vmath.h"
#include "kernels/data.h"
#include "kernels/microkernel.h"
#include "kernels/dense.h"
#include "kernels/matmul.h"
#include "kernels/conv.h"
#include "kernels/lanes.h"
#include "kernels/pool.h"
#include "kernels/rnn.h"
#include "kernels/elementwise.h"
#include "kernels/scalar_math.h"
#include "kernels/integers.h"
#include "kernels/indexing.h"
#include "kernels/image.h"
#include "kernels/activation.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "kernels/attention.h"
#include "kernels/attention_grad.h"
#include "kernels/embedding.h"
#include "kernels/sparsemax.h"
#include "kernels/loss.h"
#include "kernels/ctc.h"
#include "kernels/metric.h"
#include "kernels/lookup.h"
#include "kernels/norm.h"
#include "kernels/batch_norm.h"
#include "kernels/group_norm.h"
#include "kernels/random.h"
#include "kernels/host.h"
#include "kernels/sampling.h"
#include "kernels/optim.h"
#include "kernels/optim_state.h"
#include "kernels/optim_factored.h"

static bk_plan bk_plan_one(const bk_args *a) { bk_plan p = {1, 0, 0, 8.0 * (double)a->n[0]}; return p; }
static bk_plan bk_plan_elems(const bk_args *a) {
  bk_plan p = {bk_ceil(a->n[0], BK_BLOCK), 0, 8.0 * (double)a->n[0], 12.0 * (double)a->n[0]};
  return p;
}
static bk_plan bk_plan_rows(const bk_args *a) {
  bk_plan p = {a->n[0], 0, 8.0 * (double)(a->n[0] * a->n[1]), 8.0 * (double)(a->n[0] * a->n[1])};
  return p;
}
#define BK_PLAN_ONE(name) bk_plan_one
#define BK_PLAN_ELEMS(name) bk_plan_elems
#define BK_PLAN_ROWS(name) bk_plan_rows
#define BK_PLAN_PLAN(name) plan_##name
#define BK_PLAN_COARSE(name) plan_##name
#define BK_PLAN_WHOLE(name) plan_##name

#define BK_OP(name, part, inplace) {k_##name, BK_PLAN_##part(name)},
__attribute__((visibility("hidden"))) const bk_entry BK_TABLE[] = {
#include "ops.def"
};
#undef BK_OP
