# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, binding=True, freethreading_compatible=False
"""The kernels compiled: the functions of kernels.reference over csrc, for float32 arrays, without the GIL where it pays.

A call opens the arrays' buffers, fills the operands of one to five instructions and runs them as a small program, on several
threads where the work is worth it. Buffers are opened directly: a typed memoryview argument takes twice as long to make
(0.21 against 0.11 microseconds each), which at 32 x 10 x 64 is as much as the product itself. What does not fit at once goes
through kernels.checks, which makes it fit or raises the error.

Scratch memory is kept between calls, at most KEEP_BYTES in KEEP_BLOCKS blocks. All functions may be called from several
threads at once.
"""

from cpython.buffer cimport PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE
from libc.math cimport isfinite, rint
from libc.stdint cimport int32_t, int64_t, uintptr_t
from libc.string cimport memcpy, memset

from brisknet._core cimport (
    allocate, bk_args, bk_instr, bk_plan, bk_program, bk_segment, kernel_of, plan_of, release, run_once, thread_count,
)

import numpy as np

from brisknet.kernels import checks, reference
from brisknet.runtime.native import thread_flops

__all__ = list(reference.__all__)

cdef extern from "Python.h":
    int PyObject_GetBuffer(object o, Py_buffer *view, int flags)
    void PyBuffer_Release(Py_buffer *view)
    void PyErr_Clear()

cdef extern from "brisknet.h" nogil:
    enum: BK_BARRIER, BK_BLOCK, BK_PANEL, BK_PAD
    enum: BK_OP_matmul, BK_OP_pack_panel, BK_OP_unpack_panel, BK_OP_dense_forward, BK_OP_dense_dgrad, BK_OP_dense_wgrad
    enum: BK_OP_copy_bytes, BK_OP_act_grad, BK_OP_dropout, BK_OP_softmax, BK_OP_xent_head, BK_OP_sum_partials
    enum: BK_OP_relu, BK_OP_leaky_relu, BK_OP_elu, BK_OP_sigmoid, BK_OP_tanh, BK_OP_gelu, BK_OP_gelu_tanh, BK_OP_silu
    enum: BK_OP_softplus, BK_OP_step, BK_OP_gelu_grad, BK_OP_gelu_tanh_grad, BK_OP_silu_grad, BK_OP_softplus_grad
    enum: BK_OP_sgd_update, BK_OP_rmsprop_update, BK_OP_adam_update, BK_OP_adagrad_update, BK_OP_adadelta_update

cdef enum:
    READ = 0
    WRITE = 1        # the buffer is written
    GUARD = 2        # the kernel may read up to BK_PAD bytes behind it: copied where those may not be readable
    PAGE = 4096
    MAX_VIEWS = 8
    MAX_CODE = 5
    KEEP_BLOCKS = 4
    KEEP_BYTES = 134217728

cdef double INF = float("inf")
cdef double _thread_work = thread_flops()      # work from which several threads share it
cdef double _short_work = 2e5                  # work that is done sooner than the GIL could be handed over
cdef object _empty = np.empty, _float32 = np.float32, _ndarray = np.ndarray
cdef dict _dense_kinds = {name: i for i, name in enumerate(checks.FROM_OUTPUT)}
cdef dict _forward_ops = dict(zip(checks.KINDS, (
    BK_OP_copy_bytes, BK_OP_relu, BK_OP_leaky_relu, BK_OP_elu, BK_OP_sigmoid, BK_OP_tanh, BK_OP_gelu, BK_OP_gelu_tanh,
    BK_OP_silu, BK_OP_softplus, BK_OP_step,
)))
cdef dict _grad_ops = dict(zip(checks.FROM_INPUT, (BK_OP_gelu_grad, BK_OP_gelu_tanh_grad, BK_OP_silu_grad, BK_OP_softplus_grad)))


# ---- scratch that is used again: a stack of blocks, guarded by the GIL --------------------------------------------------
cdef struct Block:
    char *p
    int64_t bytes

cdef Block _spare[KEEP_BLOCKS]
cdef int _spares = 0
cdef int64_t _spare_bytes = 0


cdef int take(int64_t wanted, Block *b) except -1:
    """A block of at least `wanted` bytes, of any content, 64-byte aligned."""
    global _spares, _spare_bytes
    cdef int i
    for i in range(_spares - 1, -1, -1):
        if _spare[i].bytes >= wanted:
            b[0] = _spare[i]
            _spares -= 1
            _spare_bytes -= b.bytes
            _spare[i] = _spare[_spares]
            return 0
    b.bytes = 1 << 16
    while b.bytes < wanted:
        b.bytes += b.bytes >> 1
    b.p = <char *>allocate(b.bytes)
    if b.p == NULL:
        raise MemoryError(f"brisknet: no memory for {b.bytes} bytes of scratch space")
    return 0


