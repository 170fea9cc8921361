"""Errors, similarity and R^2, as in keras.metrics."""

from __future__ import annotations

import warnings

import numpy as np

from brisknet import config, losses, ops
from brisknet.graph.ir import Tensor
from brisknet.losses.common import align
from brisknet.metrics.metric import StreamingMetric
from brisknet.metrics.reduction import Mean, MeanMetricWrapper, OfLoss
from brisknet.metrics.shapes import check_count, labels, one_rank, predictions, rows
from brisknet.ops.metric_state import metric_regression

__all__ = [
    "CosineSimilarity", "LogCoshError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "R2Score", "RootMeanSquaredError", "cosine_similarity",
]  # fmt: skip


class MeanSquaredError(OfLoss):
    """mean((y_true - y_pred)^2)."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.MeanSquaredError(), name, dtype)


class MeanAbsoluteError(OfLoss):
    """mean(|y_true - y_pred|)."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.MeanAbsoluteError(), name, dtype)


class MeanAbsolutePercentageError(OfLoss):
    """100 mean(|y_true - y_pred| / |y_true|)."""

    def __init__(self, name="mean_absolute_percentage_error", dtype=None):
        super().__init__(losses.MeanAbsolutePercentageError(), name, dtype)


class MeanSquaredLogarithmicError(OfLoss):
    """mean((log(y_true + 1) - log(y_pred + 1))^2)."""

    def __init__(self, name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(losses.MeanSquaredLogarithmicError(), name, dtype)


class LogCoshError(OfLoss):
    """mean(log(cosh(y_pred - y_true)))."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.LogCosh(), name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean of (y_true - y_pred)^2 over all values seen."""

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)
        self._loss = losses.MeanSquaredError()

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch; weights are one a row, or one a value."""
        if sample_weight is None and isinstance(y_pred, Tensor) and len(y_pred.shape) > 1:
            return super().update_state(self._loss(y_true, y_pred), float(y_pred.shape[0]))  # one fused head
        y_true, y_pred = align(y_true, y_pred)
        super().update_state(ops.square(ops.subtract(y_pred, y_true)), sample_weight)

    def result_of(self, total, count):
        return np.sqrt(super().result_of(total, count))


def cosine_similarity(y_true, y_pred, axis=-1):
    """sum(l2_norm(y_true) l2_norm(y_pred)) along axis: 1 for one direction, -1 for opposite ones."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.sum(ops.multiply(_unit(y_true, axis), _unit(y_pred, axis)), axis=axis)


def _unit(x, axis):
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return ops.multiply(x, ops.rsqrt(ops.maximum(square, config.epsilon() ** 2)))


class CosineSimilarity(MeanMetricWrapper):
    """The mean of cosine_similarity(y_true, y_pred, axis)."""

    _direction = "up"

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class R2Score(StreamingMetric):
    """1 - residual sum of squares / total sum of squares, the coefficient of determination, for columns [rows, columns].

    class_aggregation   "uniform_average" over columns, "variance_weighted_average", or None: one score a column
    num_regressors      predictors of the model, for the adjusted score; 0: the plain one
    """

    _direction = "up"
    _empty = float("nan")

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ValueError(f"R2Score: class_aggregation must be one of {known}, got {class_aggregation!r}")
        self.class_aggregation = class_aggregation
        self.num_regressors = check_count(num_regressors, "R2Score", "num_regressors", 0)
        self._state = None

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch of y_true and y_pred [rows, columns]; weights are one a row, or one a value."""
        y_pred = predictions(y_pred)
        y_true, y_pred = one_rank(labels(y_true, y_pred), y_pred)
        if len(y_pred.shape) != 2 or len(y_true.shape) != 2:
            raise ValueError(
                f"R2Score: y_true and y_pred of shape (rows, columns) expected, got {tuple(y_true.shape)} and "
                f"{tuple(y_pred.shape)}; write y[:, None] for one column"
            )
        y_true, y_pred, weights = rows("R2Score", y_true, y_pred, sample_weight)
        columns = y_pred.shape[-1]
        if self._state is None:
            self._state = self._add_state("sums", (5, columns))
        elif columns != self._state.shape[1]:
            raise ValueError(f"R2Score: y_pred with {self._state.shape[1]} columns expected, got {columns}")
        self._state.assign(metric_regression(self._state, y_true, y_pred, weights))

    def result_of(self, sums):
        count, total, squares, residual, values = (sums[..., i, :] for i in range(5))
        spread = squares - total * (total / count)
        raw = 1 - residual / spread
        raw = np.where(np.isinf(raw), 0, raw)
        if self.class_aggregation == "uniform_average":
            raw = np.mean(raw, axis=-1)
        elif self.class_aggregation == "variance_weighted_average":
            raw = np.sum(spread * raw, axis=-1) / np.sum(spread, axis=-1)
        return self._adjusted(raw, np.sum(values, axis=-1)) if self.num_regressors else raw

    def _adjusted(self, score, n):
        """Of n values, as Keras counts them: rows times columns. Where there are too few, the plain score and a warning."""
        left = n - self.num_regressors - 1
        if np.any((left <= 0) & (n > 0)):
            warnings.warn(
                f"R2Score: {self.num_regressors} regressors are too many for {int(np.min(n))} values; the plain score is "
                "given", stacklevel=4,
            )  # fmt: skip
        n, left = (x[..., None] if np.ndim(score) > np.ndim(x) else x for x in (n, left))
        return np.where(left > 0, 1 - (1 - score) * (n - 1) / np.where(left > 0, left, 1), score)

    def get_config(self):
        return {
            **super().get_config(), "class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors
        }  # fmt: skip
