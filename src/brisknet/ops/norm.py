"""Batch and layer normalisation, with their gradients as ops of their own."""

from __future__ import annotations

import numpy as np

from brisknet.ops.activation.from_output import act_grad_array
from brisknet.ops.dispatch import apply
from brisknet.ops.by_parts import by_parts
from brisknet.ops.registry import OpSpec, Sample, register

# Shapes of samples with so many rows that they are worked on in shards.
MANY = ((4400, 17, 1), (1040, 72, 1), (22000, 3, 1))

# x is seen as [outer, C, inner]: statistics are taken over outer and inner, one pair a channel.


def _channels(shape, op):
    if len(shape) != 3:
        raise ValueError(f"{op}: x [outer, channels, inner] expected, got shape {shape}")
    return (shape[1],)


def _col(v):
    return None if v is None else v[None, :, None]


# ---- statistics -------------------------------------------------------------------------------------------------------
def _stats_reference(x):
    return np.mean(x, axis=(0, 2)), np.var(x, axis=(0, 2))


def _stats_vjp(node, grads):
    # mean = sum x / n, var = sum (x - mean)^2 / n  ->  dx = gm / n + gv * 2 (x - mean) / n
    from brisknet.ops import elementwise as ew
    from brisknet.ops.shape import broadcast_to, reshape

    x, mean = node.inputs[0], node.outputs[0]
    n = x.size // x.shape[1]
    per_channel = (1, x.shape[1], 1)
    out = None
    if grads[0] is not None:
        out = broadcast_to(reshape(ew.multiply(grads[0], 1.0 / n), per_channel), x.shape)
    if grads[1] is not None:
        gv = reshape(ew.multiply(grads[1], 2.0 / n), per_channel)
        term = ew.multiply(ew.subtract(x, reshape(mean, per_channel)), gv)
        out = term if out is None else ew.add(out, term)
    return (out,)


register(
    OpSpec(
        "bn_stats",
        lambda s, d, a: ((_channels(s[0], "bn_stats"), d[0]),) * 2,
        _stats_reference,
        _stats_vjp,
        (*(Sample((s,)) for s in ((6, 5, 1), (3, 17, 2), (4, 1, 1))), *(Sample((s,), wrt=()) for s in MANY)),
    )
)


# ---- y = (x - mean) / sqrt(var + eps) * gamma + beta, the statistics of the batch itself ---------------------------------
def apply_infer(shapes, dtypes, attrs):
    channels = _channels(shapes[0], "bn_apply")
    for s in shapes[1:]:
        if s != channels:
            raise ValueError(f"bn_apply: parameters of shape {channels} expected, got {s}")
    return ((shapes[0], dtypes[0]),)


def _split(rest, scale, center):
    rest = list(rest)
    gamma = rest.pop(0) if scale else None
    beta = rest.pop(0) if center else None
    return gamma, beta


def apply_reference(x, mean, var, *rest, epsilon, scale, center):
    gamma, beta = _split(rest, scale, center)
    factor = 1.0 / np.sqrt(var + np.asarray(epsilon, x.dtype))
    y = (x - _col(mean)) * _col(factor if gamma is None else factor * gamma)
    return np.asarray(y if beta is None else y + _col(beta), x.dtype)


def _apply_vjp(node, grads):
    # with constant statistics: dx = dy gamma r, dgamma = sum dy xhat, dbeta = sum dy, r = (var + eps)^-1/2
    # and for the statistics themselves: dmean = -r gamma dbeta, dvar = -gamma r^2 dgamma / 2
    from brisknet.ops import elementwise as ew
    from brisknet.ops.shape import reshape

    x, mean, var = node.inputs[:3]
    eps, scale, center = node.attrs["epsilon"], node.attrs["scale"], node.attrs["center"]
    gamma, _ = _split(node.inputs[3:], scale, center)
    dy = grads[0]
    dgamma, dbeta = apply("bn_grad_sums", (dy, x, mean, var), epsilon=eps)
    r = ew.rsqrt(ew.add(var, eps))
    gr = r if gamma is None else ew.multiply(gamma, r)
    dx = ew.multiply(dy, reshape(gr, (1, x.shape[1], 1)))
    dmean = ew.negative(ew.multiply(gr, dbeta))
    dvar = ew.multiply(ew.multiply(gr, r), ew.multiply(dgamma, -0.5))
    return (dx, dmean, dvar, *((dgamma,) if scale else ()), *((dbeta,) if center else ()))


def _bn_samples(extra_attrs=()):
    rng = np.random.default_rng(4)
    out = []
    for shape in ((6, 5, 1), (3, 17, 2)):
        c = shape[1]
        stats = (rng.normal(size=c), rng.uniform(0.5, 2.0, c))
        out.append(Sample((shape, *stats, (c,), (c,)), {"epsilon": 1e-3, "scale": True, "center": True}))
        out.append(Sample((shape, *stats), {"epsilon": 1e-3, "scale": False, "center": False}))
    return tuple(out)


