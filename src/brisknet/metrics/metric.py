"""Metrics: totals that a step updates natively, read by Python at the end of an epoch."""

from __future__ import annotations

import numpy as np

from brisknet import losses, ops
from brisknet.losses import functions as fn
from brisknet.ops import metric as metric_ops
from brisknet.ops.dispatch import cast, dtype_of, float_array
from brisknet.utils.naming import auto_name, lookup, to_snake_case
from brisknet.variables import Variable

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "Mean", "MeanMetricWrapper", "Metric",
    "SparseCategoricalAccuracy", "Sum",
]  # fmt: skip


class Metric:
    """Base class. Subclasses define update_state(y_true, y_pred, sample_weight=None) and result()."""

    def __init__(self, dtype=None, name=None):
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.dtype = dtype or "float32"
        self._variables: list[Variable] = []

    def add_variable(self, shape, initializer="zeros", dtype="float64", name=None) -> Variable:
        """A state of the metric; float64, so that long epochs lose nothing."""
        from brisknet import initializers

        v = Variable(
            shape=shape, dtype=dtype, initializer=initializers.get(initializer), trainable=False, name=name or "state"
        )
        v.path = f"{self.name}/{v.name}"
        self._variables.append(v)
        return v

    add_weight = add_variable

    @property
    def variables(self) -> list[Variable]:
        return list(self._variables)

    def reset_state(self) -> None:
        """Back to the start: all states zero."""
        for v in self._variables:
            v.storage[...] = 0

    def update_state(self, *args, **kwargs):
        raise NotImplementedError(f"metric {type(self).__name__} must define update_state()")

    def result(self):
        raise NotImplementedError(f"metric {type(self).__name__} must define result()")

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


class Mean(Metric):
    """The weighted mean of all values seen (0 where none was)."""

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.total = self.add_variable((), name="total")
        self.count = self.add_variable((), name="count")

    def update_state(self, values, sample_weight=None):
        """Add values, weighted by sample_weight (a number or an array that broadcasts)."""
        values = float_array(values)
        factor = 1.0
        if isinstance(sample_weight, (int, float)):
            factor, sample_weight = float(sample_weight), None
        if sample_weight is not None:
            sample_weight = _broadcast_weight(sample_weight, values)
        total, count = metric_ops.metric_add(self.total, self.count, values, sample_weight, factor)
        self.total.assign(total)
        self.count.assign(count)

    def result(self):
        """The mean so far, a Python float."""
        return mean_of(float(self.total.storage), float(self.count.storage))


def mean_of(total: float, count: float) -> float:
    """total / count, 0 for an empty count, as the float32 that Keras would give."""
    return float(np.float32(total / count)) if count else 0.0


def _broadcast_weight(w, values):
    w = cast(w if hasattr(w, "shape") else np.asarray(w), dtype_of(values))
    if len(w.shape) == len(values.shape) + 1 and w.shape[-1] == 1:
        w = ops.squeeze(w, -1)
    while len(w.shape) < len(values.shape):
        w = ops.expand_dims(w, -1)
    return ops.broadcast_to(w, tuple(values.shape))


class Sum(Mean):
    """The weighted sum of all values seen."""

    def __init__(self, name="sum", dtype=None):
        super().__init__(name, dtype)

    def result(self):
        """The sum so far, a Python float."""
        return float(np.float32(self.total.storage))


class MeanMetricWrapper(Mean):
    """The mean of fn(y_true, y_pred, **kwargs), one value a sample."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", "metric"), dtype)
        self._fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch."""
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self):
        return {**super().get_config(), **self._fn_kwargs}


