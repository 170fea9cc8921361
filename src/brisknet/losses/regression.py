"""Regression losses: (y_true, y_pred) -> one value a sample, the mean over the last axis, and their classes."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.losses.common import align, check_number
from brisknet.losses.fused import PointwiseLoss
from brisknet.losses.loss import BuiltInLoss

__all__ = [
    "CosineSimilarity", "Huber", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "cosine_similarity", "huber", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
]  # fmt: skip


# ---- functions -----------------------------------------------------------------------------------------------------
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)^2)."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|)."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean(|y_true - y_pred| / max(|y_true|, epsilon))."""
    y_true, y_pred = align(y_true, y_pred)
    size = ops.maximum(ops.abs(y_true), config.epsilon())
    return ops.multiply(ops.mean(ops.abs(ops.divide(ops.subtract(y_true, y_pred), size)), axis=-1), 100.0)


def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(y_true + 1) - log(y_pred + 1))^2), where numbers below epsilon count as epsilon."""
    y_true, y_pred = align(y_true, y_pred)
    logs = [ops.log(ops.add(ops.maximum(y, config.epsilon()), 1.0)) for y in (y_pred, y_true)]
    return ops.mean(ops.square(ops.subtract(*logs)), axis=-1)


def huber(y_true, y_pred, delta=1.0):
    """Quadratic for errors up to delta, linear beyond. Huber 1964."""
    y_true, y_pred = align(y_true, y_pred)
    error = ops.abs(ops.subtract(y_true, y_pred))
    quadratic = ops.multiply(ops.square(error), 0.5)
    linear = ops.subtract(ops.multiply(error, float(delta)), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(error, float(delta)), quadratic, linear), axis=-1)


def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true)))."""
    y_true, y_pred = align(y_true, y_pred)
    e = ops.subtract(y_pred, y_true)
    value = ops.subtract(ops.add(e, ops.softplus(ops.multiply(e, -2.0))), float(np.log(2.0)))
    return ops.mean(value, axis=-1)


def _unit(x, axis):
    """x / |x| along axis; |x| of at least epsilon."""
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(square, config.epsilon() ** 2)))


def cosine_similarity(y_true, y_pred, axis=-1):
    """-cos of the angle between y_true and y_pred along axis: -1 for one direction, 0 orthogonal, 1 opposite."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.negative(ops.sum(ops.multiply(_unit(y_true, axis), _unit(y_pred, axis)), axis=axis))


# ---- classes -------------------------------------------------------------------------------------------------------
class MeanSquaredError(PointwiseLoss):
    """mean((y_true - y_pred)^2)."""

    function, kind = staticmethod(mean_squared_error), "mse"

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(PointwiseLoss):
    """mean(|y_true - y_pred|)."""

    function, kind = staticmethod(mean_absolute_error), "mae"

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanAbsolutePercentageError(PointwiseLoss):
    """100 mean(|y_true - y_pred| / max(|y_true|, epsilon))."""

    function, kind = staticmethod(mean_absolute_percentage_error), "mape"

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(name, reduction, dtype)


class MeanSquaredLogarithmicError(PointwiseLoss):
    """mean((log(y_true + 1) - log(y_pred + 1))^2), where numbers below epsilon count as epsilon."""

    function, kind = staticmethod(mean_squared_logarithmic_error), "msle"

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(name, reduction, dtype)


class LogCosh(PointwiseLoss):
    """mean(log(cosh(y_pred - y_true)))."""

    function, kind = staticmethod(log_cosh), "log_cosh"

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)


class Huber(PointwiseLoss):
    """Quadratic for errors up to delta (1.0), linear beyond. Huber 1964."""

    function, kind, arguments = staticmethod(huber), "huber", ("delta",)

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype)
        if isinstance(delta, bool) or not isinstance(delta, (int, float)) or not delta > 0:
            raise ValueError(f"Huber: delta must be a positive number, got {delta!r}")
        self.delta = self.parameter = check_number(delta, "Huber: delta", 0)


class CosineSimilarity(BuiltInLoss):
    """-cos of the angle between y_true and y_pred along axis (the last): -1 for one direction, 1 for opposite ones."""

    function, arguments = staticmethod(cosine_similarity), ("axis",)

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = axis
