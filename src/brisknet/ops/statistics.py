"""Reductions by compositions (variance, norms, quantiles ...), running sums, sorting."""

from __future__ import annotations


import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops import reduction as red
from brisknet.ops.assign import stop_gradient
from brisknet.ops.dispatch import cast, composite, dtype_of, number_array
from brisknet.ops.functions import isnan
from brisknet.ops.gather import getitem, plain, take_along_axis
from brisknet.ops.indexing import cumulate, order
from brisknet.ops.reduction import normalize_axes
from brisknet.ops.shape import moved, reshape, transpose

__all__ = [
    "all", "allclose", "amax", "amin", "any", "argpartition", "argsort", "array_equal", "average", "corrcoef", "count_nonzero",
    "cumprod", "cumsum", "diff", "logsumexp", "median", "moments", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
    "nanvar", "nancumprod", "nancumsum", "norm", "percentile", "ptp", "quantile", "searchsorted", "sort", "std", "top_k",
    "trapezoid", "var",
]  # fmt: skip


# ---- of bools ---------------------------------------------------------------------------------------------------------------
def _bools(x):
    return cast(cast(number_array(x), "bool"), "int32")


@composite
def any(x, axis=None, keepdims=False):
    """Whether any element along axis (None: of all) is true, that is not 0."""
    return cast(red.max(_bools(x), axis, keepdims, initial=0), "bool")


@composite
def all(x, axis=None, keepdims=False):
    """Whether all elements along axis (None: of all) are true, that is not 0."""
    return cast(red.min(_bools(x), axis, keepdims, initial=1), "bool")


@composite
def count_nonzero(x, axis=None):
    """How many elements along axis (None: of all) are not 0, as int32."""
    return red.sum(_bools(x), axis)


@composite
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are close: see isclose."""
    from brisknet.ops.functions import isclose

    return all(isclose(x1, x2, rtol, atol, equal_nan))


@composite
def array_equal(x1, x2):
    """Whether x1 and x2 have one shape and the same elements."""
    a, b = number_array(x1), number_array(x2)
    if tuple(a.shape) != tuple(b.shape):
        return np.asarray(False)
    return all(ew.equal(a, b))


# ---- extremes and moments -----------------------------------------------------------------------------------------------------
@composite
def amax(x, axis=None, keepdims=False):
    """The largest element along axis (None: of all)."""
    return red.max(x, axis, keepdims)


@composite
def amin(x, axis=None, keepdims=False):
    """The smallest element along axis (None: of all)."""
    return red.min(x, axis, keepdims)


@composite
def ptp(x, axis=None, keepdims=False):
    """The largest element less the smallest, along axis (None: of all)."""
    return ew.subtract(red.max(x, axis, keepdims), red.min(x, axis, keepdims))


@composite
def var(x, axis=None, keepdims=False):
    """The variance along axis (None: of all): the mean of squared distances from the mean."""
    x = ew.as_floats(x)
    return red.mean(ew.square(ew.subtract(x, red.mean(x, axis, keepdims=True))), axis, keepdims)


@composite
def std(x, axis=None, keepdims=False):
    """The standard deviation along axis (None: of all)."""
    return ew.sqrt(var(x, axis, keepdims))


@composite
def moments(x, axes, keepdims=False, synchronized=False):
    """(mean, variance) along axes."""
    if synchronized:
        raise ValueError("moments: synchronized=True is for training on several devices, which brisknet does not have")
    return red.mean(x, axes, keepdims), var(x, axes, keepdims)


@composite
def average(x, axis=None, weights=None):
    """The mean along axis (None: of all), weighted by weights of x's shape, or of one number for each index of axis."""
    x = ew.as_floats(x)
    if weights is None:
        return red.mean(x, axis)
    weights = ew.as_floats(weights)
    if tuple(weights.shape) != tuple(x.shape):
        if not isinstance(axis, (int, np.integer)) or tuple(weights.shape) != (x.shape[axis],):
            raise ValueError(
                f"average: weights of x's shape {tuple(x.shape)}, or one for each index of axis, expected, got shape {tuple(weights.shape)}"
            )
        weights = reshape(weights, [-1 if i == axis % len(x.shape) else 1 for i in range(len(x.shape))])
    weights = ew.add(weights, np.zeros(tuple(x.shape), dtype_of(x)))
    return ew.divide(red.sum(ew.multiply(x, weights), axis), red.sum(weights, axis))


