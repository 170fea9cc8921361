"""Correlations of targets and predictions along an axis, as in keras.metrics."""

from __future__ import annotations

from brisknet import config, ops
from brisknet.losses.common import align
from brisknet.metrics.reduction import MeanMetricWrapper

__all__ = ["ConcordanceCorrelation", "PearsonCorrelation", "concordance_correlation", "pearson_correlation"]


def _centred(x, axis):
    """(mean, x - mean)."""
    mean = ops.mean(x, axis=axis, keepdims=True)
    return mean, ops.subtract(x, mean)


def pearson_correlation(y_true, y_pred, axis=-1):
    """The mean product of both, each centred and divided by its standard deviation. NaN where one of them is constant."""
    y_true, y_pred = align(y_true, y_pred)
    t, p = (_centred(y, axis)[1] for y in (y_true, y_pred))
    t, p = (ops.divide(y, ops.sqrt(ops.mean(ops.square(y), axis=axis, keepdims=True))) for y in (t, p))
    return ops.mean(ops.multiply(t, p), axis=axis)


def concordance_correlation(y_true, y_pred, axis=-1):
    """2 covariance / (variance of both + squared distance of the means). Lin 1989."""
    y_true, y_pred = align(y_true, y_pred)
    (t_mean, t), (p_mean, p) = (_centred(y, axis) for y in (y_true, y_pred))
    spread = ops.add(*(ops.mean(ops.square(y), axis=axis, keepdims=True) for y in (t, p)))
    norm = ops.add(spread, ops.square(ops.subtract(t_mean, p_mean)))
    # Keras takes y_true's distance from y_pred's mean: the mean of the product is the same
    product = ops.multiply(ops.subtract(y_true, p_mean), p)
    return ops.mean(ops.divide(ops.multiply(product, 2.0), ops.add(norm, config.epsilon())), axis=axis)


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of pearson_correlation(y_true, y_pred, axis)."""

    _direction = "up"

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of concordance_correlation(y_true, y_pred, axis)."""

    _direction = "up"

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis
