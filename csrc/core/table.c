/* table.c: which instruction sets there are, and the kernels of each. */
#include "brisknet.h"
#include "core/table.h"
#include <string.h>

#define BK_OP(name, part, inplace) #name,
static const char *const op_names[] = {
#include "ops.def"
};
#undef BK_OP
#define BK_OP(name, part, inplace) inplace,
static const uint8_t op_inplace[] = {
#include "ops.def"
};
#undef BK_OP
enum { part_ONE = 4, part_ELEMS = 4, part_ROWS = 4, part_PLAN = 4, part_COARSE = 2, part_WHOLE = 1 };
#define BK_OP(name, part, inplace) part_##part,
static const uint8_t op_pieces[] = {
#include "ops.def"
};
#undef BK_OP

#if defined(__x86_64__)
extern const bk_entry bk_table_v2[], bk_table_avx2[], bk_table_avx512[];
static const bk_entry *const tables[BK_ISA_COUNT] = {bk_table_v2, bk_table_avx2, bk_table_avx512, NULL};
#else
extern const bk_entry bk_table_neon[];
static const bk_entry *const tables[BK_ISA_COUNT] = {NULL, NULL, NULL, bk_table_neon};
#endif
static const char *const isa_names[BK_ISA_COUNT] = {"v2", "avx2", "avx512", "neon"};

/* gcc's and clang's __builtin_cpu_supports ask the operating system too: masked AVX state counts as absent. */
int bk_isa_available(int isa) {
  if (isa < 0 || isa >= BK_ISA_COUNT || !tables[isa]) return 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  switch (isa) {
    case BK_ISA_V2: return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    case BK_ISA_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case BK_ISA_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  }
#endif
  return 1;
}

int bk_isa_best(void) {
  static const int order[] = {BK_ISA_NEON, BK_ISA_AVX2, BK_ISA_V2};
  for (int i = 0; i < 3; i++) if (bk_isa_available(order[i])) return order[i];
  return -1;
}

const char *bk_isa_name(int isa) { return isa >= 0 && isa < BK_ISA_COUNT ? isa_names[isa] : NULL; }

int bk_isa_from_name(const char *name) {
  for (int i = 0; i < BK_ISA_COUNT; i++) if (!strcmp(name, isa_names[i])) return i;
  return -1;
}

const char *bk_op_name(int op) { return op >= 0 && op < BK_OP_COUNT ? op_names[op] : NULL; }
int bk_op_inplace(int op) { return op_inplace[op]; }
int bk_op_pieces(int op) { return op_pieces[op]; }
bk_kernel bk_op_kernel(int isa, int op) { return tables[isa][op].fn; }
bk_plan bk_op_plan(int isa, int op, const bk_args *a) { return tables[isa][op].plan(a); }
