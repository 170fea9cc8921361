/* brisknet.h: the only header that Cython sees.
 *
 * A native program is a flat array of 256-byte instructions. Each instruction is one kernel, resolved to a
 * function pointer of the chosen ISA when the program is bound, and its operands. The run loop (core/run.c)
 * walks the array; every thread walks the same array and takes its share of each instruction's units, then what others have
 * not begun of theirs.
 *
 * The rules every kernel keeps:
 *  - all arrays are C-contiguous and 64-byte aligned unless the kernel says otherwise; a kernel may read, never
 *    write, up to BK_PAD bytes past the end of any arena or variable buffer (they are allocated so);
 *  - an output element is computed by exactly one unit, in an order that depends on shapes only: the same bits
 *    for any thread count;
 *  - units are independent: no unit reads what another unit of the same instruction writes;
 *  - no allocation, no libc state, no errno; scratch comes from the worker;
 *  - NaN propagates as NumPy's reference does.
 */
#ifndef BRISKNET_H
#define BRISKNET_H
#include <stdint.h>
#include <stddef.h>

#define BK_MAXP 11
#define BK_MAXN 14
#define BK_MAXF 8
#define BK_PAD 64        /* bytes that may be read past a buffer's end */
#define BK_BLOCK 4096    /* elements in one unit of an ELEMS kernel */
#define BK_PANEL 16      /* columns in one weight panel: W[K,N] is stored as [ceil(N/16)][K][16], zero padded */

/* Element types of arrays that users feed. */
enum bk_dtype { BK_F32, BK_F64, BK_I32, BK_I64, BK_U8, BK_I8, BK_U16, BK_I16, BK_U32, BK_U64, BK_BOOL, BK_F16 };

/* Activations whose derivative is a function of their own output, so that a kernel can apply them in its
 * epilogue and undo them from what it stored. alpha = f[0] where the kernel has one. */
enum bk_act { BK_LINEAR, BK_RELU, BK_LEAKY_RELU, BK_ELU, BK_SIGMOID, BK_TANH };

typedef struct bk_args {
  void   *p[BK_MAXP];
  int64_t n[BK_MAXN];
  float   f[BK_MAXF];
} bk_args;

typedef struct bk_feed {   /* one array that the user fed, C-contiguous, aligned or not */
  const void *base;
  int32_t dtype;           /* bk_dtype */
  int32_t pad_;
} bk_feed;

/* What one call of the program works on; the kernels `gather`, `fetch` and `count` read it. */
typedef struct bk_batch {
  const bk_feed *feed;
  void *const *fetch;      /* base pointers of the output arrays */
  const uint32_t *index;   /* row permutation, or NULL for rows in order */
  int64_t row;             /* first row of this batch */
} bk_batch;

typedef struct bk_worker {
  int tid, nthreads;
  float *scratch;          /* 64-byte aligned, at least the program's scratch_bytes */
  const bk_batch *batch;
} bk_worker;

/* Computes units [lo, hi) of one instruction. */
typedef void (*bk_kernel)(const bk_args *a, int64_t lo, int64_t hi, bk_worker *w);

/* bk_instr.flags. BARRIER: all threads must have finished everything before this instruction. The first instruction of a chain
 * also has the chain's length (2 or more) and parts: units [p U / parts, (p + 1) U / parts) of each of its instructions need
 * only part p of what those before made, so a thread runs the whole chain part by part, and what passes along it stays in
 * a cache. */
enum { BK_BARRIER = 1 };
#define BK_CHAIN(flags) ((flags) >> 8 & 0xff)
#define BK_PARTS(flags) ((flags) >> 16)

typedef struct bk_instr {
  bk_kernel fn;
  int64_t units;
  uint32_t flags;
  uint16_t op, pieces;     /* enum bk_op; pieces that a thread's share is cut into (bk_op_pieces) */
  bk_args a;
} bk_instr;                /* exactly 256 bytes */

typedef struct bk_plan { int64_t units, scratch_bytes; double flops, bytes; } bk_plan;

/* ---- kernel table (core/table.c) ---- */
enum bk_isa { BK_ISA_V2, BK_ISA_AVX2, BK_ISA_AVX512, BK_ISA_NEON, BK_ISA_COUNT };
enum bk_op {
#define BK_OP(name, part, inplace) BK_OP_##name,
#include "ops.def"
#undef BK_OP
  BK_OP_COUNT
};
int         bk_isa_available(int isa);   /* compiled in, and this CPU and OS can run it */
int         bk_isa_best(void);           /* what an unforced import chooses (AVX-512 is opt-in) */
const char *bk_isa_name(int isa);
int         bk_isa_from_name(const char *name);           /* -1: unknown */
const char *bk_op_name(int op);                           /* NULL past the end */
int         bk_op_inplace(int op);                        /* the mask of ops.def */
int         bk_op_pieces(int op);                         /* pieces that a thread's share is cut into: 4, 2 or 1 */
bk_kernel   bk_op_kernel(int isa, int op);
bk_plan     bk_op_plan(int isa, int op, const bk_args *a);/* units, scratch and cost for these operands */