# ---- accuracies -------------------------------------------------------------------------------------------------------
def _as_rows(y_true, y_pred):
    y_true, y_pred = fn.align(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"accuracy: y_true and y_pred of one shape expected, got {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    if len(y_pred.shape) < 2:
        y_true, y_pred = ops.reshape(y_true, (-1, 1)), ops.reshape(y_pred, (-1, 1))
    c, lead = y_pred.shape[-1], tuple(y_pred.shape[:-1])
    return ops.reshape(y_true, (-1, c)), ops.reshape(y_pred, (-1, c)), lead


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """One value a sample: the share of entries where y_true equals (y_pred > threshold)."""
    t, p, lead = _as_rows(y_true, y_pred)
    return ops.reshape(metric_ops.binary_match(t, p, threshold), lead)


def categorical_accuracy(y_true, y_pred):
    """1 where the largest entries of y_true and y_pred [..., classes] are at the same place."""
    t, p, lead = _as_rows(y_true, y_pred)
    return ops.reshape(metric_ops.categorical_match(t, p), lead)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the integer label is the place of y_pred's largest entry."""
    y_pred = float_array(y_pred)
    labels = ops.reshape(fn.labels_of(y_true, y_pred), (-1,))
    rows = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    return ops.reshape(metric_ops.sparse_match(labels, rows), tuple(y_pred.shape[:-1]))


def accuracy(y_true, y_pred):
    """One value a sample: the share of entries where y_true equals y_pred."""
    y_true, y_pred = fn.align(y_true, y_pred)
    return ops.mean(ops.cast(ops.equal(y_true, y_pred), dtype_of(y_pred)), axis=-1)


class Accuracy(MeanMetricWrapper):
    """How often y_pred equals y_true."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often (y_pred > threshold) equals y_true."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if not 0 < threshold < 1:
            raise ValueError(f"BinaryAccuracy: threshold must lie between 0 and 1, got {threshold!r}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the one-hot label's class."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """How often the largest prediction is the integer label's class."""

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class LossMetric(MeanMetricWrapper):
    """A loss as a metric: its mean over all samples."""

    def __init__(self, loss, name=None):
        super().__init__(loss.call, name or loss.name)
        self._loss = loss

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch; a known loss is one fused head, weighted by the batch."""
        from brisknet.graph.ir import Tensor

        if sample_weight is None and isinstance(y_pred, Tensor):
            value = self._loss(y_true, y_pred)
            rows = int(np.prod(y_pred.shape[:-1], dtype=np.int64))
            return Mean.update_state(self, value, float(rows))
        return super().update_state(y_true, y_pred, sample_weight)


# ---- names ------------------------------------------------------------------------------------------------------------
_ACCURACIES = {c.__name__: c for c in (Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, Mean, Sum)}
_TABLE = {alias: c for n, c in _ACCURACIES.items() for alias in (n, n.lower(), to_snake_case(n))}
_FUNCTIONS = {
    binary_accuracy: BinaryAccuracy, categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
}  # fmt: skip


def get(identifier):
    """A Metric from a name, a class, an instance or a function; every loss is a metric too."""
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        if identifier in _TABLE or identifier.lower() in _TABLE:
            return lookup("metric", identifier, _TABLE)()
        try:
            loss = losses.get(identifier)
        except ValueError:
            lookup("metric", identifier, {**_TABLE, **losses._TABLE, "accuracy": None, "acc": None})
            raise
        return LossMetric(loss, identifier)
    if isinstance(identifier, type):
        return get(identifier())
    if isinstance(identifier, losses.Loss):
        return LossMetric(identifier)
    if identifier in _FUNCTIONS:
        return _FUNCTIONS[identifier]()
    if identifier in losses._FUNCTIONS:
        return LossMetric(losses.get(identifier))
    if callable(identifier):
        return MeanMetricWrapper(identifier)
    raise ValueError(f"metric: a name, a callable or a Metric expected, got {identifier!r}")


def resolve(identifier, y_true_shape, y_pred_shape):
    """get(identifier), with Keras' resolution of "accuracy" and "crossentropy" by the shapes of target and output."""
    name = str(identifier).lower() if isinstance(identifier, str) else ""
    if name not in ("accuracy", "acc", "crossentropy", "ce"):
        return get(identifier)
    binary = y_pred_shape[-1] == 1
    sparse = len(y_true_shape) < len(y_pred_shape) or (y_true_shape[-1] == 1 and y_pred_shape[-1] > 1)
    if name in ("accuracy", "acc"):
        cls = BinaryAccuracy if binary else SparseCategoricalAccuracy if sparse else CategoricalAccuracy
        return cls(name=identifier)
    kind = "binary" if binary else "sparse_categorical" if sparse else "categorical"
    return LossMetric(losses.get(f"{kind}_crossentropy"), identifier)


