"""Max and average pooling with their gradients, channels last, with any number (1 to 3) of spatial axes.

x [N,*S,C] -> y [N,*O,C] over windows of `pool`, `strides` apart, with pairs of `padding` a spatial axis. Padding is never
the maximum and is not counted in an average, as in Keras.
"""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, get_op, register
from brisknet.ops.windows import columns, fold, window_sizes

__all__ = ["avg_pool", "max_pool_nhwc"]


def _out_shape(op, x, attrs):
    pool, rank = attrs["pool"], len(x) - 2
    if rank < 1:
        raise ValueError(f"{op}: x [N,*spatial,C] of rank 3 to 5 expected, got shape {x}")
    out = window_sizes(op, x[1:-1], pool, attrs["strides"], attrs["padding"], (1,) * rank)
    for i, pair in enumerate(attrs["padding"]):
        if max(pair) >= pool[i]:
            raise ValueError(f"{op}: padding {pair} of spatial axis {i} must be smaller than its window of {pool[i]}")
    return (x[0], *out, x[-1])


def _windows(x, pool, strides, padding, value):
    """[N,*O,T,C]."""
    return columns(x, pool, strides, padding, (1,) * len(pool), value)


def _spread(taps, size, pool, strides, padding):
    return fold(taps, size, pool, strides, padding, (1,) * len(pool))


# ---- max ----------------------------------------------------------------------------------------------------------------
def _first_maximum(x, pool, strides, padding):
    """Which tap of each window is its first maximum in row-major order (the first NaN where there is one): [N,*O,C]."""
    return np.argmax(_windows(x, pool, strides, padding, -np.inf), axis=-2)


def _max_reference(x, *, pool, strides, padding):
    return np.max(_windows(x, pool, strides, padding, -np.inf), axis=-2)


def _max_vjp(node, grads):
    return (apply("max_pool_grad", (node.inputs[0], node.outputs[0], grads[0]), **node.attrs),)


def _max_grad_infer(op):
    def infer(shapes, dtypes, attrs):
        x, y, third = shapes
        out = _out_shape(op, x, attrs)
        given = out if op == "max_pool_grad" else x
        if y != out or third != given:
            raise ValueError(f"{op}: shapes {out} and {given} expected next to x of shape {x}, got {y} and {third}")
        return ((x if op == "max_pool_grad" else out, dtypes[0]),)

    return infer


def _max_grad_reference(x, y, dy, *, pool, strides, padding, kind="linear", alpha=0.0):
    """With a kind, times the slope of that activation, whose output x is (passes/fuse.py)."""
    taps = int(np.prod(pool))
    first = _first_maximum(x, pool, strides, padding)[..., None, :]
    chosen = np.arange(taps)[:, None] == first  # [N,*O,T,C]
    dx = _spread(np.where(chosen, dy[..., None, :], np.zeros((), dy.dtype)), x.shape[1:-1], pool, strides, padding)
    return dx if kind == "linear" else get_op("act_grad").reference(dx, x, kind=kind, alpha=alpha, scale=1.0)


def _max_gather_reference(x, y, g, *, pool, strides, padding):
    first = _first_maximum(x, pool, strides, padding)[..., None, :]
    return np.take_along_axis(_windows(g, pool, strides, padding, 0.0), first, axis=-2)[..., 0, :]


def _case(x, pool, strides=None, padding=0):
    """(shape of x, attributes, shape of y); one number stands for every spatial axis."""
    rank = len(x) - 2
    each = lambda v: (v,) * rank if isinstance(v, int) else v  # noqa: E731
    pairs = tuple((p, p) if isinstance(p, int) else p for p in each(padding))
    attrs = {"pool": each(pool), "strides": each(pool if strides is None else strides), "padding": pairs}
    return x, attrs, _out_shape("pool", x, attrs)


_CASES = (
    _case((2, 4, 6, 3), 2),
    _case((1, 5, 5, 2), 2),
    _case((1, 5, 7, 2), 3, strides=2, padding=((0, 1), (1, 1))),
    _case((2, 5, 4, 1), (2, 3), strides=1, padding=((0, 1), (1, 1))),
    _case((1, 7, 7, 2), 2, strides=3),
    _case((1, 1, 1, 3), 2, padding=((0, 1), (0, 1))),
    _case((2, 9, 3), 3, strides=2, padding=1),
    _case((1, 4, 5, 3, 2), (2, 2, 3), strides=(2, 1, 1), padding=((0, 0), (0, 1), (1, 1))),
)
_LARGE = (
    _case((3, 24, 24, 6), 2),
    _case((2, 8, 8, 33), 2),
    _case((2, 15, 13, 16), 3, strides=2, padding=1),
    _case((1, 9, 9, 40), 9),
)


def _distinct(shape, seed=3):
    """Values that finite differences do not reorder."""
    rng = np.random.default_rng(seed)
    return rng.permutation(int(np.prod(shape))).reshape(shape) / 7.0 - 3.0


