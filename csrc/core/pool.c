/* pool.c: a small pool of threads. The caller is worker 0. Workers spin a bounded while for the next task, then park on
 * a condition variable. One task at a time: a second caller runs its task alone. A forked child starts without workers
 * and makes new ones when it first needs them.
 */
#define _GNU_SOURCE
#include "core/cpu.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#define MAX_THREADS 64
#define SPINS 4000               /* about 50 microseconds of pauses */

static struct {
  pthread_mutex_t lock;          /* guards workers, parked and sleeping on `wake` */
  pthread_cond_t wake;
  int started, parked;           /* workers that exist; those that sleep */
  volatile int busy;             /* a task is running */
  volatile uint32_t ticket;      /* grows by one a task */
  uint32_t birth;                /* the ticket when workers were last made */
  volatile int done;             /* workers that have finished the current task */
  int members;                   /* threads of the current task, the caller included */
  bk_task task;
  void *arg;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static int wanted;               /* bk_set_threads; 0: not set */

static int environment_threads(void) {
  const char *text = getenv("BRISKNET_NUM_THREADS");
  int n = text ? atoi(text) : 0;
  return n > 0 ? n : 0;
}

void bk_set_threads(int n) { wanted = n < 0 ? 0 : n; }

int bk_threads(void) {
  static int standard;           /* looked up once: affinity and quota rarely change */
  int n = wanted;
  if (!n) {
    if (!standard) standard = environment_threads() ? environment_threads() : bk_threads_available();
    n = standard;
  }
  return n > MAX_THREADS ? MAX_THREADS : n;
}

static void child_after_fork(void) {
  pthread_mutex_init(&pool.lock, NULL);
  pthread_cond_init(&pool.wake, NULL);
  pool.started = pool.parked = pool.done = 0;
  pool.busy = 0;
}

static void *worker(void *id) {
  const int tid = (int)(intptr_t)id;
  uint32_t seen = pool.birth;    /* the last task before it was made: it joins the next one */
  for (;;) {
    for (int i = 0; i < SPINS && __atomic_load_n(&pool.ticket, __ATOMIC_ACQUIRE) == seen; i++) bk_pause();
    if (__atomic_load_n(&pool.ticket, __ATOMIC_ACQUIRE) == seen) {
      pthread_mutex_lock(&pool.lock);
      pool.parked++;
      while (pool.ticket == seen) pthread_cond_wait(&pool.wake, &pool.lock);
      pool.parked--;
      pthread_mutex_unlock(&pool.lock);
    }
    seen = __atomic_load_n(&pool.ticket, __ATOMIC_ACQUIRE);
    if (tid < pool.members) pool.task(tid, pool.members, pool.arg);
    __atomic_fetch_add(&pool.done, 1, __ATOMIC_RELEASE);
  }
  return NULL;
}

/* Brings the number of workers to n - 1; fewer where the system refuses. Called with `busy` held. */
static int grow(int n) {
  static int handler;
  if (!handler) {
    if (pthread_atfork(NULL, NULL, child_after_fork)) return pool.started + 1;
    handler = 1;
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);          /* signals are Python's main thread's business */
  pool.birth = pool.ticket;      /* stands still while `busy` is held */
  while (pool.started < n - 1) {
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attr, worker, (void *)(intptr_t)(pool.started + 1));
    pthread_attr_destroy(&attr);
    if (failed) break;
    pool.started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return pool.started + 1 < n ? pool.started + 1 : n;
}

int bk_parallel(int n, bk_task task, void *arg) {
  if (n > MAX_THREADS) n = MAX_THREADS;
  if (n <= 1 || __atomic_exchange_n(&pool.busy, 1, __ATOMIC_ACQUIRE)) {
    task(0, 1, arg);
    return 1;
  }
  n = grow(n);
  if (n > 1) {
    pthread_mutex_lock(&pool.lock);
    pool.task = task, pool.arg = arg, pool.members = n, pool.done = 0;
    __atomic_fetch_add(&pool.ticket, 1, __ATOMIC_RELEASE);
    if (pool.parked) pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.lock);
  }
  task(0, n, arg);
  if (n > 1) {
    for (int i = 0; __atomic_load_n(&pool.done, __ATOMIC_ACQUIRE) < pool.started; i++) {
      if (i < SPINS) bk_pause(); else sched_yield();
    }
  }
  __atomic_store_n(&pool.busy, 0, __ATOMIC_RELEASE);
  return n;
}

void bk_barrier_wait(bk_barrier *b, int nthreads) {
  if (nthreads <= 1) return;
  const int32_t sense = __atomic_load_n(&b->sense, __ATOMIC_RELAXED);
  if (__atomic_add_fetch(&b->count, 1, __ATOMIC_ACQ_REL) == nthreads) {
    __atomic_store_n(&b->count, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&b->sense, sense + 1, __ATOMIC_RELEASE);
    return;
  }
  for (int i = 0; __atomic_load_n(&b->sense, __ATOMIC_ACQUIRE) == sense; i++) {
    if (i < SPINS) bk_pause(); else sched_yield();
  }
}
