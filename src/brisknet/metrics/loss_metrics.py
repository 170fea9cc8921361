"""The metric classes that are the mean of a loss, as in keras.metrics."""

from __future__ import annotations

from brisknet import losses
from brisknet.metrics.metric import LossMetric

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Hinge", "LogCoshError", "MeanAbsoluteError", "MeanSquaredError",
    "SparseCategoricalCrossentropy", "SquaredHinge",
]  # fmt: skip


class _OfLoss(LossMetric):
    """A metric that is made from its own arguments, which are also its config."""

    def __init__(self, loss, name, dtype, **arguments):
        super().__init__(loss, name, dtype)
        self._arguments = arguments

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, **self._arguments}


class MeanSquaredError(_OfLoss):
    """mean((y_true - y_pred)^2)."""

    def __init__(self, name="mean_squared_error", dtype=None):
        super().__init__(losses.MeanSquaredError(), name, dtype)


class MeanAbsoluteError(_OfLoss):
    """mean(|y_true - y_pred|)."""

    def __init__(self, name="mean_absolute_error", dtype=None):
        super().__init__(losses.MeanAbsoluteError(), name, dtype)


class LogCoshError(_OfLoss):
    """mean(log(cosh(y_pred - y_true)))."""

    def __init__(self, name="logcosh", dtype=None):
        super().__init__(losses.LogCosh(), name, dtype)


class Hinge(_OfLoss):
    """mean(max(1 - y_true y_pred, 0))."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.Hinge(), name, dtype)


class SquaredHinge(_OfLoss):
    """mean(max(1 - y_true y_pred, 0)^2)."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.SquaredHinge(), name, dtype)


class BinaryCrossentropy(_OfLoss):
    """-mean(t log p + (1 - t) log(1 - p))."""

    def __init__(self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0):
        loss = losses.BinaryCrossentropy(from_logits, label_smoothing)
        super().__init__(loss, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing)


class CategoricalCrossentropy(_OfLoss):
    """-sum(t log p) over classes, for one-hot targets."""

    def __init__(self, name="categorical_crossentropy", dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        loss = losses.CategoricalCrossentropy(from_logits, label_smoothing, axis)
        super().__init__(loss, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis)


class SparseCategoricalCrossentropy(_OfLoss):
    """CategoricalCrossentropy for integer labels."""

    def __init__(
        self, name="sparse_categorical_crossentropy", dtype=None, from_logits=False, ignore_class=None, axis=-1
    ):
        loss = losses.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis)
        super().__init__(loss, name, dtype, from_logits=from_logits, ignore_class=ignore_class, axis=axis)


CLASSES = [
    MeanSquaredError, MeanAbsoluteError, LogCoshError, Hinge, SquaredHinge, BinaryCrossentropy, CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
]  # fmt: skip
ALIASES = {
    "mse": "MeanSquaredError", "MSE": "MeanSquaredError", "mae": "MeanAbsoluteError", "MAE": "MeanAbsoluteError",
    "bce": "BinaryCrossentropy", "BCE": "BinaryCrossentropy", "logcosh": "LogCoshError", "log_cosh": "LogCoshError",
}  # fmt: skip