_TIES = np.zeros((2, 5, 6, 5), np.float32)
_TIE_CASE = _case(_TIES.shape, 3, strides=2, padding=((1, 1), (0, 1)))


def _max_value(x, attrs):
    return _max_reference(x, **attrs)


def _max_samples(make):
    """make(x, attrs, shape of y, wrt) for every case: distinct values, large ones, and windows of equal values."""
    small = tuple(make(_distinct(x), attrs, y, 0) for x, attrs, y in _CASES)
    large = tuple(make(_distinct(x), attrs, y, ()) for x, attrs, y in _LARGE)
    return (*small, *large, make(_TIES, *_TIE_CASE[1:], ()), make(np.round(_distinct((2, 4, 8, 3)) / 9), *_case((2, 4, 8, 3), 2)[1:], ()))


register(
    OpSpec(
        "max_pool",
        lambda s, d, a: ((_out_shape("max_pool", s[0], a), d[0]),),
        _max_reference,
        _max_vjp,
        _max_samples(lambda x, attrs, y, wrt: Sample((x,), attrs, wrt if wrt == () else None)),
    )
)
register(
    OpSpec(  # dx[first maximum of a window] += dy; where windows overlap, gradients add up
        "max_pool_grad",
        _max_grad_infer("max_pool_grad"),
        _max_grad_reference,
        lambda n, g: (None, None, apply("max_pool_gather", (*n.inputs[:2], g[0]), **n.attrs)),
        _max_samples(lambda x, attrs, y, wrt: Sample((x, _max_value(x, attrs), y), attrs, wrt if wrt == () else (2,))),
    )
)
register(
    OpSpec(  # g at the first maximum of each window: how a change of dy reaches dx, transposed
        "max_pool_gather",
        _max_grad_infer("max_pool_gather"),
        _max_gather_reference,
        lambda n, g: (None, None, apply("max_pool_grad", (*n.inputs[:2], g[0]), **n.attrs)),
        _max_samples(lambda x, attrs, y, wrt: Sample((x, _max_value(x, attrs), x.shape), attrs, wrt if wrt == () else (2,))),
    )
)


def _attributes(pool, strides, padding):
    return {
        "pool": tuple(int(p) for p in pool),
        "strides": tuple(int(s) for s in strides),
        "padding": tuple((int(lo), int(hi)) for lo, hi in padding),
    }


def max_pool_nhwc(x, *, pool, strides, padding):
    """The maximum of each window of x [N,*S,C]; NaN where a window holds one."""
    return apply("max_pool", (x,), **_attributes(pool, strides, padding))


# ---- average --------------------------------------------------------------------------------------------------------------
def _counts(size, pool, strides, padding, dtype):
    """How many elements of x each window holds: [1,*O,1]."""
    ones = np.ones((1, *size, 1), dtype)
    return np.sum(_windows(ones, pool, strides, padding, 0.0), axis=-2)


def _avg_reference(x, *, pool, strides, padding):
    return np.sum(_windows(x, pool, strides, padding, 0.0), axis=-2) / _counts(x.shape[1:-1], pool, strides, padding, x.dtype)


def _avg_grad_infer(shapes, dtypes, attrs):
    dy = shapes[0]
    x = (dy[0], *attrs["size"], dy[-1])
    if _out_shape("avg_pool_grad", x, attrs) != dy:
        raise ValueError(f"avg_pool_grad: dy of shape {_out_shape('avg_pool_grad', x, attrs)} expected, got {dy}")
    return ((x, dtypes[0]),)


def _avg_grad_reference(dy, *, pool, strides, padding, size):
    share = dy / _counts(size, pool, strides, padding, dy.dtype)
    taps = np.broadcast_to(share[..., None, :], (*dy.shape[:-1], int(np.prod(pool)), dy.shape[-1]))
    return _spread(taps, size, pool, strides, padding)


register(
    OpSpec(
        "avg_pool",
        lambda s, d, a: ((_out_shape("avg_pool", s[0], a), d[0]),),
        _avg_reference,
        lambda n, g: (apply("avg_pool_grad", (g[0],), **n.attrs, size=n.inputs[0].shape[1:-1]),),
        tuple(Sample((x,), attrs) for x, attrs, _ in _CASES) + tuple(Sample((x,), attrs, ()) for x, attrs, _ in _LARGE),
    )
)
register(
    OpSpec(
        "avg_pool_grad",
        _avg_grad_infer,
        _avg_grad_reference,
        lambda n, g: (avg_pool(g[0], **{k: n.attrs[k] for k in ("pool", "strides", "padding")}),),
        tuple(Sample((y,), {**attrs, "size": x[1:-1]}) for x, attrs, y in _CASES)
        + tuple(Sample((y,), {**attrs, "size": x[1:-1]}, ()) for x, attrs, y in _LARGE),
    )
)


def avg_pool(x, *, pool, strides, padding):
    """The mean of each window of x [N,*S,C], over the elements of x that it holds."""
    return apply("avg_pool", (x,), **_attributes(pool, strides, padding))
