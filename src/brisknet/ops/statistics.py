"""Reductions by compositions: of bools, variance, norms, what is not NaN."""

from __future__ import annotations


import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops import reduction as red
from brisknet.ops.assign import stop_gradient
from brisknet.ops.dispatch import cast, composite, dtype_of, number_array
from brisknet.ops.functions import isnan
from brisknet.ops.reduction import normalize_axes
from brisknet.ops.shape import reshape, transpose

__all__ = [
    "all", "allclose", "amax", "amin", "any", "array_equal", "average", "corrcoef", "count_nonzero", "logsumexp",
    "moments", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar", "norm", "ptp", "std", "var",
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
def without_nan(x, value):
    """x with a value in place of every NaN."""
    x = ew.as_floats(x)
    return ew.where(isnan(x), float(value), x)


def _known(x):
    return cast(ew.logical_not(isnan(x)), dtype_of(ew.as_floats(x)))


def _ignoring(name, function, value):
    def call(x, axis=None, keepdims=False):
        return function(without_nan(x, value), axis=axis, keepdims=keepdims)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"{name[3:]}(x, axis, keepdims) of what is not NaN."
    return composite(call)


nansum, nanprod = _ignoring("nansum", red.sum, 0.0), _ignoring("nanprod", red.prod, 1.0)


def _nan_extreme(x, axis, keepdims, function, limit):
    out = function(without_nan(x, limit), axis, keepdims)
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
    return ew.divide(red.sum(without_nan(x, 0.0), axis, keepdims), red.sum(_known(x), axis, keepdims))


@composite
def nanvar(x, axis=None, keepdims=False):
    """The variance of what is not NaN."""
    return nanmean(ew.square(ew.subtract(ew.as_floats(x), nanmean(x, axis, keepdims=True))), axis, keepdims)


@composite
def nanstd(x, axis=None, keepdims=False):
    """The standard deviation of what is not NaN."""
    return ew.sqrt(nanvar(x, axis, keepdims))


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
