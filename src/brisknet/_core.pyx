# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, freethreading_compatible=False
"""The bridge to csrc: buffers, bound programs, loops. It unpacks Python objects and calls C without the GIL; no arithmetic."""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.pythread cimport (
    NOWAIT_LOCK, PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_release_lock,
    PyThread_type_lock, WAIT_LOCK,
)
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy, memset

import os

import numpy as np

cdef extern from "brisknet.h" nogil:
    enum: BK_MAXP, BK_MAXN, BK_MAXF, BK_PAD, BK_BLOCK, BK_PANEL, BK_OP_COUNT, BK_ISA_COUNT
    enum: BK_F32, BK_F64, BK_I32, BK_I64, BK_U8, BK_I8, BK_U16, BK_I16, BK_U32, BK_U64, BK_BOOL, BK_F16
    enum: BK_DONE, BK_STEPS, BK_TIME, BK_NOMEM
    int bk_isa_available(int isa)
    int bk_isa_best()
    const char *bk_isa_name(int isa)
    int bk_isa_from_name(const char *name)
    const char *bk_op_name(int op)
    int bk_op_inplace(int op)
    int bk_op_pieces(int op)
    bk_kernel bk_op_kernel(int isa, int op)
    bk_plan bk_op_plan(int isa, int op, const bk_args *a)
    ctypedef void *(*bk_alloc_hook)(size_t bytes)
    void bk_set_alloc_hook(bk_alloc_hook hook)
    void *bk_alloc(size_t bytes)
    void bk_free(void *p)
    int64_t bk_allocated()
    int bk_threads()
    void bk_set_threads(int n)
    void bk_shuffle(uint32_t *index, int64_t n, uint64_t key, uint64_t epoch)
    void bk_philox(uint64_t key, uint64_t counter_hi, uint64_t counter_lo, uint32_t *out)
    int bk_run_batch(bk_program *p, const bk_batch *b)
    void bk_program_clear(bk_program *p)
    ctypedef struct bk_loop:
        bk_program *main
        bk_program *tail
        const bk_feed *feed
        void **fetch
        int64_t rows, batch
        uint32_t *index
        uint64_t key
        int64_t epoch, epochs, step, steps, nmetric
        double **metric
        double *log
    int bk_run_loop(bk_loop *l, int64_t max_steps, double seconds)

SEGMENT_BYTES = sizeof(bk_segment)
PAD, BLOCK, PANEL = BK_PAD, BK_BLOCK, BK_PANEL

# ---- what bound programs rely on --------------------------------------------------------------------------------------
cdef long _epoch = 0


def bump():
    """Something that bound programs rely on has changed: a variable's memory or a setting."""
    global _epoch
    _epoch += 1


def epoch():
    """The number of changes so far."""
    return _epoch


# ---- instruction sets and kernels --------------------------------------------------------------------------------------
cdef int _isa = -1


def isas():
    """The instruction sets that were compiled in and that this processor can run."""
    return [bk_isa_name(i).decode() for i in range(BK_ISA_COUNT) if bk_isa_available(i)]


def isa():
    """The instruction set in use."""
    return bk_isa_name(_isa).decode()


def set_isa(str name):
    """Use the kernels of another instruction set from now on; ValueError where it is unknown or cannot run here."""
    global _isa
    cdef int wanted = bk_isa_from_name(name.encode())
    if wanted < 0 or not bk_isa_available(wanted):
        raise ValueError(f"BRISKNET_ISA: one of {isas()} expected on this machine, got {name!r}")
    _isa = wanted
    bump()


_isa = bk_isa_best()
if _isa < 0:
    raise ImportError("brisknet: this processor has none of the instruction sets that the kernels were compiled for")
if os.environ.get("BRISKNET_ISA", "").strip():
    set_isa(os.environ["BRISKNET_ISA"].strip().lower())

OPS = {bk_op_name(i).decode(): i for i in range(BK_OP_COUNT)}
INPLACE = {bk_op_name(i).decode(): bk_op_inplace(i) for i in range(BK_OP_COUNT)}


