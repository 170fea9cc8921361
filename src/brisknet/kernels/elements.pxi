# Activations, dropout, softmax and its loss. Included by native.pyx.

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
