"""Metrics: totals that a step updates natively, read by Python at the end of an epoch."""

from __future__ import annotations

import numpy as np

from brisknet import config, losses, ops
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
        self.dtype = dtype or config.floatx()
        self._variables: list[Variable] = []

    def add_variable(self, shape, initializer="zeros", dtype=None, aggregation="sum", name=None) -> Variable:
        """A state of the metric, of the metric's dtype unless told otherwise. `aggregation` is Keras' and has no effect."""
        from brisknet import initializers

        v = Variable(
            shape=tuple(shape), dtype=dtype or self.dtype, initializer=initializers.get(initializer or "zeros"),
            trainable=False, name=name or "state",
        )  # fmt: skip
        v.path = f"{self.name}/{v.name}"
        self._variables.append(v)
        return v

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None) -> Variable:
        """add_variable() with a scalar of zero as the default."""
        return self.add_variable(shape, initializer, dtype, name=name)

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
        # float64, so that long epochs lose nothing
        self.total = self.add_variable((), dtype="float64", name="total")
        self.count = self.add_variable((), dtype="float64", name="count")

    _reduce = staticmethod(ops.mean)

    def update_state(self, values, sample_weight=None):
        """Add values; each row counts as one, by its mean, weighted by sample_weight (a number, or one weight a row)."""
        values, weights, factor = self._samplewise(float_array(values), sample_weight)
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
        weights = sample_weight if hasattr(sample_weight, "shape") else np.asarray(sample_weight)
        values, weights = _one_rank(values, cast(weights, dtype_of(values)))
        rank = len(weights.shape)
        if len(values.shape) > rank:
            values = self._reduce(values, axis=tuple(range(rank, len(values.shape))))
        weights = ops.broadcast_to(weights, tuple(values.shape))
        return values, weights, 1.0 / self._places(weights.shape[1:])

    def _places(self, shape) -> int:
        """By how many values of one row a sum over them must be divided."""
        return int(np.prod(shape, dtype=np.int64)) or 1

    def result(self):
        """The mean so far, a Python float."""
        return mean_of(float(self.total.storage), float(self.count.storage), self.dtype)


def mean_of(total: float, count: float, dtype: str = "float32") -> float:
    """total / count, 0 for an empty count, rounded to the float type that Keras would give."""
    return float(np.dtype(dtype).type(total / count)) if count else 0.0


def _one_rank(values, weights):
    """Both with one rank where they differ by a trailing axis of 1, as in Keras."""
    a, b = len(values.shape), len(weights.shape)
    if b == a + 1 and weights.shape[-1] == 1:
        return (ops.expand_dims(values, -1), weights) if a == 1 else (values, ops.squeeze(weights, -1))
    if a == b + 1 and values.shape[-1] == 1:
        return (values, ops.expand_dims(weights, -1)) if b == 1 else (ops.squeeze(values, -1), weights)
    if b > a:
        raise ValueError(f"sample_weight of shape {tuple(weights.shape)} does not fit values of shape {tuple(values.shape)}")
    return values, weights


class Sum(Mean):
    """The weighted sum of all values seen."""

    _reduce = staticmethod(ops.sum)

    def __init__(self, name="sum", dtype=None):
        super().__init__(name, dtype)

    def result(self):
        """The sum so far, a Python float."""
        return float(np.dtype(self.dtype).type(self.total.storage))

    def _places(self, shape) -> int:
        return 1


class MeanMetricWrapper(Mean):
    """The mean of fn(y_true, y_pred, **kwargs), one value a sample."""

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or auto_name(to_snake_case(type(self).__name__)), dtype)
        self._fn, self._fn_kwargs = fn, kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch."""
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight)

    def get_config(self):
        """Name, dtype, the function's own arguments; the function by name where no class stands for it."""
        own = type(self) is not MeanMetricWrapper
        fn = {} if own else {"fn": losses.serialize(self._fn)}
        return {**super().get_config(), **fn, **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict):
        if "fn" in config:
            config = {**config, "fn": losses.deserialize(config["fn"])}
        return cls(**config)


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
    """1 where y_true equals y_pred, entry by entry."""
    y_true, y_pred = fn.align(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), dtype_of(y_pred))


