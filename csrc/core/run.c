/* run.c: the run loop. Every thread walks the same instructions and computes its fixed share of each one's units. */
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

static int ensure_scratch(bk_program *p, int threads) {
  const int64_t each = (p->scratch_bytes + 127) / 64 * 64;
  if (p->scratch && p->scratch_threads >= threads) return 0;
  bk_free(p->scratch);
  p->scratch_threads = 0;
  if (!(p->scratch = bk_alloc((size_t)(each * threads)))) return -1;
  p->scratch_threads = threads;
  return 0;
}

static inline float *scratch_of(const bk_program *p, int tid) {
  return (float *)((char *)p->scratch + (p->scratch_bytes + 127) / 64 * 64 * tid);
}

void bk_program_clear(bk_program *p) {
  bk_free(p->scratch);
  p->scratch = NULL;
  p->scratch_threads = 0;
}

/* All instructions once. No barrier is needed before the first: the caller has one between steps. */
static inline void walk(const bk_program *p, bk_worker *w, bk_barrier *barrier) {
  const bk_instr *end = p->code + p->n;
  if (p->poison && w->tid == 0) memset(p->arena, 0xff, (size_t)p->arena_bytes);
  if (w->nthreads == 1) {
    for (const bk_instr *i = p->code; i < end; i++) i->fn(&i->a, 0, i->units, w);
    return;
  }
  if (p->poison) bk_barrier_wait(barrier, w->nthreads);
  for (const bk_instr *i = p->code; i < end; i++) {
    if (i->flags & BK_BARRIER) bk_barrier_wait(barrier, w->nthreads);
    const int64_t lo = i->units * w->tid / w->nthreads, hi = i->units * (w->tid + 1) / w->nthreads;
    if (lo < hi) i->fn(&i->a, lo, hi, w);
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
  if (ensure_scratch(p, p->threads)) return -1;
  if (p->threads > 1) bk_parallel(p->threads, batch_task, &job);
  else batch_task(0, 1, &job);
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
    if (tid == 0) job->verdict = after_step(job, &c);
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
  if (threads > 1) bk_parallel(threads, loop_task, &job);
  else loop_task(0, 1, &job);
  return job.verdict;
}
