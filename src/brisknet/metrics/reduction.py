"""Mean, Sum and MeanMetricWrapper, as in keras.metrics; the metric that a loss makes."""

from __future__ import annotations

import numpy as np

from brisknet import losses, ops
from brisknet.graph.ir import Tensor
from brisknet.metrics.metric import StreamingMetric, divide_no_nan
from brisknet.metrics.shapes import one_rank, tensor
from brisknet.ops import metric as metric_ops
from brisknet.ops.dispatch import cast, dtype_of, float_array, is_float
from brisknet.utils.naming import auto_name, to_snake_case

__all__ = ["LossMetric", "Mean", "MeanMetricWrapper", "Sum"]


class Mean(StreamingMetric):
    """The weighted mean of all values seen (0 where none was)."""

    _reduce = staticmethod(ops.mean)

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total, self.count = self._add_state("total"), self._add_state("count")

    def update_state(self, values, sample_weight=None):
        """Add values; each row counts as one, by its mean, weighted by sample_weight (a number, or one weight a row)."""
        values = float_array(values)
        values = values if is_float(dtype_of(values)) else cast(values, self.dtype)
        values, weights, factor = self._samplewise(values, sample_weight)
        total, count = metric_ops.metric_add(self.total, self.count, values, weights, factor)
        self.total.assign(total)
        self.count.assign(count)

    def _samplewise(self, values, sample_weight):
        """(values, weights of one shape or None, factor): factor * sum(weights * values) is what Keras would add."""
        if isinstance(sample_weight, (bool, int, float)):
            values = self._reduce(values) if values.shape else values
            return values, None, float(sample_weight)
        if sample_weight is None:
            return values, None, 1.0 / self._places(values.shape[1:])
        weights = cast(tensor(sample_weight), dtype_of(values))
        values, weights = one_rank(values, masked(weights, getattr(values, "_keras_mask", None), dtype_of(values)))
        if len(weights.shape) > len(values.shape):
            raise ValueError(
                f"sample_weight of shape {tuple(weights.shape)} does not fit values of shape {tuple(values.shape)}"
            )
        rank = len(weights.shape)
        if len(values.shape) > rank:
            values = self._reduce(values, axis=tuple(range(rank, len(values.shape))))
        weights = ops.broadcast_to(weights, tuple(values.shape))
        return values, weights, 1.0 / self._places(weights.shape[1:])

    def _places(self, shape) -> int:
        """By how many values of one row a sum over them must be divided."""
        return int(np.prod(shape, dtype=np.int64)) or 1

    def _quick_result(self):
        # callbacks look at it after every batch
        if type(self).result_of is not Mean.result_of:
            return None
        total, count = self.total.array().item(), self.count.array().item()
        mean = total / count if count else 0.0
        if self.dtype == "float64":
            return mean
        return float(np.float32(mean)) if abs(mean) < 3e38 or mean != mean else None

    def result_of(self, total, count):
        return divide_no_nan(total, count)


class Sum(Mean):
    """The weighted sum of all values seen."""

    _reduce = staticmethod(ops.sum)

    def __init__(self, name="sum", dtype=None):
        super().__init__(name, dtype)

    def _places(self, shape) -> int:
        return 1

    def result_of(self, total, count):
        return total


def masked(weights, mask, dtype):
    """Weights (a number, one a row or more, or None) that are 0 where a mask is false."""
    if mask is None:
        return weights
    mask = cast(mask, dtype if is_float(dtype) else "float32")
    if weights is None or not hasattr(weights, "shape") and np.ndim(weights) == 0:
        return mask if weights is None else ops.multiply(mask, float(weights))
    mask, weights = one_rank(mask, cast(tensor(weights), dtype_of(mask)))
    while len(weights.shape) < len(mask.shape):
        weights = ops.expand_dims(weights, -1)
    return ops.multiply(weights, mask)


class MeanMetricWrapper(Mean):
    """The mean of fn(y_true, y_pred, **kwargs), one value a sample.

    Places that the mask of y_pred leaves out are left out.
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        if not callable(fn):
            raise ValueError(
                f"MeanMetricWrapper: fn must be a function (y_true, y_pred) -> one value a sample, got {fn!r}"
            )
        super().__init__(name or auto_name(to_snake_case(type(self).__name__)), dtype)
        self._fn, self._fn_kwargs = fn, kwargs
        if fn in losses._FUNCTIONS:
            self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch."""
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        super().update_state(values, masked(sample_weight, getattr(y_pred, "_keras_mask", None), dtype_of(y_pred)))

    def get_config(self):
        """Name, dtype, the function's own arguments; the function by name where no class stands for it."""
        own = type(self) is not MeanMetricWrapper
        fn = {} if own else {"fn": _serialized(self._fn)}
        return {**super().get_config(), **fn, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict):
        if "fn" in config:
            from brisknet.metrics.names import function_named

            config = {**config, "fn": function_named(config["fn"])}
        return cls(**config)


def _serialized(fn):
    from brisknet.metrics.names import serialize

    return serialize(fn)


class LossMetric(MeanMetricWrapper):
    """A loss as a metric: its mean over all samples."""

    _direction = "down"

    def __init__(self, loss, name=None, dtype=None):
        super().__init__(loss.call, name or loss.name, dtype)
        self._loss = loss

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch; a known loss is one fused head, weighted by the batch."""
        mask = getattr(y_pred, "_keras_mask", None)
        if sample_weight is None and mask is None and isinstance(y_pred, Tensor) and self._is_plain():
            rows = float(y_pred.shape[0] if len(y_pred.shape) > 1 else 1)
            return Mean.update_state(self, self._loss(y_true, y_pred), rows)
        values, kept = self._loss.masked_values(y_true, y_pred)
        weights = masked(sample_weight, mask, dtype_of(values))
        if weights is not None:  # as in Keras, what a loss ignores counts as 0 where there are no weights
            weights = masked(weights, kept, dtype_of(values))
        Mean.update_state(self, values, weights)

    def _is_plain(self) -> bool:
        """Whether the loss is the mean of all its values."""
        return self._loss.reduction in ("sum_over_batch_size", "mean") and getattr(self._loss, "ignore_class", None) is None

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "loss": losses.serialize(self._loss)}

    @classmethod
    def from_config(cls, config: dict):
        if "loss" in config:
            config = {**config, "loss": losses.deserialize(config["loss"])}
        return cls(**config)


class OfLoss(LossMetric):
    """A metric that is made from its own arguments, which are also its config."""

    def __init__(self, loss, name, dtype, **arguments):
        super().__init__(loss, name, dtype)
        self._arguments = arguments

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, **self._arguments}