cdef void give(Block b) noexcept:
    """Put a block back; the smallest one makes room where there are too many."""
    global _spares, _spare_bytes
    cdef int i, least = 0
    cdef Block other
    if b.p == NULL:
        return
    if _spares == KEEP_BLOCKS:
        for i in range(1, KEEP_BLOCKS):
            if _spare[i].bytes < _spare[least].bytes:
                least = i
        if _spare[least].bytes >= b.bytes:
            release(b.p)
            return
        other = _spare[least]
        _spares -= 1
        _spare_bytes -= other.bytes
        _spare[least] = _spare[_spares]
        release(other.p)
    if _spare_bytes + b.bytes > KEEP_BYTES:
        release(b.p)
        return
    _spare[_spares] = b
    _spares += 1
    _spare_bytes += b.bytes


# ---- one call: the buffers that it holds open, and its instructions -------------------------------------------------------
cdef struct Frame:
    int views, instructions
    int mode[MAX_VIEWS]
    char *first[MAX_VIEWS]       # where the array itself begins, of which the view may be of a copy
    Py_buffer view[MAX_VIEWS]
    bk_instr code[MAX_CODE]
    Block temporary


cdef inline void begin(Frame *f) noexcept:
    f.views = f.instructions = 0
    f.temporary.p = NULL


cdef inline void finish(Frame *f) noexcept:
    cdef int i
    for i in range(f.views):
        PyBuffer_Release(&f.view[i])
    give(f.temporary)


cdef int open_array(Frame *f, object x, int ndim, int mode) except -2:
    """The index of a new view of x, or -1 where x is no aligned, C-contiguous float32 array of that rank (-1: any)."""
    cdef Py_buffer *v = &f.view[f.views]
    cdef uintptr_t end
    cdef char *first
    if PyObject_GetBuffer(x, v, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if mode & WRITE else 0)) < 0:
        PyErr_Clear()
        return -1
    if (v.format == NULL or v.format[0] != b'f' or v.format[1] != 0 or (ndim >= 0 and v.ndim != ndim)
            or <uintptr_t>v.buf & 3):
        PyBuffer_Release(v)
        return -1
    end = <uintptr_t>v.buf + v.len
    if mode & GUARD and v.len and (end - 1) // PAGE != (end + BK_PAD - 1) // PAGE:
        first = <char *>v.buf
        PyBuffer_Release(v)
        ndim = open_array(f, checks.padded(x), ndim, mode & ~GUARD)
        f.first[ndim] = first
        return ndim
    f.mode[f.views], f.first[f.views] = mode, <char *>v.buf
    f.views += 1
    return f.views - 1


cdef inline int open_output(Frame *f, object x, int ndim, const Py_ssize_t *shape) except -2:
    """The view of an existing output of that shape, or -1 where it has another one or is no NumPy array."""
    cdef int d, i
    if not isinstance(x, _ndarray):
        return -1
    i = open_array(f, x, ndim, WRITE)
    if i >= 0:
        for d in range(ndim):
            if f.view[i].shape[d] != shape[d]:
                return -1
    return i


cdef inline bint same_shape(const Py_buffer *a, const Py_buffer *b) noexcept:
    cdef int d
    if a.ndim != b.ndim:
        return False
    for d in range(a.ndim):
        if a.shape[d] != b.shape[d]:
            return False
    return True


cdef bint clash(const Frame *f, bint in_place) noexcept:
    """Does a written buffer overlap another one? in_place: it may be the very same memory."""
    cdef int i, j
    cdef const Py_buffer *a
    cdef const Py_buffer *b
    for i in range(f.views):
        if not f.mode[i] & WRITE:
            continue
        a = &f.view[i]
        for j in range(f.views):
            b = &f.view[j]
            if i == j or (in_place and f.first[i] == f.first[j] and a.len == b.len):
                continue
            if f.first[i] < f.first[j] + b.len and f.first[j] < f.first[i] + a.len:
                return True
    return False


cdef inline float *data(const Frame *f, int i) noexcept:
    return <float *>f.view[i].buf if i >= 0 else NULL


cdef object like(const Py_buffer *v):
    """A new array of a view's shape."""
    return _empty(tuple([v.shape[d] for d in range(v.ndim)]), _float32)


cdef inline bk_args *instruction(Frame *f, int op, bint barrier) noexcept:
    """The operands, all zero, of a new instruction; barrier: it reads what one before it has written."""
    cdef bk_instr *i = &f.code[f.instructions]
    memset(i, 0, sizeof(bk_instr))
    i.op = op
    i.flags = BK_BARRIER if barrier else 0
    f.instructions += 1
    return &i.a