class Accuracy(MeanMetricWrapper):
    """How often y_pred equals y_true."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """How often (y_pred > threshold) equals y_true."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)) or not np.isfinite(threshold):
            raise ValueError(f"BinaryAccuracy: threshold must be a number, got {threshold!r}")
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

    def __init__(self, loss, name=None, dtype=None):
        super().__init__(loss.call, name or loss.name, dtype)
        self._loss = loss

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch; a known loss is one fused head, weighted by the batch."""
        from brisknet.graph.ir import Tensor

        if sample_weight is None and isinstance(y_pred, Tensor):
            value = self._loss(y_true, y_pred)
            return Mean.update_state(self, value, float(y_pred.shape[0] if len(y_pred.shape) > 1 else 1))
        return super().update_state(y_true, y_pred, sample_weight)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "loss": losses.serialize(self._loss)}

    @classmethod
    def from_config(cls, config: dict):
        if "loss" in config:
            config = {**config, "loss": losses.deserialize(config["loss"])}
        return cls(**config)


# ---- names ------------------------------------------------------------------------------------------------------------
_FUNCTIONS = {
    binary_accuracy: BinaryAccuracy, categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
}  # fmt: skip


def _table() -> dict:
    """Every name of a metric class: the class's own, in lower case, in snake case, and short ones."""
    from brisknet.metrics import loss_metrics

    found = [Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, Mean, Sum, MeanMetricWrapper]
    found += loss_metrics.CLASSES
    table = {alias: c for c in found for alias in (c.__name__, c.__name__.lower(), to_snake_case(c.__name__))}
    return table | {alias: table[name] for alias, name in loss_metrics.ALIASES.items()}


def get(identifier):
    """A Metric from a name, a class, an instance, a Loss or a config dict; a function stays one (keras.metrics.get).

    Names of losses that have no metric class of their own work too.
    """
    if identifier is None or isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        table = _table()
        if identifier in table or identifier.lower() in table:
            return lookup("metric", identifier, table)()
        try:
            return LossMetric(losses.as_loss(identifier))
        except ValueError:
            lookup("metric", identifier, {**losses._TABLE, **table, "acc": None})
            raise
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, (Metric, losses.Loss)):
        return get(identifier())
    if isinstance(identifier, losses.Loss):
        return LossMetric(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"metric: a name, a callable or a Metric expected, got {identifier!r}")


def as_metric(identifier):
    """get(identifier) as a Metric, named as Keras names what compile() is given: by the string, or by the function."""
    metric = get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    name = getattr(metric, "__name__", None)
    if metric in _FUNCTIONS:
        return _FUNCTIONS[metric](name=name)
    return LossMetric(losses.as_loss(metric), name) if metric in losses._FUNCTIONS else MeanMetricWrapper(metric, name)


def resolve(identifier, y_true_shape, y_pred_shape):
    """as_metric(identifier), with Keras' resolution of "accuracy" by the shapes of target and output.

    "crossentropy" is resolved in the same way.
    """
    name = str(identifier).lower() if isinstance(identifier, str) else ""
    if name not in ("accuracy", "acc", "crossentropy", "ce"):
        return as_metric(identifier)
    a, b = len(y_true_shape), len(y_pred_shape)
    binary = y_pred_shape[-1] == 1
    sparse = a < b or (y_true_shape[-1] == 1 and y_pred_shape[-1] > 1)
    if name in ("accuracy", "acc"):
        cls = BinaryAccuracy if binary else SparseCategoricalAccuracy if sparse else CategoricalAccuracy
        return cls(name=identifier)
    kind = "binary" if binary else "sparse_categorical" if sparse else "categorical"
    return LossMetric(losses.as_loss(f"{kind}_crossentropy"), identifier)


def serialize(metric):
    """{"class_name", "config"} of a Metric, the name of a built-in function."""
    if isinstance(metric, Metric):
        return {"class_name": type(metric).__name__, "config": metric.get_config()}
    return metric.__name__ if metric in _FUNCTIONS else losses.serialize(metric)


def deserialize(config, custom_objects=None):
    """The metric of a config dict or of a name; ValueError for an unknown class."""
    if isinstance(config, str):
        return get(config)
    table = {**_table(), "LossMetric": LossMetric, **(custom_objects or {})}
    return lookup("metric", config["class_name"], table).from_config(config.get("config", {}))
