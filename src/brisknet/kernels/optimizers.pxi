# One step of an optimizer, in place. Included by native.pyx.

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
        r.op, r.f[0], r.f[1], r.f[2] = BK_OP_adam_update, 1 - real(beta_1, 0, 1), 1 - real(beta_2, 0, 1), real(epsilon, 0, INF)
        r.variant = truth(amsgrad)
        r.slots = 2 + (r.variant == 1)
        counts = type(iterations) is int and 0 <= iterations < 1 << 63
        r.iterations = iterations if counts else 0
        fits = counts and r.variant >= 0 and 0 < r.f[0] <= 1 and 0 < r.f[1] <= 1
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