/* ---- memory (core/alloc.c): the one place that allocates ---- */
typedef void *(*bk_alloc_hook)(size_t bytes);             /* returns NULL to make the allocation fail (tests) */
void  bk_set_alloc_hook(bk_alloc_hook hook);              /* NULL: the system's */
void *bk_alloc(size_t bytes);                             /* zeroed, 64-byte aligned, BK_PAD readable behind; NULL when out of memory */
void  bk_free(void *p);
int64_t bk_allocated(void);                               /* bytes now allocated */

/* ---- random numbers (core/rng.c): Philox4x32-7, counter-based, Salmon et al. 2011 ---- */
#define BK_PHILOX_ROUNDS 7
#define BK_PHILOX_M0 0xD2511F53u
#define BK_PHILOX_M1 0xCD9E8D57u
#define BK_PHILOX_W0 0x9E3779B9u
#define BK_PHILOX_W1 0xBB67AE85u
void bk_philox(uint64_t key, uint64_t counter_hi, uint64_t counter_lo, uint32_t out[4]);
void bk_shuffle(uint32_t *index, int64_t n, uint64_t key, uint64_t epoch);   /* fills 0..n-1, Fisher-Yates */

/* ---- threads (core/pool.c) ---- */
int  bk_threads_available(void);         /* affinity and cgroup quota, at least 1 */
void bk_set_threads(int n);              /* 0: back to BRISKNET_NUM_THREADS or bk_threads_available() */
int  bk_threads(void);
typedef void (*bk_task)(int tid, int nthreads, void *arg);
/* Runs task on n threads, the caller is tid 0. Where the pool is busy with another caller's task, runs it as n = 1. Returns n. */
int  bk_parallel(int n, bk_task task, void *arg);
typedef struct bk_barrier { volatile int32_t count, sense; char pad_[56]; } bk_barrier;
void bk_barrier_wait(bk_barrier *b, int nthreads);

/* ---- running (core/run.c) ---- */
typedef struct bk_program {
  const bk_instr *code;
  int64_t n;               /* instructions */
  int64_t scratch_bytes;   /* per thread */
  int32_t threads;         /* threads worth using (1 for small programs) */
  int32_t poison;          /* fill [arena, arena+arena_bytes) with NaN before every step (planner-off tests) */
  void *arena;
  int64_t arena_bytes;
  void *scratch;           /* lazily allocated by the run loop for `threads` workers; freed by bk_program_clear */
  int64_t scratch_threads;
  int32_t *taken;          /* [scratch_threads][n, padded]: pieces of each share that somebody has begun; made with scratch */
  double *seconds;         /* n entries that grow by the time of each instruction on thread 0, waits included; or NULL */
} bk_program;

int  bk_run_batch(bk_program *p, const bk_batch *b);   /* one step; 0, or -1 when out of memory */
void bk_program_clear(bk_program *p);

enum bk_stop { BK_DONE = 0, BK_STEPS = 1, BK_TIME = 2, BK_NOMEM = -1 };

/* A fit, evaluate or predict in progress: all state is here, so that it can stop after any whole step and go on. */
typedef struct bk_loop {
  bk_program *main, *tail;  /* tail: the last, smaller batch (NULL where rows % batch == 0) */
  const bk_feed *feed;
  void *const *fetch;
  int64_t rows, batch;
  uint32_t *index;          /* rows entries, shuffled at the start of every epoch; NULL: rows in order */
  uint64_t key;             /* of the shuffle */
  int64_t epoch, epochs;    /* next epoch to run (it keys the shuffle), and where to end */
  int64_t step, steps;      /* next step within the epoch, and steps in one */
  int64_t nmetric;          /* doubles copied into the log and zeroed at the end of each epoch but the last */
  double *const *metric;    /* nmetric pointers to metric totals and counts */
  double *log;              /* [epochs done in this call][nmetric] */
} bk_loop;
/* Runs until the last epoch has ended, or max_steps steps (<= 0: no bound), or about `seconds` have passed, whichever is
 * first; always stops after a whole step. */
int bk_run_loop(bk_loop *l, int64_t max_steps, double seconds);

/* FTZ/DAZ are set while a program runs, in every thread, and the caller's floating-point state is restored after it. */

/* ---- optimizer segments (kernels/optim.h) ---- */
typedef struct bk_segment {  /* one run of parameters that lie one after another in all buffers; 64 bytes */
  float *param; const float *grad; float *slot[3];
  int64_t n, first;        /* elements, and units of BK_BLOCK elements in the segments before this one */
  float decay, l1, l2;     /* decoupled weight decay, and the penalty whose gradient l1 sign(p) + 2 l2 p is added to grad */
  float pad_;
} bk_segment;

#endif
