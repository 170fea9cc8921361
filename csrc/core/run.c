/* run.c: the run loop. Every thread walks the same instructions. The units of each are shared out evenly, and a thread that is
 * done with its share takes pieces of the others': cores differ, and neighbours take their time. Units are independent, so
 * the results do not depend on who computes them. */
#define _GNU_SOURCE
#include "core/cpu.h"
#include <string.h>
#include <time.h>

#define CLOCK_EVERY 0.0005       /* seconds between looks at the clock, so that tiny steps do not pay for it */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* int32 entries of one thread's row of `taken`: whole cache lines. */
static inline int64_t taken_row(const bk_program *p) { return (p->n + 15) / 16 * 16; }

static int ensure_scratch(bk_program *p, int threads) {
  const int64_t each = (p->scratch_bytes + 127) / 64 * 64;
  if (p->scratch && p->scratch_threads >= threads) return 0;
  bk_program_clear(p);
  p->scratch = bk_alloc((size_t)(each * threads));
  p->taken = bk_alloc((size_t)(4 * taken_row(p) * threads));
  if (!p->scratch || !p->taken) {
    bk_program_clear(p);
    return -1;
  }
  p->scratch_threads = threads;
  return 0;
}

static void renew(bk_program *p, int threads) {
  if (threads > 1 && p->taken) memset(p->taken, 0, (size_t)(4 * taken_row(p) * threads));
}

static inline float *scratch_of(const bk_program *p, int tid) {
  return (float *)((char *)p->scratch + (p->scratch_bytes + 127) / 64 * 64 * tid);
}

void bk_program_clear(bk_program *p) {
  bk_free(p->scratch);
  bk_free(p->taken);
  p->scratch = NULL;
  p->taken = NULL;
  p->scratch_threads = 0;
}

/* A share is begun in pieces of a half, a quarter and two eighths; or of three quarters and one; or whole. */
static const uint8_t fine_cuts[] = {0, 4, 6, 7, 8}, coarse_cuts[] = {0, 6, 8}, whole_cuts[] = {0, 8};

/* What is shared out of an instruction: its units, or the parts of the chain that it begins. */
static inline int64_t units_of(const bk_instr *i, int chained) { return chained ? (int64_t)BK_PARTS(i->flags) : i->units; }

static inline void run_units(const bk_instr *i, int chained, int64_t lo, int64_t hi, bk_worker *w) {
  if (!chained) {
    i->fn(&i->a, lo, hi, w);
    return;
  }
  const int64_t parts = BK_PARTS(i->flags), length = BK_CHAIN(i->flags);
  for (int64_t part = lo; part < hi; part++)
    for (const bk_instr *j = i; j < i + length; j++) j->fn(&j->a, j->units * part / parts, j->units * (part + 1) / parts, w);
}

static inline void share(const bk_program *p, int64_t k, int chained, bk_worker *w) {
  const bk_instr *i = p->code + k;
  const int n = w->nthreads;
  const int64_t units = units_of(i, chained);
  if (n == 1) {
    run_units(i, chained, 0, units, w);
    return;
  }
  if (!p->taken) {
    const int64_t lo = units * w->tid / n, hi = units * (w->tid + 1) / n;
    if (lo < hi) run_units(i, chained, lo, hi, w);
    return;
  }
  for (int turn = 0; turn < n; turn++) {
    const int owner = w->tid + turn < n ? w->tid + turn : w->tid + turn - n;
    const int64_t lo = units * owner / n, size = units * (owner + 1) / n - lo;
    const int32_t pieces = size < 2 ? 1 : size < 4 && i->pieces > 2 ? 2 : i->pieces;   /* few units: hardly a piece is empty */
    const uint8_t *cuts = pieces == 4 ? fine_cuts : pieces == 2 ? coarse_cuts : whole_cuts;
    int32_t *taken = p->taken + owner * taken_row(p) + k;
    while (size && __atomic_load_n(taken, __ATOMIC_RELAXED) < pieces) {
      const int32_t piece = __atomic_fetch_add(taken, 1, __ATOMIC_RELAXED);
      if (piece >= pieces) break;
      const int64_t from = lo + size * cuts[piece] / 8, to = lo + size * cuts[piece + 1] / 8;
      if (from < to) run_units(i, chained, from, to, w);
    }
  }
}

static void walk_timed(const bk_program *p, bk_worker *w, bk_barrier *barrier) {
  bk_barrier_wait(barrier, w->nthreads);
  double before = now();
  for (int64_t k = 0; k < p->n; k++) {
    if (p->code[k].flags & BK_BARRIER) bk_barrier_wait(barrier, w->nthreads);
    share(p, k, 0, w);
    const double after = now();
    if (w->tid == 0) p->seconds[k] += after - before;
    before = after;
  }
}