register(OpSpec("bn_apply", apply_infer, apply_reference, _apply_vjp, _bn_samples(), inplace=(0,)))


def _undone(dy, y, attrs):
    """dy f'(z), where the output of an activation is given too: y = f(z)."""
    return dy if not y else act_grad_array(dy, y[0], attrs["kind"], attrs["alpha"])


def _sums_reference(dy, x, mean, var, *y, epsilon, **activation):
    dy = _undone(dy, y, activation)
    r = 1.0 / np.sqrt(var + np.asarray(epsilon, x.dtype))
    xhat = (x - _col(mean)) * _col(r)
    return np.sum(dy * xhat, axis=(0, 2)), np.sum(dy, axis=(0, 2))


def _sums_vjp(node, grads):
    # dgamma = sum dy (x - mean) r, dbeta = sum dy; needed for second derivatives only
    from brisknet.ops import elementwise as ew
    from brisknet.ops.reduction import sum as reduce_sum
    from brisknet.ops.shape import broadcast_to, reshape

    if "kind" in node.attrs:
        raise ValueError("bn_grad_sums: no gradient once an activation is fused in")
    dy, x, mean, var = node.inputs
    one = (1, x.shape[1], 1)
    r = reshape(ew.rsqrt(ew.add(var, node.attrs["epsilon"])), one)
    xhat = ew.multiply(ew.subtract(x, reshape(mean, one)), r)
    ddy = dx = dmean = dvar = None
    if grads[0] is not None:
        g = reshape(grads[0], one)
        ddy, dx = ew.multiply(xhat, g), ew.multiply(ew.multiply(dy, r), g)
        dmean = ew.negative(reduce_sum(dx, axis=(0, 2)))
        dvar = reduce_sum(ew.multiply(ew.multiply(ddy, dy), ew.multiply(ew.square(r), -0.5)), axis=(0, 2))
    if grads[1] is not None:
        spread = broadcast_to(reshape(grads[1], one), dy.shape)
        ddy = spread if ddy is None else ew.add(ddy, spread)
    return ddy, dx, dmean, dvar


def _sums_samples():
    rng = np.random.default_rng(4)
    out = []
    for s in ((6, 5, 1), (3, 17, 2), *MANY):
        statistics = rng.normal(size=s[1]), rng.uniform(0.5, 2.0, s[1])
        out.append(Sample((s, s, *statistics), {"epsilon": 1e-3}, wrt=() if s in MANY else None))
    kinds = {MANY[0]: "relu", MANY[1]: "tanh", (4400, 16, 1): "leaky_relu"}
    for s, kind in kinds.items():
        statistics = rng.normal(size=s[1]), rng.uniform(0.5, 2.0, s[1])
        out.append(Sample((s, s, *statistics, s), {"epsilon": 1e-3, "kind": kind, "alpha": 0.2}, wrt=()))
    return tuple(out)


register(
    OpSpec(
        "bn_grad_sums",
        lambda s, d, a: ((_channels(s[0], "bn_grad_sums"), d[0]),) * 2,
        _sums_reference,
        _sums_vjp,
        _sums_samples(),
    )
)


# ---- the whole training-time normalisation: statistics and apply in one op, so that its gradient is one pass --------------
def _train_infer(shapes, dtypes, attrs):
    channels = (_channels(shapes[0], "batch_norm"), dtypes[0])
    apply_infer((shapes[0], channels[0], channels[0], *shapes[1:]), dtypes, attrs)
    return ((shapes[0], dtypes[0]), channels, channels)


def _train_reference(x, *rest, epsilon, scale, center):
    mean, var = _stats_reference(x)
    return apply_reference(x, mean, var, *rest, epsilon=epsilon, scale=scale, center=center), mean, var


def _train_vjp(node, grads):
    # y = gamma xhat + beta  ->  dx = gamma r (dy - dbeta/n - xhat dgamma/n), n the elements of a channel
    x, eps = node.inputs[0], node.attrs["epsilon"]
    gamma, _ = _split(node.inputs[1:], node.attrs["scale"], node.attrs["center"])
    mean, var = node.outputs[1:]
    dx = dgamma = dbeta = None
    if grads[0] is not None:
        dgamma, dbeta = apply("bn_grad_sums", (grads[0], x, mean, var), epsilon=eps)
        ins = (grads[0], x, mean, var, dgamma, dbeta) + (() if gamma is None else (gamma,))
        dx = apply("bn_grad_x", ins, epsilon=eps)
    if grads[1] is not None or grads[2] is not None:  # something besides the moving averages used the statistics
        class _Stats:
            inputs, outputs = (x,), (mean, var)

        through = _stats_vjp(_Stats, grads[1:])[0]
        from brisknet.ops.elementwise import add

        dx = through if dx is None else add(dx, through)
    return (dx, *((dgamma,) if node.attrs["scale"] else ()), *((dbeta,) if node.attrs["center"] else ()))