cdef int fill_args(bk_args *a, pointers, ints, floats) except -1:
    cdef int i
    memset(a, 0, sizeof(bk_args))
    if len(pointers) > BK_MAXP or len(ints) > BK_MAXN or len(floats) > BK_MAXF:
        raise ValueError(f"too many operands: {len(pointers)} pointers, {len(ints)} ints, {len(floats)} floats")
    for i in range(len(pointers)):
        a.p[i] = <void *><uintptr_t>pointers[i]
    for i in range(len(ints)):
        a.n[i] = ints[i]
    for i in range(len(floats)):
        a.f[i] = floats[i]
    return 0


def plan(int op, ints):
    """(units, scratch bytes, flops, bytes moved) of a kernel for these integers."""
    cdef bk_args a
    fill_args(&a, (), ints, ())
    cdef bk_plan p = bk_op_plan(_isa, op, &a)
    return p.units, p.scratch_bytes, p.flops, p.bytes


# ---- for brisknet.kernels.native (_core.pxd) ----------------------------------------------------------------------------
cdef bk_kernel kernel_of(int op) noexcept nogil:
    return bk_op_kernel(_isa, op)


cdef bk_plan plan_of(int op, const bk_args *a) noexcept nogil:
    return bk_op_plan(_isa, op, a)


cdef int pieces_of(int op) noexcept nogil:
    return bk_op_pieces(op)


cdef int run_once(bk_program *p) noexcept nogil:
    return bk_run_batch(p, NULL)


cdef int thread_count() noexcept nogil:
    return bk_threads()


cdef void *allocate(size_t bytes) noexcept nogil:
    return bk_alloc(bytes)


cdef void release(void *p) noexcept nogil:
    bk_free(p)


# ---- process-wide ------------------------------------------------------------------------------------------------------
def threads():
    """Threads that a large program uses."""
    return bk_threads()


def set_threads(int n):
    """Bound the threads; 0 goes back to the environment, affinity and quota."""
    bk_set_threads(n)


def allocated():
    """Bytes held by native buffers."""
    return bk_allocated()


cdef long _fail_after = -1
cdef int _fail_always = 0

cdef extern from "stdlib.h" nogil:
    void *malloc(size_t n)


cdef void *_failing(size_t n) noexcept nogil:
    global _fail_after
    if _fail_after == 0:
        if not _fail_always:
            _fail_after = -1
        return NULL
    if _fail_after > 0:
        _fail_after -= 1
    return malloc(n)


def fail_allocation(long after, bint always=False):
    """For tests: the allocation after `after` more fails (all later ones too if `always`); -1 takes that back."""
    global _fail_after, _fail_always
    _fail_after, _fail_always = after, always
    if after >= 0:
        bk_set_alloc_hook(_failing)
    else:
        bk_set_alloc_hook(NULL)


def philox(uint64_t key, uint64_t high, uint64_t low):
    """The four words of one block."""
    cdef uint32_t out[4]
    bk_philox(key, high, low, out)
    return out[0], out[1], out[2], out[3]


def shuffle(uint32_t[::1] index, uint64_t key, uint64_t epoch):
    """Fill index with a permutation of its positions."""
    with nogil:
        bk_shuffle(&index[0], index.shape[0], key, epoch)


# ---- memory ------------------------------------------------------------------------------------------------------------
cdef class Buffer:
    """Zeroed, 64-byte aligned memory; np.frombuffer makes arrays of it."""

    cdef void *p
    cdef readonly Py_ssize_t nbytes

    def __cinit__(self, Py_ssize_t nbytes):
        self.p = bk_alloc(nbytes if nbytes > 0 else 1)
        if self.p == NULL:
            raise MemoryError(f"brisknet: no memory for {nbytes} bytes")
        self.nbytes = nbytes

    def __dealloc__(self):
        bk_free(self.p)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.p, self.nbytes, 0, flags)

    @property
    def address(self):
        return <uintptr_t>self.p


