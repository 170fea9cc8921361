# One call of a kernel: the buffers that it holds open, its instructions, and scratch memory that is used again.
# Included by native.pyx.

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
        c.fn, c.units, c.pieces = kernel_of(c.op), plan.units, pieces_of(c.op)
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
