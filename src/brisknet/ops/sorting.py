"""Running sums, differences, sorting, and what sorting gives: quantiles, medians, the largest k."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops import reduction as red
from brisknet.ops.dispatch import cast, composite, number_array
from brisknet.ops.functions import isnan
from brisknet.ops.gather import getitem, plain, take_along_axis
from brisknet.ops.indexing import cumulate, order
from brisknet.ops.reduction import normalize_axes
from brisknet.ops.shape import moved, reshape, stack, transpose
from brisknet.ops.statistics import any, without_nan

__all__ = [
    "argpartition", "argsort", "cumprod", "cumsum", "diff", "median", "nancumprod", "nancumsum", "percentile",
    "quantile", "searchsorted", "sort", "top_k", "trapezoid",
]  # fmt: skip


# ---- running sums -------------------------------------------------------------------------------------------------------------
def _running(x, axis, dtype, product, op):
    x = ew.as_numbers(x) if dtype is None else cast(number_array(x), dtype)
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    shape = tuple(x.shape)
    (axis,) = normalize_axes(axis, len(shape), op)
    before, after = (int(np.prod(s, dtype=np.int64)) for s in (shape[:axis], shape[axis + 1 :]))
    return reshape(cumulate(reshape(x, (before, shape[axis], after)), product), shape)


@composite
def cumsum(x, axis=None, dtype=None):
    """Sums of all elements up to each, along axis (None: of x flattened)."""
    return _running(x, axis, dtype, False, "cumsum")


@composite
def cumprod(x, axis=None, dtype=None):
    """Products of all elements up to each, along axis (None: of x flattened)."""
    return _running(x, axis, dtype, True, "cumprod")


@composite
def nancumsum(x, axis=None, dtype=None):
    """cumsum with 0 for every NaN."""
    return _running(without_nan(x, 0.0), axis, dtype, False, "nancumsum")


@composite
def nancumprod(x, axis=None, dtype=None):
    """cumprod with 1 for every NaN."""
    return _running(without_nan(x, 1.0), axis, dtype, True, "nancumprod")


@composite
def diff(a, n=1, axis=-1):
    """Each element less the one before it along axis, n times over."""
    x = ew.as_numbers(a)
    (axis,) = normalize_axes(axis, len(x.shape), "diff")
    lead = [slice(None)] * axis
    for _ in range(n):
        x = ew.subtract(getitem(x, (*lead, slice(1, None))), getitem(x, (*lead, slice(None, -1))))
    return x


@composite
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of y along axis by the trapezoidal rule, at the points x or dx apart."""
    y = ew.as_floats(y)
    (axis,) = normalize_axes(axis, len(y.shape), "trapezoid")
    lead = [slice(None)] * axis
    middle = ew.multiply(ew.add(getitem(y, (*lead, slice(1, None))), getitem(y, (*lead, slice(None, -1)))), 0.5)
    if x is None:
        return ew.multiply(red.sum(middle, axis), dx)
    steps = diff(x, axis=axis if len(x.shape) > 1 else 0)
    if len(steps.shape) == 1:
        steps = reshape(steps, [-1 if i == axis else 1 for i in range(len(y.shape))])
    return red.sum(ew.multiply(middle, steps), axis)


# ---- order ----------------------------------------------------------------------------------------------------------------------
def _last(x, axis, op):
    """(x with `axis` last, or flattened; that axis)."""
    x = number_array(x)
    if axis is None:
        return reshape(x, (-1,)), 0
    (axis,) = normalize_axes(axis, len(x.shape), op)
    return moved(x, axis, -1), axis


@composite
def argsort(x, axis=-1):
    """int32 indices that sort x along axis (None: of x flattened); equals keep their order."""
    rows, axis = _last(x, axis, "argsort")
    return moved(order(rows), -1, axis)


@composite
def sort(x, axis=-1):
    """x in ascending order along axis (None: of x flattened); NaN comes last."""
    rows, axis = _last(x, axis, "sort")
    return moved(take_along_axis(rows, order(rows), axis=-1), -1, axis)


@composite
def argpartition(x, kth, axis=-1):
    """argsort: the kth element and all others are where sorting puts them."""
    rows, axis = _last(x, axis, "argpartition")
    if not -rows.shape[-1] <= kth < rows.shape[-1]:
        raise ValueError(f"argpartition: kth={kth} is out of range for an axis of size {rows.shape[-1]}")
    return moved(order(rows), -1, axis)


@composite
def top_k(x, k, sorted=True):
    """(values, int32 indices) of the k largest elements of the last axis, from large to small."""
    x = number_array(x)
    if not x.shape or not 0 <= k <= x.shape[-1]:
        raise ValueError(f"top_k: k must be between 0 and the size of the last axis, got k={k} and shape {tuple(x.shape)}")
    indices = getitem(order(x, down=True), (..., slice(0, int(k))))
    return take_along_axis(x, indices, axis=-1), indices


@composite
def searchsorted(sorted_sequence, values, side="left"):
    """int32 index in the sorted vector at which each value keeps it sorted: before equals ("left") or behind ("right")."""
    keys, values = number_array(sorted_sequence), number_array(values)
    if side not in ("left", "right") or len(keys.shape) != 1:
        raise ValueError(f"searchsorted: a vector and side 'left' or 'right' expected, got shape {tuple(keys.shape)} and {side!r}")
    compare = ew.less if side == "left" else ew.less_equal
    return red.sum(compare(keys, reshape(values, (*values.shape, 1))), axis=-1)


@composite
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The q-quantiles (0 <= q <= 1, known) along axis (None: of all); a q that is an array gives a new first axis.

    method   between two elements: "linear", "lower", "higher", "midpoint" or "nearest"
    """
    x, known = ew.as_floats(x), plain(q)
    if known is None or ((known < 0) | (known > 1)).any():
        raise ValueError("quantile: q must be known numbers from 0 to 1 (of percentile: to 100)")
    if method not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise ValueError(f"quantile: method must be linear, lower, higher, midpoint or nearest, got {method!r}")
    shape = tuple(x.shape)
    axes = normalize_axes(axis, len(shape), "quantile")
    kept = [i for i in range(len(shape)) if i not in axes]
    rows = sort(reshape(transpose(x, [*kept, *axes]), (*(shape[i] for i in kept), -1)))
    bad = any(isnan(x), axis=axes)
    outs = [ew.where(bad, float("nan"), _between(rows, float(v), method)) for v in known.reshape(-1)]
    outs = [reshape(out, red.reduced_shape(shape, axes, bool(keepdims))) for out in outs]
    if not known.ndim:
        return outs[0]
    return reshape(stack(outs, axis=0), (*known.shape, *outs[0].shape))


def _between(rows, q, method):
    place = q * (rows.shape[-1] - 1)
    low, high = int(np.floor(place)), int(np.ceil(place))
    share = {"linear": place - low, "midpoint": 0.5 if high > low else 0.0, "lower": 0.0, "higher": 1.0,
             "nearest": float(int(np.round(place)) > low)}[method]  # fmt: skip
    first, second = getitem(rows, (..., low)), getitem(rows, (..., high))
    return first if share == 0.0 else ew.add(first, ew.multiply(ew.subtract(second, first), share))


@composite
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """quantile with q from 0 to 100."""
    known = plain(q)
    if known is None:
        raise ValueError("percentile: q must be known numbers from 0 to 100")
    return quantile(x, known / 100.0, axis, method, keepdims)


@composite
def median(x, axis=None, keepdims=False):
    """The median along axis (None: of all)."""
    return quantile(x, 0.5, axis, "linear", keepdims)
