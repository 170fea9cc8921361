"""Normalisation as functions: by length, by mean and variance of a row, by its root mean square."""

from __future__ import annotations

import warnings

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import composite, float_array
from brisknet.ops.group_norm import group_norm
from brisknet.ops.reduction import mean as reduce_mean
from brisknet.ops.reduction import normalize_axes
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.ops.shape import reshape, transpose

__all__ = ["layer_normalization", "normalize", "rms_normalization"]


def _epsilon(epsilon) -> float:
    from brisknet import config

    return config.epsilon() if epsilon is None else float(epsilon)


@composite
def normalize(x, axis=-1, order=2, epsilon=None):
    """x / max(norm(x), epsilon) over axis (None: all), with the norm of the given order; epsilon config.epsilon()."""
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 1:
        raise ValueError(f"normalize: order must be an integer >= 1, got {order!r}")
    x, epsilon = float_array(x), _epsilon(epsilon)
    x = reshape(x, (1,)) if not x.shape else x
    if order == 2:
        inverse = ew.rsqrt(reduce_sum(ew.square(x), axis=axis, keepdims=True))
        return ew.multiply(x, ew.minimum(inverse, 1.0 / epsilon))
    size = ew.abs(x)
    norm = reduce_sum(size if order == 1 else ew.power(size, float(order)), axis=axis, keepdims=True)
    norm = norm if order == 1 else ew.power(norm, 1.0 / order)
    return ew.divide(x, ew.maximum(norm, epsilon))


def _by_rows(x, axis, op):
    """(x as [rows, 1, n, 1], function that undoes it) for normalisation over `axis`, which is brought to the end."""
    ndim = len(x.shape)
    axes = normalize_axes(axis, ndim, op)
    order = [i for i in range(ndim) if i not in axes] + list(axes)
    moved = transpose(x, order)
    rows = int(np.prod([x.shape[i] for i in range(ndim) if i not in axes], dtype=np.int64))
    n = int(np.prod([x.shape[i] for i in axes], dtype=np.int64))

    def back(y):
        return transpose(reshape(y, moved.shape), list(np.argsort(order)))

    return reshape(moved, (rows, 1, n, 1)), back


def _flat(parameter, n: int, name: str):
    if parameter is None:
        return None
    if int(np.prod(parameter.shape, dtype=np.int64)) != n:
        raise ValueError(f"{name} needs {n} values, as many as the axes that are normalised, got {tuple(parameter.shape)}")
    return reshape(parameter, (n,))


@composite
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """(x - mean) / sqrt(var + epsilon) * gamma + beta, mean and variance over axis. Ba et al. 2016.

    gamma, beta   of the sizes of the axes, in order; None: without
    epsilon       config.epsilon() by default
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"layer_normalization: unknown argument {sorted(kwargs)[0]!r}")
    x, epsilon = float_array(x), _epsilon(epsilon)
    if rms_scaling:
        warnings.warn("rms_scaling=True scales by the variance, not by the root mean square; use rms_normalization "
                      "instead", stacklevel=3)  # fmt: skip
        mean = reduce_mean(x, axis=axis, keepdims=True)
        var = reduce_mean(ew.square(ew.subtract(x, mean)), axis=axis, keepdims=True)
        y = ew.multiply(x, ew.rsqrt(ew.add(var, epsilon)))
        return y if gamma is None else ew.multiply(y, _beside(gamma, x, axis))
    rows, back = _by_rows(x, axis, "layer_normalization")
    n = rows.shape[2]
    return back(group_norm(rows, _flat(gamma, n, "gamma"), _flat(beta, n, "beta"), 1, epsilon))


@composite
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """x / sqrt(mean(x^2) + epsilon) * scale, the mean over axis. Zhang & Sennrich 2019."""
    x, epsilon = float_array(x), _epsilon(epsilon)
    rows, back = _by_rows(x, axis, "rms_normalization")
    return back(group_norm(rows, _flat(scale, rows.shape[2], "scale"), None, 1, epsilon, rms=True))


def _beside(parameter, x, axis):
    """A parameter with an axis of 1 wherever x is not normalised."""
    axes = normalize_axes(axis, len(x.shape), "layer_normalization")
    return reshape(parameter, tuple(d if i in axes else 1 for i, d in enumerate(x.shape)))
