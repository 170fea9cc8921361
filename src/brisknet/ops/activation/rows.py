"""Activations of whole rows: softmax, log_softmax, sparsemax."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register


def softmax_array(x):
    """Softmax over the last axis."""
    x = np.asarray(x)
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_softmax_array(x):
    """log(softmax(x)) over the last axis, without the loss of small probabilities."""
    x = np.asarray(x)
    z = x - np.max(x, axis=-1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


def _row_grad_vjp_softmax(node, grads):
    # dx = y * (dy - s), s = sum(dy*y)  ->  d(dy) = y*(g - sum(g*y)); dy_y = g*(dy - s) - dy*sum(g*y)
    from brisknet.ops.reduction import sum as reduce_sum

    dy, y = node.inputs
    g = grads[0]
    s = reduce_sum(ew.multiply(dy, y), axis=-1, keepdims=True)
    gy = reduce_sum(ew.multiply(g, y), axis=-1, keepdims=True)
    return (
        apply("softmax_grad", (g, y)),
        ew.subtract(ew.multiply(g, ew.subtract(dy, s)), ew.multiply(dy, gy)),
    )


def _log_softmax_grad_vjp(node, grads):
    # dx = dy - exp(y) * s, s = sum(dy)  ->  d(dy) = g - sum(g*exp(y));  d(y) = -g * exp(y) * s
    from brisknet.ops.reduction import sum as reduce_sum

    dy, y = node.inputs
    g, e = grads[0], ew.exp(node.inputs[1])
    s = reduce_sum(dy, axis=-1, keepdims=True)
    return (
        ew.subtract(g, reduce_sum(ew.multiply(g, e), axis=-1, keepdims=True)),
        ew.negative(ew.multiply(ew.multiply(g, e), s)),
    )


_ROWS = (Sample(((4, 10),)), Sample(((2, 3, 7),)), Sample(((5, 1),)))
_PAIRS = (Sample(((4, 10), (4, 10))), Sample(((2, 3, 7), (2, 3, 7))))


def _same_infer(shapes, dtypes, attrs):
    if not shapes[0]:
        raise ValueError("softmax: x must have at least one axis, got a scalar")
    return ((shapes[0], dtypes[0]),)


register(
    OpSpec("softmax", _same_infer, softmax_array, lambda n, g: (apply("softmax_grad", (g[0], n.outputs[0])),), _ROWS,
           form="rows")  # fmt: skip
)
register(
    OpSpec(
        "softmax_grad",
        _same_infer,
        lambda dy, y: y * (dy - np.sum(dy * y, axis=-1, keepdims=True)),
        _row_grad_vjp_softmax,
        _PAIRS,
        form="rows",
    )
)
register(
    OpSpec(
        "log_softmax",
        _same_infer,
        log_softmax_array,
        lambda n, g: (apply("log_softmax_grad", (g[0], n.outputs[0])),),
        _ROWS,
        form="rows",
    )
)
register(
    OpSpec(
        "log_softmax_grad",
        _same_infer,
        lambda dy, y: dy - np.exp(y) * np.sum(dy, axis=-1, keepdims=True),
        _log_softmax_grad_vjp,
        _PAIRS,
        form="rows",
    )
)


# ---- sparsemax -----------------------------------------------------------------------------------------------------
def sparsemax_array(x):
    """The point of the simplex nearest to x, over the last axis: max(x - tau, 0) with a sum of 1."""
    x = np.asarray(x)
    x = x - np.max(x, axis=-1, keepdims=True)  # changes nothing but the rounding of sums
    z = -np.sort(-x, axis=-1)
    sums = np.cumsum(z, axis=-1) - 1
    support = z * np.arange(1, x.shape[-1] + 1, dtype=x.dtype) > sums
    k = np.maximum(np.sum(support, axis=-1, keepdims=True), 1)
    tau = np.take_along_axis(sums, k - 1, axis=-1) / k.astype(x.dtype)
    return np.asarray(np.maximum(x - tau, 0), x.dtype)


def _sparsemax_grad(dy, y):
    # dx = dy - its mean over the support of y, there; 0 elsewhere
    kept = y > 0
    mean = np.sum(dy * kept, axis=-1, keepdims=True) / np.maximum(np.sum(kept, axis=-1, keepdims=True), 1)
    return np.asarray(np.where(kept, dy - mean, 0), y.dtype)


_SIMPLEX = sparsemax_array(np.random.default_rng(21).standard_normal((4, 10)))
register(
    OpSpec("sparsemax", _same_infer, sparsemax_array,
           lambda n, g: (apply("sparsemax_grad", (g[0], n.outputs[0])),), _ROWS[:2], form="rows")  # fmt: skip
)
register(
    OpSpec("sparsemax_grad", _same_infer, _sparsemax_grad,
           lambda n, g: (apply("sparsemax_grad", (g[0], n.inputs[1])), None),
           (Sample(((4, 10), _SIMPLEX), wrt=(0,)),), form="rows")  # fmt: skip
)


# ---- along an axis -------------------------------------------------------------------------------------------------
def _along(op, x, axis):
    """A last-axis op along another axis."""
    from brisknet.ops.shape import transpose

    x = float_array(x)
    ndim = len(x.shape)
    if isinstance(axis, (tuple, list)):
        if len(axis) != 1:
            raise ValueError(f"{op}: one axis expected, got {axis}")
        axis = axis[0]
    if not -ndim <= axis < ndim:
        raise ValueError(f"{op}: axis {axis} is out of range for a tensor of rank {ndim}")
    axis %= ndim
    if axis == ndim - 1:
        return apply(op, (x,))
    axes = [i for i in range(ndim) if i != axis] + [axis]
    return transpose(apply(op, (transpose(x, axes),)), np.argsort(axes))


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along axis."""
    return _along("softmax", x, axis)


def log_softmax(x, axis=-1):
    """log(softmax(x)) along axis."""
    return _along("log_softmax", x, axis)


def sparsemax(x, axis=-1):
    """max(x - tau, 0) along axis, tau such that the sum is 1: a softmax with zeros. Martins & Astudillo 2016.

    As in the paper. Keras 3.15 adds up cumulative sums for tau where the paper takes the last of them, so that its rows do not
    sum to 1 where more than one place is kept.
    """
    return _along("sparsemax", x, axis)


def glu(x, axis=-1):
    """a sigmoid(b), a and b the two halves of x along axis. Dauphin et al. 2017."""
    from brisknet.ops.activation.from_output import sigmoid
    from brisknet.ops.shape import slice_along

    x = float_array(x)
    ndim = len(x.shape)
    if not -ndim <= axis < ndim:
        raise ValueError(f"glu: axis {axis} is out of range for a tensor of rank {ndim}")
    axis, n = axis % ndim, x.shape[axis]
    if n is None or n % 2:
        raise ValueError(f"glu: an even size along axis {axis} expected, got shape {tuple(x.shape)}")
    a, b = slice_along(x, axis, 0, n // 2), slice_along(x, axis, n // 2, n)
    return ew.multiply(a, sigmoid(b))
