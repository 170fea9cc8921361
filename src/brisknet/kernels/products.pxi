# Matrix products and dense layers. Included by native.pyx.

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
    """dz = dy f'(y); dx = dz w^T; dw = x^T dz; db = column sums of dz. dense_wgrad would leave dw in panels: a product of
    row-major operands costs less than unpacking them."""
    cdef int64_t dz_bytes = (4 * m * g.n + 127) // 64 * 64 if act else 0
    cdef bint pack = dx != NULL and g.rows != NULL
    cdef bk_args *i
    cdef float *dz = dy
    if act or pack:
        take(dz_bytes + (panel_bytes(g.k, g.n) if pack else 0), &f.temporary)
    if act:
        dz = <float *>f.temporary.p
        i = instruction(f, BK_OP_act_grad, False)
        i.p[0], i.p[1], i.p[2] = dy, y, dz
        i.n[0], i.n[1], i.f[0], i.f[1] = m * g.n, act, alpha, 1.0
    if pack:
        g.panels = <float *>(f.temporary.p + dz_bytes)
        add_pack(f, g.rows, g.panels, g.k, g.n)
    if dx != NULL:
        i = instruction(f, BK_OP_dense_dgrad, True)
        i.p[0], i.p[1], i.p[3] = dz, g.panels, dx
        i.n[0], i.n[1], i.n[2], i.f[1] = m, g.k, g.n, 1.0
    if g.n == 1:
        i = instruction(f, BK_OP_dense_wgrad, True)
        i.p[0], i.p[1], i.p[2], i.p[3] = x, dz, dw, db
        i.n[0], i.n[1], i.n[2] = m, g.k, 1
        return 0
    i = instruction(f, BK_OP_matmul, True)
    i.p[0], i.p[1], i.p[2] = x, dz, dw
    i.n[0], i.n[1], i.n[2], i.n[3], i.n[5] = g.k, g.n, m, 1, 1
    i = instruction(f, BK_OP_reduce_sum, False)
    i.p[0], i.p[1] = dz, db
    i.n[0], i.n[1], i.n[2], i.f[0] = 1, m, g.n, 1.0
    return 0