cdef int dtype_code(const char *format, Py_ssize_t itemsize) noexcept:
    """bk_dtype of a buffer's format, -1 where there is none."""
    cdef char c
    if format == NULL:
        return BK_U8
    c = format[0]
    if c == b'<' or c == b'=' or c == b'@':
        format += 1
        c = format[0]
    if c == 0 or format[1] != 0:
        return -1
    if c == b'f':
        return BK_F32
    if c == b'd':
        return BK_F64
    if c == b'?':
        return BK_BOOL
    if c == b'e':
        return BK_F16
    if c == b'g':
        return -1
    if c in b'bhilqn':
        return BK_I8 if itemsize == 1 else BK_I16 if itemsize == 2 else BK_I32 if itemsize == 4 else BK_I64
    if c in b'BHILQN':
        return BK_U8 if itemsize == 1 else BK_U16 if itemsize == 2 else BK_U32 if itemsize == 4 else BK_U64
    return -1


cdef class Arrays:
    """Buffers of C-contiguous arrays, held open: what programs read as feeds or write as results."""

    cdef Py_buffer *views
    cdef bk_feed *feeds
    cdef void **pointers
    cdef readonly Py_ssize_t n

    def __cinit__(self, list arrays, bint writable=False):
        cdef Py_ssize_t i, count = len(arrays)
        self.n = 0
        self.views = <Py_buffer *>bk_alloc(count * sizeof(Py_buffer))
        self.feeds = <bk_feed *>bk_alloc(count * sizeof(bk_feed))
        self.pointers = <void **>bk_alloc(count * sizeof(void *))
        if self.views == NULL or self.feeds == NULL or self.pointers == NULL:
            raise MemoryError("brisknet: no memory for a list of arrays")
        for i in range(count):
            PyObject_GetBuffer(arrays[i], &self.views[i], PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
            self.n += 1
            self.pointers[i] = self.views[i].buf
            self.feeds[i].base = self.views[i].buf
            self.feeds[i].dtype = dtype_code(self.views[i].format, self.views[i].itemsize)
            if self.feeds[i].dtype < 0:
                raise TypeError(f"array {i}: no native type for dtype {arrays[i].dtype}")

    def __dealloc__(self):
        cdef Py_ssize_t i
        for i in range(self.n):
            PyBuffer_Release(&self.views[i])
        bk_free(self.views)
        bk_free(self.feeds)
        bk_free(self.pointers)


# ---- Python inside a step -----------------------------------------------------------------------------------------------
cdef class HostCall:
    """A function without arguments that a program calls. After its first error it does nothing until that is taken."""

    cdef object fn
    cdef public object error

    def __cinit__(self, fn):
        self.fn, self.error = fn, None

    cdef void call(self) noexcept:
        if self.error is None:
            try:
                self.fn()
            except BaseException as error:
                self.error = error

    @property
    def address(self):
        return <uintptr_t><void *>self


cdef void call_host(void *host) noexcept with gil:
    (<HostCall>host).call()


HOST_CALLER = <uintptr_t>&call_host


# ---- programs ----------------------------------------------------------------------------------------------------------
cdef class Program:
    """Bound instructions over an arena. One run at a time: a second thread waits its turn."""

    cdef bk_program prog
    cdef bk_instr *code
    cdef object keep                  # owners of all memory that operands point to
    cdef object timed                 # keeps the array that prog.seconds points to
    cdef PyThread_type_lock lock
    cdef readonly double flops, bytes
    cdef readonly Py_ssize_t n

    def __cinit__(self, list instructions, Buffer arena, keep, double thread_flops, bint poison=False):
        """instructions: (op, flags, pointers, ints, floats). Several threads where the work exceeds thread_flops."""
        cdef Py_ssize_t i
        cdef bk_plan p
        self.lock = PyThread_allocate_lock()
        self.n = len(instructions)
        self.code = <bk_instr *>bk_alloc(self.n * sizeof(bk_instr))
        if self.code == NULL or self.lock == NULL:
            raise MemoryError("brisknet: no memory for a program")
        self.keep = (keep, arena)
        for i in range(self.n):
            op, flags, pointers, ints, floats = instructions[i]
            fill_args(&self.code[i].a, pointers, ints, floats)
            self.code[i].op, self.code[i].flags = op, flags
            self.code[i].fn, self.code[i].pieces = bk_op_kernel(_isa, op), bk_op_pieces(op)
            p = bk_op_plan(_isa, op, &self.code[i].a)
            self.code[i].units = p.units
            self.prog.scratch_bytes = max(self.prog.scratch_bytes, p.scratch_bytes)
            self.flops += p.flops
            self.bytes += p.bytes
        self._keep_whole_chains()
        self.prog.code, self.prog.n = self.code, self.n
        self.prog.threads = bk_threads() if self.flops + 4 * self.bytes > thread_flops else 1
        self.prog.poison = poison
        self.prog.arena, self.prog.arena_bytes = arena.p, arena.nbytes

    cdef void _keep_whole_chains(self) noexcept:
        """A chain stays one where its parts divide the units of every instruction in it."""
        cdef Py_ssize_t i, j
        cdef uint32_t length, parts
        for i in range(self.n):
            length, parts = self.code[i].flags >> 8 & 0xff, self.code[i].flags >> 16
            for j in range(length):
                if self.code[i + j].units % parts:
                    self.code[i].flags &= 0xff

    def __dealloc__(self):
        bk_program_clear(&self.prog)
        bk_free(self.code)
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    @property
    def threads(self):
        """Threads that a run of this program uses."""
        return self.prog.threads

    def time(self, double[::1] seconds):
        """From now on add the time of each instruction to `seconds`; an empty array ends that."""
        if seconds.shape[0] not in (0, self.n):
            raise ValueError(f"seconds: {self.n} entries expected, got {seconds.shape[0]}")
        self.timed = seconds
        self.prog.seconds = &seconds[0] if seconds.shape[0] else NULL

    cdef int run_batch(self, const bk_batch *b) noexcept:
        cdef int r
        if self.prog.threads == 1 and self.flops < 5e4 and PyThread_acquire_lock(self.lock, NOWAIT_LOCK):
            r = bk_run_batch(&self.prog, b)          # done sooner than the GIL could be handed over
            PyThread_release_lock(self.lock)
            return r
        with nogil:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            r = bk_run_batch(&self.prog, b)
            PyThread_release_lock(self.lock)
        return r

    def run(self, list feeds, list outs):
        """One step on these arrays; results are written into outs."""
        cdef Arrays i = Arrays(feeds), o = Arrays(outs, True)
        cdef bk_batch b
        b.feed, b.fetch, b.index, b.row = i.feeds, o.pointers, NULL, 0
        if self.run_batch(&b):
            raise MemoryError("brisknet: no memory for the scratch space of a program")


cdef class FastCall:
    """A program of one input and one output, for batches of one shape: from array to array in about a microsecond."""

    cdef Program program
    cdef long epoch
    cdef int ndim
    cdef Py_ssize_t shape[8]
    cdef object empty, out_shape, dtype

    def __cinit__(self, Program program, tuple in_shape, tuple out_shape):
        cdef int i
        self.program, self.epoch, self.ndim = program, _epoch, len(in_shape)
        for i in range(self.ndim):
            self.shape[i] = in_shape[i]
        self.empty, self.out_shape, self.dtype = np.empty, out_shape, np.float32

    def call(self, x):
        """The outputs, or None where x is not an array of that shape or the program must be bound again."""
        cdef Py_buffer view, out
        cdef bk_feed feed
        cdef bk_batch b
        cdef void *target
        cdef int i, r
        if self.epoch != _epoch:
            return None
        try:
            PyObject_GetBuffer(x, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
        except (TypeError, BufferError, ValueError):
            return None
        feed.base, feed.dtype = view.buf, dtype_code(view.format, view.itemsize)
        if view.ndim != self.ndim or feed.dtype < 0:
            PyBuffer_Release(&view)
            return None
        for i in range(self.ndim):
            if view.shape[i] != self.shape[i]:
                PyBuffer_Release(&view)
                return None
        result = self.empty(self.out_shape, self.dtype)
        PyObject_GetBuffer(result, &out, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE)
        target = out.buf
        b.feed, b.fetch, b.index, b.row = &feed, &target, NULL, 0
        r = self.program.run_batch(&b)
        PyBuffer_Release(&out)
        PyBuffer_Release(&view)
        if r:
            raise MemoryError("brisknet: no memory for the scratch space of a program")
        return result


cdef class Loop:
    """Epochs over arrays, in batches: state that stops after any whole step and goes on."""

    cdef bk_loop l
    cdef Program main, tail
    cdef Arrays feeds, outs
    cdef Buffer index, metrics
    cdef object keep

    def __cinit__(self, Program main, Program tail, list arrays, list outs, int64_t rows, int64_t batch, key, list metrics):
        """tail: the program of the last, smaller batch, or None; key: of the shuffle, or None; metrics: addresses."""
        cdef Py_ssize_t i
        self.main, self.tail = main, tail
        self.feeds, self.outs = Arrays(arrays), Arrays(outs, True)
        self.l.main = &main.prog
        self.l.tail = &tail.prog if tail is not None else NULL
        self.l.feed, self.l.fetch = self.feeds.feeds, self.outs.pointers
        self.l.rows, self.l.batch = rows, batch
        self.l.steps = (rows + batch - 1) // batch
        if key is not None:
            self.index = Buffer(4 * rows)
            self.l.index, self.l.key = <uint32_t *>self.index.p, key
        self.metrics = Buffer(8 * len(metrics))
        cdef uintptr_t *places = <uintptr_t *>self.metrics.p
        for i in range(len(metrics)):
            places[i] = metrics[i]
        self.l.metric, self.l.nmetric = <double **>self.metrics.p, len(metrics)

    @property
    def step(self):
        """The next step of the epoch under way."""
        return self.l.step

    @property
    def epoch(self):
        """The epoch under way, or the next one."""
        return self.l.epoch

    def begin(self, int64_t epoch, int64_t epochs):
        """Start `epochs` epochs at `epoch`, which keys the shuffle."""
        self.l.epoch, self.l.epochs, self.l.step = epoch, epoch + epochs, 0
        if self.l.index != NULL:
            with nogil:
                bk_shuffle(self.l.index, self.l.rows, self.l.key, <uint64_t>self.l.epoch)

    def resume(self, Loop other):
        """Take the place of another loop over the same arrays."""
        self.l.epoch, self.l.epochs, self.l.step = other.l.epoch, other.l.epochs, other.l.step
        if self.l.index != NULL:
            memcpy(self.l.index, other.l.index, 4 * self.l.rows)

    def run(self, int64_t max_steps, double seconds, double[:, ::1] log):
        """Go on; (all epochs done, epochs finished in this call). log[e] takes their metric totals, one row an epoch.

        MemoryError leaves everything as it was.
        """
        cdef int r
        cdef int64_t first = self.l.epoch
        self.l.log = &log[0, 0] if log.shape[0] and log.shape[1] else NULL
        if not log.shape[0]:
            raise ValueError("log: a row for every epoch expected")
        if self.l.epochs - self.l.epoch > log.shape[0]:
            raise ValueError(f"log: {self.l.epochs - self.l.epoch} rows expected, got {log.shape[0]}")
        with nogil:
            PyThread_acquire_lock(self.main.lock, WAIT_LOCK)
            if self.l.tail != NULL:
                PyThread_acquire_lock(self.tail.lock, WAIT_LOCK)
            r = bk_run_loop(&self.l, max_steps, seconds)
            if self.l.tail != NULL:
                PyThread_release_lock(self.tail.lock)
            PyThread_release_lock(self.main.lock)
        if r == BK_NOMEM:
            raise MemoryError("brisknet: no memory for the scratch space of a program")
        return r == BK_DONE, self.l.epoch - first


def pack_segments(list segments, Buffer table):
    """Write (param, grad, slots, n, first, decay, l1, l2) tuples as the bk_segment array of an optimizer instruction."""
    cdef bk_segment *s = <bk_segment *>table.p
    cdef Py_ssize_t i, j
    for i in range(len(segments)):
        param, grad, slots, n, first, decay, l1, l2 = segments[i]
        s[i].param = <float *><uintptr_t>param
        s[i].grad = <const float *><uintptr_t>grad
        for j in range(len(slots)):
            s[i].slot[j] = <float *><uintptr_t>slots[j]
        s[i].n, s[i].first, s[i].decay, s[i].l1, s[i].l2 = n, first, decay, l1, l2