/* All instructions once. No barrier is needed before the first: the caller has one between steps. */
static inline void walk(const bk_program *p, bk_worker *w, bk_barrier *barrier) {
  if (p->poison && w->tid == 0) memset(p->arena, 0xff, (size_t)p->arena_bytes);
  if (p->seconds) {
    walk_timed(p, w, barrier);
    return;
  }
  if (w->nthreads == 1) {
    for (const bk_instr *i = p->code, *end = i + p->n; i < end;) {
      const int chain = BK_CHAIN(i->flags);
      if (chain) run_units(i, 1, 0, BK_PARTS(i->flags), w), i += chain;
      else i->fn(&i->a, 0, i->units, w), i++;
    }
    return;
  }
  if (p->poison) bk_barrier_wait(barrier, w->nthreads);
  for (int64_t k = 0; k < p->n;) {
    const int chain = BK_CHAIN(p->code[k].flags);
    if (p->code[k].flags & BK_BARRIER) bk_barrier_wait(barrier, w->nthreads);
    share(p, k, chain > 0, w);
    k += chain ? chain : 1;
  }
}

/* ---- one batch ---- */
typedef struct { bk_program *p; const bk_batch *batch; bk_barrier barrier; } batch_job;

static void batch_task(int tid, int nthreads, void *arg) {
  batch_job *job = arg;
  bk_worker w = {tid, nthreads, scratch_of(job->p, tid), job->batch};
  const uint64_t fp = bk_fp_enter();
  walk(job->p, &w, &job->barrier);
  bk_fp_leave(fp);
}

int bk_run_batch(bk_program *p, const bk_batch *b) {
  batch_job job = {p, b, {0, 0, {0}}};
  int32_t few[64 * 16];          /* for callers that bring scratch of their own (brisknet.kernels) */
  if (ensure_scratch(p, p->threads)) return -1;
  if (p->threads <= 1) {
    batch_task(0, 1, &job);
    return 0;
  }
  const int lent = !p->taken && p->n <= 16 && p->threads <= 64;
  if (lent) p->taken = few;
  renew(p, p->threads);
  bk_parallel(p->threads, batch_task, &job);
  if (lent) p->taken = NULL;
  return 0;
}

/* ---- epochs ---- */
typedef struct {
  bk_loop *l;
  int64_t max_steps;
  double deadline;
  bk_barrier barrier;
  int verdict;             /* written by worker 0 between two barriers: -1 go on, else a bk_stop */
} loop_job;

/* What worker 0 does between steps: ends an epoch, starts the next, decides whether to go on. */
typedef struct { int64_t done, check_at, check_gap; double last; int64_t logged; } control;

static void end_epoch(bk_loop *l, control *c) {
  for (int64_t m = 0; m < l->nmetric; m++) {
    l->log[c->logged * l->nmetric + m] = *l->metric[m];
    if (l->epoch + 1 < l->epochs) *l->metric[m] = 0;
  }
  c->logged++;
  l->epoch++;
}

static int after_step(loop_job *job, control *c) {
  bk_loop *l = job->l;
  c->done++;
  if (++l->step == l->steps) {
    end_epoch(l, c);
    if (l->epoch == l->epochs) return BK_DONE;
    l->step = 0;
    if (l->index) bk_shuffle(l->index, l->rows, l->key, (uint64_t)l->epoch);
  }
  if (job->max_steps > 0 && c->done >= job->max_steps) return BK_STEPS;
  if (c->done < c->check_at) return -1;
  const double t = now();
  if (t >= job->deadline) return BK_TIME;
  if (t - c->last < CLOCK_EVERY && c->check_gap < 4096) c->check_gap *= 2;
  c->last = t;
  c->check_at = c->done + c->check_gap;
  return -1;
}

static void loop_task(int tid, int nthreads, void *arg) {
  loop_job *job = arg;
  bk_loop *l = job->l;
  const uint64_t fp = bk_fp_enter();
  control c = {0, 1, 1, tid == 0 ? now() : 0, 0};
  bk_batch batch = {l->feed, l->fetch, l->index, 0};
  bk_worker w = {tid, nthreads, NULL, &batch};
  int verdict = -1;
  while (verdict < 0) {
    batch.row = l->step * l->batch;      /* l->step changes only between the two barriers below */
    bk_program *p = l->tail && l->step == l->steps - 1 ? l->tail : l->main;
    w.scratch = scratch_of(p, tid);
    walk(p, &w, &job->barrier);
    bk_barrier_wait(&job->barrier, nthreads);
    if (tid == 0) {
      renew(p, nthreads);
      job->verdict = after_step(job, &c);
    }
    bk_barrier_wait(&job->barrier, nthreads);
    verdict = job->verdict;
  }
  bk_fp_leave(fp);
}

int bk_run_loop(bk_loop *l, int64_t max_steps, double seconds) {
  int threads = l->main->threads;
  if (l->tail && l->tail->threads > threads) threads = l->tail->threads;
  if (ensure_scratch(l->main, threads) || (l->tail && ensure_scratch(l->tail, threads))) return BK_NOMEM;
  loop_job job = {l, max_steps, now() + seconds, {0, 0, {0}}, -1};
  renew(l->main, threads);
  if (l->tail) renew(l->tail, threads);
  if (threads > 1) bk_parallel(threads, loop_task, &job);
  else loop_task(0, 1, &job);
  return job.verdict;
}