@composite
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) along axis (None: of all), without overflow."""
    x = ew.as_floats(x)
    top = stop_gradient(red.max(x, axis, keepdims=True))
    top = ew.where(ew.less(ew.abs(top), np.inf), top, 0.0)
    out = ew.add(ew.log(red.sum(ew.exp(ew.subtract(x, top)), axis, keepdims=True)), top)
    axes = normalize_axes(axis, len(x.shape), "logsumexp")
    return out if keepdims else reshape(out, red.reduced_shape(tuple(x.shape), axes, False))


@composite
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors (axis a number) or matrices (two numbers), as in NumPy; None: the root of the sum of squares.

    ord   of vectors: any number, inf or -inf, 0 counts what is not 0. Of matrices: "fro", 1, -1, inf, -inf.
    """
    x = ew.as_floats(x)
    ndim = len(x.shape)
    if axis is None and (ord is None or (ord == "fro" and ndim == 2) or (ord == 2 and ndim == 1)):
        return ew.sqrt(red.sum(ew.square(x), None, keepdims))
    axes = normalize_axes(axis, ndim, "norm") if axis is None or np.ndim(axis) == 0 else tuple(int(a) % ndim for a in axis)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"norm: ord={ord!r} goes with one axis (vectors) or two (matrices), got a tensor of rank {ndim} and axis {axis}")


def _vector_norm(x, ord, axes, keepdims):
    if ord is None or ord == 2:
        return ew.sqrt(red.sum(ew.square(x), axes, keepdims))
    if ord == np.inf or ord == -np.inf:
        return (red.max if ord > 0 else red.min)(ew.abs(x), axes, keepdims)
    if ord == 0:
        return red.sum(cast(ew.not_equal(x, 0.0), dtype_of(x)), axes, keepdims)
    if ord == 1:
        return red.sum(ew.abs(x), axes, keepdims)
    if isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} is no norm of vectors; give axis two numbers for a norm of matrices")
    return ew.power(red.sum(ew.power(ew.abs(x), float(ord)), axes, keepdims), 1.0 / ord)


def _matrix_norm(x, ord, axes, keepdims):
    if ord is None or ord == "fro":
        return ew.sqrt(red.sum(ew.square(x), axes, keepdims))
    if ord not in (1, -1, np.inf, -np.inf):
        raise ValueError(
            f"norm: ord of matrices must be None, 'fro', 1, -1, inf or -inf, got {ord!r}; of known arrays use np.linalg.norm"
        )
    rows, columns = axes
    summed, then = (rows, columns) if abs(ord) == 1 else (columns, rows)
    out = red.sum(ew.abs(x), summed, keepdims=True)
    out = (red.max if ord > 0 else red.min)(out, then, keepdims=True)
    return out if keepdims else reshape(out, red.reduced_shape(tuple(x.shape), axes, False))


# ---- without NaN --------------------------------------------------------------------------------------------------------------
def _filled(x, value):
    x = ew.as_floats(x)
    return ew.where(isnan(x), float(value), x)


def _known(x):
    return cast(ew.logical_not(isnan(x)), dtype_of(ew.as_floats(x)))


def _ignoring(name, function, value):
    def call(x, axis=None, keepdims=False):
        return function(_filled(x, value), axis=axis, keepdims=keepdims)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{name[3:]}(x, axis, keepdims) of what is not NaN."
    return composite(call)


nansum, nanprod = _ignoring("nansum", red.sum, 0.0), _ignoring("nanprod", red.prod, 1.0)


def _nan_extreme(x, axis, keepdims, function, limit):
    out = function(_filled(x, limit), axis, keepdims)
    none = ew.equal(red.sum(_known(x), axis, keepdims), 0.0)
    return ew.where(none, float("nan"), out)


@composite
def nanmax(x, axis=None, keepdims=False):
    """The largest element that is not NaN; NaN where there is none."""
    return _nan_extreme(x, axis, keepdims, red.max, -np.inf)


@composite
def nanmin(x, axis=None, keepdims=False):
    """The smallest element that is not NaN; NaN where there is none."""
    return _nan_extreme(x, axis, keepdims, red.min, np.inf)


@composite
def nanmean(x, axis=None, keepdims=False):
    """The mean of what is not NaN."""
    return ew.divide(red.sum(_filled(x, 0.0), axis, keepdims), red.sum(_known(x), axis, keepdims))


@composite
def nanvar(x, axis=None, keepdims=False):
    """The variance of what is not NaN."""
    return nanmean(ew.square(ew.subtract(ew.as_floats(x), nanmean(x, axis, keepdims=True))), axis, keepdims)


@composite
def nanstd(x, axis=None, keepdims=False):
    """The standard deviation of what is not NaN."""
    return ew.sqrt(nanvar(x, axis, keepdims))


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
    return _running(_filled(x, 0.0), axis, dtype, False, "nancumsum")


@composite
def nancumprod(x, axis=None, dtype=None):
    """cumprod with 1 for every NaN."""
    return _running(_filled(x, 1.0), axis, dtype, True, "nancumprod")


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
    from brisknet.ops.shape import stack

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


@composite
def corrcoef(x):
    """Pearson's correlation of the rows of x."""
    from brisknet.ops.linalg import matmul

    x = ew.as_floats(x)
    x = reshape(x, (1, -1)) if len(x.shape) == 1 else x
    x = ew.subtract(x, red.mean(x, axis=-1, keepdims=True))
    x = ew.divide(x, ew.sqrt(red.sum(ew.square(x), axis=-1, keepdims=True)))
    out = ew.clip(matmul(x, transpose(x)), -1.0, 1.0)
    return reshape(out, ()) if out.shape == (1, 1) else out