def _train_samples():
    on, off = {"epsilon": 1e-3, "scale": True, "center": True}, {"epsilon": 1e-3, "scale": False, "center": False}
    return tuple(
        Sample((s, (s[1],), (s[1],)), on) if a is on else Sample((s,), a) for s in ((6, 5, 1), (3, 17, 2)) for a in (on, off)
    )


register(OpSpec("batch_norm", _train_infer, _train_reference, _train_vjp, _train_samples()))


def _grad_x_reference(dy, x, mean, var, dgamma, dbeta, *rest, epsilon, **activation):
    rest = list(rest)
    dy = _undone(dy, [rest.pop()] if activation else (), activation)
    gamma = rest[0] if rest else None
    r = 1.0 / np.sqrt(var + np.asarray(epsilon, x.dtype))
    n = x.size // max(x.shape[1], 1)
    xhat = (x - _col(mean)) * _col(r)
    factor = r if gamma is None else r * gamma
    return np.asarray(_col(factor) * (dy - _col(dbeta) / n - xhat * _col(dgamma) / n), x.dtype)


def _grad_x_parts(node):
    from brisknet.ops import elementwise as ew
    from brisknet.ops.shape import reshape

    if "kind" in node.attrs:
        raise ValueError("bn_grad_x: no gradient once an activation is fused in")
    dy, x, *channels = node.inputs
    mean, var, dgamma, dbeta, *gamma = [reshape(t, (1, x.shape[1], 1)) for t in channels]
    r, share = ew.rsqrt(ew.add(var, node.attrs["epsilon"])), x.shape[1] / max(x.size, 1)
    xhat = ew.multiply(ew.subtract(x, mean), r)
    inner = ew.subtract(dy, ew.multiply(ew.add(dbeta, ew.multiply(xhat, dgamma)), share))
    return (ew.multiply(ew.multiply(r, gamma[0]) if gamma else r, inner),)


def _grad_x_samples():
    rng = np.random.default_rng(4)
    out = []
    for s in ((6, 5, 1), (3, 17, 2)):
        c = (s[1],)
        out.append(Sample((s, s, rng.normal(size=c), rng.uniform(0.5, 2, c), c, c, c), {"epsilon": 1e-3}))
        out.append(Sample((s, s, rng.normal(size=c), rng.uniform(0.5, 2, c), c, c), {"epsilon": 1e-3}))
    for s, kind in zip((*MANY, (64, 5, 1)), ("relu", "tanh", "leaky_relu", "sigmoid"), strict=True):
        c = (s[1],)
        attrs = {"epsilon": 1e-3, "kind": kind, "alpha": 0.2}
        out.append(Sample((s, s, rng.normal(size=c), rng.uniform(0.5, 2, c), c, c, c, s), attrs, wrt=()))
        out.append(Sample((s, s, rng.normal(size=c), rng.uniform(0.5, 2, c), c, c, s), attrs, wrt=()))
    return tuple(out)


register(
    OpSpec(
        "bn_grad_x", lambda s, d, a: ((s[0], d[0]),), _grad_x_reference, by_parts(_grad_x_parts), _grad_x_samples(), inplace=(0,)
    )
)


register(
    OpSpec(  # an exponential moving average: old * momentum + new * (1 - momentum)
        "ema",
        lambda s, d, a: ((s[0], d[0]),),
        lambda old, new, momentum: np.asarray(old * momentum + new * (1.0 - momentum), old.dtype),
        None,
        (Sample(((17,), (17,)), {"momentum": 0.99}, wrt=()),),
        inplace=(0,),
    )
)


def ema(old, new, momentum):
    """old * momentum + new * (1 - momentum), for moving statistics; no gradient."""
    return apply("ema", (old, new), momentum=float(momentum))


def batch_norm_train(x, gamma, beta, epsilon):
    """(y, mean, var) of x [outer, C, inner], normalised by its own statistics (var is the biased one)."""
    rest = tuple(p for p in (gamma, beta) if p is not None)
    return apply("batch_norm", (x, *rest), epsilon=float(epsilon), scale=gamma is not None, center=beta is not None)


def batch_norm_infer(x, mean, var, gamma, beta, epsilon):
    """x [outer, C, inner] normalised by given statistics."""
    rest = tuple(p for p in (gamma, beta) if p is not None)
    return apply(
        "bn_apply", (x, mean, var, *rest), epsilon=float(epsilon), scale=gamma is not None, center=beta is not None
    )


def bn_stats(x):
    """(mean, biased variance) of each channel of x [outer, C, inner]."""
    return apply("bn_stats", (x,))