cdef int run(Frame *f) except -1:
    """Run the instructions."""
    cdef bk_program p
    cdef bk_plan plan
    cdef bk_instr *c
    cdef Block scratch
    cdef double work = 0
    cdef int i
    memset(&p, 0, sizeof(bk_program))
    for i in range(f.instructions):
        c = &f.code[i]
        plan = plan_of(c.op, &c.a)
        c.fn, c.units = kernel_of(c.op), plan.units
        work += plan.flops + 4 * plan.bytes
        p.scratch_bytes = max(p.scratch_bytes, plan.scratch_bytes)
    p.code, p.n = f.code, f.instructions
    p.threads = thread_count() if work > _thread_work else 1
    scratch.p = NULL
    take((p.scratch_bytes + 127) // 64 * 64 * p.threads, &scratch)
    p.scratch, p.scratch_threads = scratch.p, p.threads
    if work < _short_work:
        i = run_once(&p)
    else:
        with nogil:
            i = run_once(&p)
    give(scratch)
    if i:
        raise MemoryError("brisknet: no memory for scratch space")
    return 0


cdef inline double real(object x, double low, double high) noexcept:
    """x as a double where it is a float (or small int) in [low, high], else NaN."""
    cdef double v
    if type(x) is float:
        v = <double>x
    elif type(x) is int and -1000000 < x < 1000000:
        v = <double>x
    else:
        return INF - INF
    return v if isfinite(v) and low <= v <= high else INF - INF


cdef inline int truth(object x) noexcept:
    """1, 0, or -1 where x is no bool."""
    return 1 if x is True else 0 if x is False else -1


cdef inline int lookup(dict table, object kind) except -2:
    """The number of a word, or -1."""
    if type(kind) is not str:
        return -1
    found = table.get(kind)
    return -1 if found is None else found


cdef object refused():
    raise RuntimeError("brisknet.kernels.native refused what brisknet.kernels.checks accepts: please report it")


# ---- products -----------------------------------------------------------------------------------------------------------
def matmul(a, b, transpose_a=False, transpose_b=False, out=None):
    result = _matmul(a, b, transpose_a, transpose_b, out)
    if result is None:
        a, b, transpose_a, transpose_b, out = checks.matmul(a, b, transpose_a, transpose_b, out)
        result = _matmul(a, b, transpose_a, transpose_b, out)
    return refused() if result is None else result


cdef object _matmul(object a, object b, object transpose_a, object transpose_b, object out):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef int ta = truth(transpose_a), tb = truth(transpose_b), ia, ib, ic
    cdef Py_ssize_t shape[2]
    cdef Py_ssize_t depth
    cdef bk_args *g
    begin(&f)
    try:
        ia, ib = open_array(&f, a, 2, GUARD), open_array(&f, b, 2, GUARD)
        if ia < 0 or ib < 0 or ta < 0 or tb < 0:
            return None
        depth = f.view[ia].shape[0 if ta else 1]
        shape[0], shape[1] = f.view[ia].shape[1 if ta else 0], f.view[ib].shape[0 if tb else 1]
        if f.view[ib].shape[1 if tb else 0] != depth:
            return None
        if out is None:
            out = _empty((shape[0], shape[1]), _float32)
        ic = open_output(&f, out, 2, shape)
        if ic < 0 or clash(&f, False):
            return None
        if not depth:
            memset(f.view[ic].buf, 0, f.view[ic].len)
        elif f.view[ic].len:
            g = instruction(&f, BK_OP_matmul, False)
            g.p[0], g.p[1], g.p[2] = data(&f, ia), data(&f, ib), data(&f, ic)
            g.n[0], g.n[1], g.n[2], g.n[3], g.n[4], g.n[5] = shape[0], shape[1], depth, ta, tb, 1
            run(&f)
        return out
    finally:
        finish(&f)


cdef class PackedWeights:
    """Weights [K, N] in the layout that products read, from pack_weights. Opaque but for `shape` and `unpack()`."""

    cdef float *panels
    cdef int64_t k, n

    def __cinit__(self, int64_t k, int64_t n):
        self.k, self.n = k, n
        self.panels = <float *>allocate(panel_bytes(k, n))
        if self.panels == NULL:
            raise MemoryError(f"brisknet: no memory for packed weights of shape {(k, n)}")

    def __dealloc__(self):
        release(self.panels)

    @property
    def shape(self):
        """(K, N)"""
        return self.k, self.n

    def unpack(self):
        """The weights as a new float32 array [K, N]."""
        cdef Frame f
        out = _empty((self.k, self.n), _float32)
        begin(&f)
        try:
            add_unpack(&f, self.panels, data(&f, open_array(&f, out, 2, WRITE)), self.k, self.n, False)
            run(&f)
        finally:
            finish(&f)
        return out


cdef inline int64_t panel_bytes(int64_t k, int64_t n) noexcept:
    return 4 * k if n == 1 else 4 * k * ((n + BK_PANEL - 1) // BK_PANEL * BK_PANEL)


cdef void add_pack(Frame *f, float *w, float *panels, int64_t k, int64_t n) noexcept:
    """Row-major to panels; one column stays the vector that it is."""
    cdef bk_args *g = instruction(f, BK_OP_copy_bytes if n == 1 else BK_OP_pack_panel, False)
    g.p[0], g.p[1] = w, panels
    g.n[0], g.n[1] = (4 * k if n == 1 else k), n


cdef void add_unpack(Frame *f, float *panels, float *w, int64_t k, int64_t n, bint barrier) noexcept:
    cdef bk_args *g = instruction(f, BK_OP_copy_bytes if n == 1 else BK_OP_unpack_panel, barrier)
    g.p[0], g.p[1] = panels, w
    g.n[0], g.n[1] = (4 * k if n == 1 else k), n


def pack_weights(w, out=None):
    cdef Frame f
    cdef int i
    cdef PackedWeights packed
    for attempt in range(2):
        begin(&f)
        try:
            i = open_array(&f, w, 2, GUARD)
            if i >= 0 and (out is None or type(out) is PackedWeights):
                packed = out if out is not None else PackedWeights(f.view[i].shape[0], f.view[i].shape[1])
                if packed.k == f.view[i].shape[0] and packed.n == f.view[i].shape[1]:
                    add_pack(&f, data(&f, i), packed.panels, packed.k, packed.n)
                    run(&f)
                    return packed
        finally:
            finish(&f)
        w, out = checks.pack_weights(w, out, PackedWeights)
    refused()


cdef struct Weights:       # what a product reads: panels, or an array that must be packed into a temporary first
    float *panels
    float *rows
    int64_t k, n


cdef int open_weights(Frame *f, object w, Weights *g) except -2:
    cdef int i
    g.panels = g.rows = NULL
    if type(w) is PackedWeights:
        g.panels, g.k, g.n = (<PackedWeights>w).panels, (<PackedWeights>w).k, (<PackedWeights>w).n
        return 0
    i = open_array(f, w, 2, GUARD)
    if i < 0:
        return -1
    g.rows, g.k, g.n = data(f, i), f.view[i].shape[0], f.view[i].shape[1]
    if g.n == 1:
        g.panels, g.rows = g.rows, NULL
    return 0


def dense_forward(x, w, b=None, activation="linear", alpha=0.0, out=None):
    result = _dense_forward(x, w, b, activation, alpha, out)
    if result is None:
        x, w, b, activation, alpha, out = checks.dense_forward(x, w, b, activation, alpha, out, PackedWeights)
        result = _dense_forward(x, w, b, activation, alpha, out)
    return refused() if result is None else result


cdef object _dense_forward(object x, object w, object b, object activation, object alpha, object out):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef Weights g
    cdef int act = lookup(_dense_kinds, activation), ix, ib = -1, iy
    cdef double slope = real(alpha, -INF, INF)
    cdef Py_ssize_t shape[2]
    cdef bk_args *i
    begin(&f)
    try:
        ix = open_array(&f, x, 2, GUARD)
        if ix < 0 or open_weights(&f, w, &g) < 0 or g.k != f.view[ix].shape[1] or act < 0 or slope != slope:
            return None
        if b is not None:
            ib = open_array(&f, b, 1, GUARD)
            if ib < 0 or f.view[ib].shape[0] != g.n:
                return None
        shape[0], shape[1] = f.view[ix].shape[0], g.n
        if out is None:
            out = _empty((shape[0], shape[1]), _float32)
        iy = open_output(&f, out, 2, shape)
        if iy < 0 or clash(&f, False):
            return None
        if not f.view[iy].len or not g.k:
            return reference.dense_forward(x, w, b, activation, alpha, out)
        if g.rows != NULL:
            take(panel_bytes(g.k, g.n), &f.temporary)
            g.panels = <float *>f.temporary.p
            add_pack(&f, g.rows, g.panels, g.k, g.n)
        i = instruction(&f, BK_OP_dense_forward, g.rows != NULL)
        i.p[0], i.p[1], i.p[2], i.p[3] = data(&f, ix), g.panels, data(&f, ib), data(&f, iy)
        i.n[0], i.n[1], i.n[2], i.n[3], i.f[0] = shape[0], g.k, g.n, act, slope
        run(&f)
        return out
    finally:
        finish(&f)


def dense_backward(dy, x, w, y, activation="linear", alpha=0.0, need_dx=True):
    result = _dense_backward(dy, x, w, y, activation, alpha, need_dx)
    if result is None:
        dy, x, w, y, activation, alpha, need_dx = checks.dense_backward(dy, x, w, y, activation, alpha, need_dx, PackedWeights)
        result = _dense_backward(dy, x, w, y, activation, alpha, need_dx)
    return refused() if result is None else result


cdef object _dense_backward(object dy, object x, object w, object y, object activation, object alpha, object need_dx):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef Weights g
    cdef int act = lookup(_dense_kinds, activation), wanted = truth(need_dx), idy, ix, iy = -1
    cdef double slope = real(alpha, -INF, INF)
    cdef int64_t m
    begin(&f)
    try:
        idy, ix = open_array(&f, dy, 2, GUARD), open_array(&f, x, 2, GUARD)
        if idy < 0 or ix < 0 or open_weights(&f, w, &g) < 0 or act < 0 or wanted < 0 or slope != slope:
            return None
        m = f.view[ix].shape[0]
        if g.k != f.view[ix].shape[1] or f.view[idy].shape[0] != m or f.view[idy].shape[1] != g.n:
            return None
        if y is not None or act:
            iy = open_array(&f, y, 2, GUARD)
            if iy < 0 or not same_shape(&f.view[iy], &f.view[idy]):
                return None
        if not m or not g.k or not g.n:
            return reference.dense_backward(dy, x, w, y, activation, alpha, need_dx)
        dx = _empty((m, g.k), _float32) if wanted else None
        dw, db = _empty((g.k, g.n), _float32), _empty(g.n, _float32)
        add_backward(&f, &g, m, act, slope, data(&f, idy), data(&f, ix), data(&f, iy),
                     data(&f, open_array(&f, dx, 2, WRITE)) if wanted else NULL,
                     data(&f, open_array(&f, dw, 2, WRITE)), data(&f, open_array(&f, db, 1, WRITE)))
        run(&f)
        return dx, dw, db
    finally:
        finish(&f)


cdef int add_backward(Frame *f, Weights *g, int64_t m, int act, float alpha, float *dy, float *x, float *y, float *dx,
                      float *dw, float *db) except -1:
    """dz = dy f'(y); dx = dz w^T; dw = x^T dz in panels, then rows; db = column sums of dz."""
    cdef int64_t panels = (panel_bytes(g.k, g.n) + 127) // 64 * 64, dz_bytes = (4 * m * g.n + 127) // 64 * 64
    cdef bint pack = dx != NULL and g.rows != NULL, column = g.n == 1
    cdef bk_args *i
    cdef float *dz = dy
    cdef char *p
    take((dz_bytes if act else 0) + (panels if pack else 0) + panels, &f.temporary)
    p = f.temporary.p
    if act:
        dz = <float *>p
        p += dz_bytes
        i = instruction(f, BK_OP_act_grad, False)
        i.p[0], i.p[1], i.p[2] = dy, y, dz
        i.n[0], i.n[1], i.f[0], i.f[1] = m * g.n, act, alpha, 1.0
    if pack:
        g.panels = <float *>p
        p += panels
        add_pack(f, g.rows, g.panels, g.k, g.n)
    if dx != NULL:
        i = instruction(f, BK_OP_dense_dgrad, True)
        i.p[0], i.p[1], i.p[3] = dz, g.panels, dx
        i.n[0], i.n[1], i.n[2], i.f[1] = m, g.k, g.n, 1.0
    i = instruction(f, BK_OP_dense_wgrad, True)
    i.p[0], i.p[1], i.p[2], i.p[3] = x, dz, (dw if column else <float *>p), db
    i.n[0], i.n[1], i.n[2] = m, g.k, g.n
    if not column:
        add_unpack(f, <float *>p, dw, g.k, g.n, True)
    return 0


# ---- element by element ---------------------------------------------------------------------------------------------
def activation(x, kind, alpha=0.0, out=None):
    result = _activation(x, kind, alpha, out)
    if result is None:
        x, kind, alpha, out = checks.activation(x, kind, alpha, out)
        result = _activation(x, kind, alpha, out)
    return refused() if result is None else result


cdef object _activation(object x, object kind, object alpha, object out):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef int op = lookup(_forward_ops, kind), ix, iy
    cdef double slope = real(alpha, -INF, INF)
    cdef bk_args *i
    begin(&f)
    try:
        ix = open_array(&f, x, -1, READ)
        if ix < 0 or op < 0 or slope != slope:
            return None
        if out is None:
            out = like(&f.view[ix])
        iy = open_output(&f, out, f.view[ix].ndim, f.view[ix].shape)
        if iy < 0 or clash(&f, True):
            return None
        if f.view[iy].len and not (op == BK_OP_copy_bytes and f.view[ix].buf == f.view[iy].buf):
            i = instruction(&f, op, False)
            i.p[0], i.p[1], i.f[0] = data(&f, ix), data(&f, iy), slope
            i.n[0] = f.view[ix].len if op == BK_OP_copy_bytes else f.view[ix].len // 4
            if op == BK_OP_step:
                i.f[0], i.f[1] = -1, 1
            run(&f)
        return out
    finally:
        finish(&f)


def activation_grad(dy, y_or_x, kind, alpha=0.0, out=None):
    result = _activation_grad(dy, y_or_x, kind, alpha, out)
    if result is None:
        dy, y_or_x, kind, alpha, out = checks.activation_grad(dy, y_or_x, kind, alpha, out)
        result = _activation_grad(dy, y_or_x, kind, alpha, out)
    return refused() if result is None else result


cdef object _activation_grad(object dy, object y_or_x, object kind, object alpha, object out):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef int act = lookup(_dense_kinds, kind), op = BK_OP_act_grad, idy, iy, io
    cdef double slope = real(alpha, -INF, INF)
    cdef bk_args *i
    if act < 0:
        op = lookup(_grad_ops, kind)
    begin(&f)
    try:
        idy, iy = open_array(&f, dy, -1, READ), open_array(&f, y_or_x, -1, READ)
        if idy < 0 or iy < 0 or op < 0 or slope != slope or not same_shape(&f.view[idy], &f.view[iy]):
            return None
        if out is None:
            out = like(&f.view[idy])
        io = open_output(&f, out, f.view[idy].ndim, f.view[idy].shape)
        if io < 0 or clash(&f, True):
            return None
        if f.view[io].len:
            i = instruction(&f, op, False)
            i.p[0], i.p[1], i.p[2] = data(&f, idy), data(&f, iy), data(&f, io)
            i.n[0], i.n[1], i.f[0], i.f[1] = f.view[io].len // 4, act, slope, 1.0
            run(&f)
        return out
    finally:
        finish(&f)


def dropout(x, rate, key, step, out=None):
    result = _dropout(x, rate, key, step, out)
    if result is None:
        x, rate, key, step, out = checks.dropout(x, rate, key, step, out)
        result = _dropout(x, rate, key, step, out)
    return refused() if result is None else result


cdef object _dropout(object x, object rate, object key, object step, object out):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef int ix, iy
    cdef double share = real(rate, 0.0, 1.0)
    cdef int64_t at
    cdef bk_args *i
    if not share < 1.0 or type(key) is not int or type(step) is not int or not 0 <= key < 1 << 63 or not 0 <= step < 1 << 63:
        return None
    begin(&f)
    try:
        ix = open_array(&f, x, -1, READ)
        if ix < 0:
            return None
        if out is None:
            out = like(&f.view[ix])
        iy = open_output(&f, out, f.view[ix].ndim, f.view[ix].shape)
        if iy < 0 or clash(&f, True):
            return None
        at = step
        if f.view[iy].len:
            i = instruction(&f, BK_OP_dropout, False)
            i.p[0], i.p[1], i.p[2] = data(&f, ix), data(&f, iy), &at
            i.n[0], i.n[1], i.n[2], i.f[0] = f.view[ix].len // 4, key, <int64_t>rint(share * 65536), 1.0 / (1.0 - share)
            run(&f)
        return out
    finally:
        finish(&f)


# ---- rows ---------------------------------------------------------------------------------------------------------------
def softmax(x, out=None):
    result = _softmax(x, out)
    if result is None:
        x, out = checks.softmax(x, out)
        result = _softmax(x, out)
    return refused() if result is None else result


cdef object _softmax(object x, object out):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef int ix, iy
    cdef int64_t cols
    cdef bk_args *i
    begin(&f)
    try:
        ix = open_array(&f, x, -1, READ)
        if ix < 0 or f.view[ix].ndim < 1:
            return None
        if out is None:
            out = like(&f.view[ix])
        iy = open_output(&f, out, f.view[ix].ndim, f.view[ix].shape)
        if iy < 0 or clash(&f, False):
            return None
        if f.view[iy].len:
            cols = f.view[ix].shape[f.view[ix].ndim - 1]
            i = instruction(&f, BK_OP_softmax, False)
            i.p[0], i.p[1] = data(&f, ix), data(&f, iy)
            i.n[0], i.n[1] = f.view[ix].len // 4 // cols, cols
            run(&f)
        return out
    finally:
        finish(&f)


def softmax_cross_entropy(logits, labels, weights=None, label_smoothing=0.0):
    result = _softmax_cross_entropy(logits, labels, weights, label_smoothing)
    if result is None:
        logits, labels, weights, label_smoothing = checks.softmax_cross_entropy(logits, labels, weights, label_smoothing)
        result = _softmax_cross_entropy(logits, labels, weights, label_smoothing)
    return refused() if result is None else result


cdef object _softmax_cross_entropy(object logits, object labels, object weights, object label_smoothing):
    """None where the arguments must be looked at again."""
    cdef Frame f
    cdef int iz, it = -1, iw = -1
    cdef double smoothing = real(label_smoothing, 0.0, 1.0)
    cdef int64_t rows, cols, units
    cdef float loss = 0
    cdef bk_args *i
    begin(&f)
    try:
        iz = open_array(&f, logits, 2, READ)
        if iz < 0 or smoothing != smoothing:
            return None
        rows, cols = f.view[iz].shape[0], f.view[iz].shape[1]
        if weights is not None:
            iw = open_array(&f, weights, 1, READ)
            if iw < 0 or f.view[iw].shape[0] != rows:
                return None
        it = open_array(&f, labels, 2, READ)
        if it < 0 and (smoothing != 0 or not open_classes(&f, labels, rows, cols)):
            return None
        if it >= 0 and not same_shape(&f.view[it], &f.view[iz]):
            return None
        slope = _empty((rows, cols), _float32)
        if rows and cols:
            i = instruction(&f, BK_OP_xent_head, False)
            i.n[0], i.n[1], i.n[2], i.f[0], i.f[1] = rows, cols, it < 0, smoothing, 1.0 / rows
            units = i.n[3] = plan_of(BK_OP_xent_head, i).units
            if it >= 0:
                take(8 * units, &f.temporary)
            i.p[0], i.p[1], i.p[2], i.p[3] = data(&f, iz), (data(&f, it) if it >= 0 else <float *>f.temporary.p), data(&f, iw), &loss
            i.p[4] = data(&f, open_array(&f, slope, 2, WRITE))
            i.p[5] = f.temporary.p + (0 if it >= 0 else (4 * rows + 63) // 64 * 64)
            if units > 1:
                i = instruction(&f, BK_OP_sum_partials, True)
                i.p[0], i.p[1], i.n[0], i.f[0] = f.code[0].a.p[5], &loss, units, 1.0 / rows
            run(&f)
        return loss, slope
    finally:
        finish(&f)


cdef bint open_classes(Frame *f, object labels, int64_t rows, int64_t cols) except *:
    """Copies int32 or int64 classes to int32 at the start of the temporary block, with room for one double a row behind;
    False where labels are anything else or out of range."""
    cdef Py_buffer v
    cdef int64_t r, c
    cdef int32_t *classes
    cdef bint wide, ok
    if PyObject_GetBuffer(labels, &v, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0:
        PyErr_Clear()
        return False
    try:
        if v.format == NULL or v.format[1] != 0 or v.format[0] not in b'ilq' or v.ndim != 1 or v.shape[0] != rows:
            return False
        if v.itemsize not in (4, 8) or <uintptr_t>v.buf % v.itemsize:
            return False
        wide, ok = v.itemsize == 8, True
        take((4 * rows + 63) // 64 * 64 + 8 * rows + 8, &f.temporary)
        classes = <int32_t *>f.temporary.p
        for r in range(rows):
            c = (<int64_t *>v.buf)[r] if wide else (<int32_t *>v.buf)[r]
            ok &= 0 <= c < cols
            classes[r] = <int32_t>c
        return ok
    finally:
        PyBuffer_Release(&v)


# ---- optimizers ---------------------------------------------------------------------------------------------------------
cdef struct Rule:
    int op, variant, slots
    int64_t iterations
    double f[4]


cdef bint update(Rule *r, object param, object grad, tuple slots, object learning_rate, object weight_decay,
                 object clipvalue) except *:
    """One step in place; False where the arguments must be looked at again."""
    cdef Frame f
    cdef bk_segment s
    cdef bk_args *i
    cdef int j, at
    cdef double decay = 0 if weight_decay is None else real(weight_decay, 0, INF)
    cdef double clip = 0 if clipvalue is None else real(clipvalue, 0, INF)
    cdef double rate = real(learning_rate, 0, INF)
    cdef float lr = rate
    if rate != rate or decay != decay or clip != clip or (clipvalue is not None and clip == 0):
        return False
    for j in range(4):
        if r.f[j] != r.f[j]:
            return False
    begin(&f)
    memset(&s, 0, sizeof(bk_segment))
    try:
        if not isinstance(param, _ndarray) or open_array(&f, param, -1, WRITE) < 0 or open_array(&f, grad, -1, READ) < 0:
            return False
        for j in range(len(slots)):
            if slots[j] is None:
                if j < r.slots:
                    return False
                continue
            if j >= r.slots or open_output(&f, slots[j], f.view[0].ndim, f.view[0].shape) < 0:
                return False
            s.slot[j] = data(&f, f.views - 1)
        if not same_shape(&f.view[0], &f.view[1]) or clash(&f, False):
            return False
        s.param, s.grad, s.n, s.decay = data(&f, 0), data(&f, 1), f.view[0].len // 4, decay
        if s.n:
            i = instruction(&f, r.op, False)
            i.p[0], i.p[1], i.p[2] = &s, &lr, &r.iterations
            i.n[0], i.n[1], i.n[2] = 1, (s.n + BK_BLOCK - 1) // BK_BLOCK, r.variant
            for j in range(4):
                i.f[j] = r.f[j]
            i.f[7] = clip
            run(&f)
        return True
    finally:
        finish(&f)


def sgd_update(param, grad, m=None, *, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, clipvalue=None):
    cdef Rule r
    for attempt in range(2):
        memset(&r, 0, sizeof(Rule))
        r.op, r.f[0] = BK_OP_sgd_update, real(momentum, 0, 1)
        r.slots = r.f[0] > 0
        r.variant = r.slots * (1 + (truth(nesterov) == 1))
        if truth(nesterov) >= 0 and update(&r, param, grad, (m,), learning_rate, weight_decay, clipvalue):
            return
        args = checks.sgd_update(param, grad, m, learning_rate, momentum, nesterov, weight_decay, clipvalue)
        param, grad, m, learning_rate, momentum, nesterov, weight_decay, clipvalue = args
    refused()


def rmsprop_update(
    param, grad, v, m=None, mean=None, *, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False,
    weight_decay=None, clipvalue=None,
):
    cdef Rule r
    for attempt in range(2):
        memset(&r, 0, sizeof(Rule))
        r.op, r.f[0], r.f[1], r.f[2] = BK_OP_rmsprop_update, real(rho, 0, 1), real(epsilon, 0, INF), real(momentum, 0, 1)
        r.variant = (r.f[2] > 0) + 2 * (truth(centered) == 1)
        r.slots = 1 + (r.variant & 1) + (r.variant >> 1)
        fits = (m is not None) == (r.variant & 1) and (mean is not None) == (r.variant >> 1)
        slots = (v, mean) if m is None else (v, m, mean)
        if fits and truth(centered) >= 0 and update(&r, param, grad, slots, learning_rate, weight_decay, clipvalue):
            return
        args = checks.rmsprop_update(
            param, grad, v, m, mean, learning_rate, rho, momentum, epsilon, centered, weight_decay, clipvalue
        )
        param, grad, v, m, mean, learning_rate, rho, momentum, epsilon, centered, weight_decay, clipvalue = args
    refused()


def adam_update(
    param, grad, m, v, v_hat=None, *, iterations, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
    amsgrad=False, weight_decay=None, clipvalue=None,
):
    cdef Rule r
    for attempt in range(2):
        memset(&r, 0, sizeof(Rule))
        r.op, r.f[0], r.f[1], r.f[2] = BK_OP_adam_update, real(beta_1, 0, 1), real(beta_2, 0, 1), real(epsilon, 0, INF)
        r.variant = truth(amsgrad)
        r.slots = 2 + (r.variant == 1)
        counts = type(iterations) is int and 0 <= iterations < 1 << 63
        r.iterations = iterations if counts else 0
        fits = counts and r.variant >= 0 and r.f[0] < 1 and r.f[1] < 1
        if fits and update(&r, param, grad, (m, v, v_hat), learning_rate, weight_decay, clipvalue):
            return
        args = checks.adam_update(
            param, grad, m, v, v_hat, iterations, learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipvalue
        )
        param, grad, m, v, v_hat, iterations, learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipvalue = args
    refused()


def adagrad_update(param, grad, accumulator, *, learning_rate=0.001, epsilon=1e-7, weight_decay=None, clipvalue=None):
    cdef Rule r
    for attempt in range(2):
        memset(&r, 0, sizeof(Rule))
        r.op, r.slots, r.f[0] = BK_OP_adagrad_update, 1, real(epsilon, 0, INF)
        if update(&r, param, grad, (accumulator,), learning_rate, weight_decay, clipvalue):
            return
        args = checks.adagrad_update(param, grad, accumulator, learning_rate, epsilon, weight_decay, clipvalue)
        param, grad, accumulator, learning_rate, epsilon, weight_decay, clipvalue = args
    refused()


def adadelta_update(
    param, grad, accumulated_grad, accumulated_delta, *, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None,
    clipvalue=None,
):
    cdef Rule r
    for attempt in range(2):
        memset(&r, 0, sizeof(Rule))
        r.op, r.slots, r.f[0], r.f[1] = BK_OP_adadelta_update, 2, real(rho, 0, 1), real(epsilon, 0, INF)
        slots = (accumulated_grad, accumulated_delta)
        if update(&r, param, grad, slots, learning_rate, weight_decay, clipvalue):
            return
        args = checks.adadelta_update(
            param, grad, accumulated_grad, accumulated_delta, learning_rate, rho, epsilon, weight_decay, clipvalue
        )
        param, grad, accumulated_grad, accumulated_delta, learning_rate, rho, epsilon, weight_decay, clipvalue = args
    refused()


for _name in __all__:
    if _name != "PackedWeights":
        globals()[_name].__doc__ = getattr(reference, _name).__doc__
