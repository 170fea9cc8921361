"""Loss classes, as in keras.losses. While a step is traced, the mean of a known loss becomes one fused head."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.graph.ir import Tensor
from brisknet.losses import functions as fn
from brisknet.ops.dispatch import apply, cast, dtype_of
from brisknet.ops.loss import cce_head, pointwise_head, xent_head
from brisknet.utils.naming import auto_name, to_snake_case

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "Hinge", "Huber", "LogCosh", "Loss", "LossFunctionWrapper",
    "MeanAbsoluteError", "MeanSquaredError", "SparseCategoricalCrossentropy", "SquaredHinge",
]  # fmt: skip

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss:
    """Base class. Subclasses define call(y_true, y_pred) -> one value a sample.

    reduction   "sum_over_batch_size" (default), "sum", "mean", "mean_with_sample_weight", "none" or None
    """

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}, got {reduction!r}")
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.reduction, self.dtype = reduction, dtype or config.floatx()

    def call(self, y_true, y_pred):
        raise NotImplementedError(f"loss {type(self).__name__} must define call(y_true, y_pred)")

    def __call__(self, y_true, y_pred, sample_weight=None):
        if self.reduction in ("sum_over_batch_size", "mean") and isinstance(y_pred, Tensor):
            fused = self._fused(y_true, y_pred, sample_weight)
            if fused is not None:
                return fused
        return reduce(self.call(y_true, y_pred), sample_weight, self.reduction)

    def _fused(self, y_true, y_pred, sample_weight):
        """The reduced loss as one head, where the op vocabulary has it; else None."""
        return None

    def get_config(self) -> dict:
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


def same_rank(values, weights):
    """Both with one rank where they differ by a trailing axis of 1 (Keras); fewer weight axes get axes of 1."""
    a, b = len(values.shape), len(weights.shape)
    if b == a + 1 and weights.shape[-1] == 1:
        if a == 1:
            values = ops.expand_dims(values, -1)
        else:
            weights = ops.squeeze(weights, -1)
    while len(weights.shape) < len(values.shape):
        weights = ops.expand_dims(weights, -1)
    return values, weights


def reduce(values, sample_weight, reduction):
    """Per-sample values, weighted, by one of REDUCTIONS."""
    values = values if hasattr(values, "shape") else np.asarray(values)
    total = None
    if sample_weight is not None:
        w = sample_weight if hasattr(sample_weight, "shape") else np.asarray(sample_weight)
        values, w = same_rank(values, cast(w, dtype_of(values)))
        values = ops.multiply(values, w)
        total = ops.sum(w)
    if reduction in ("none", None) or not len(values.shape):
        return values
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight" and total is not None:
        return divide_no_nan(ops.sum(values), total)
    return ops.mean(values)


def divide_no_nan(a, b):
    """a / b, 0 where b is 0."""
    zero = ops.equal(b, 0.0)
    return ops.where(zero, 0.0, ops.divide(a, ops.where(zero, 1.0, b)))


def _rows(y_true, y_pred, sample_weight):
    """(pred [M, C], target [M, C], weights [M] or None) for a pointwise head; None where shapes do not fit one."""
    y_true, y_pred = fn.align(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape) or not y_pred.shape:
        return None
    c = y_pred.shape[-1]
    rows = ops.reshape(y_pred, (-1, c)) if c else None
    if rows is None:
        return None
    weights = _row_weights(sample_weight, y_pred.shape[:-1])
    if weights is NotImplemented:
        return None
    return rows, ops.reshape(y_true, (-1, c)), weights


def _row_weights(sample_weight, lead):
    if sample_weight is None:
        return None
    w = cast(sample_weight, "float32") if not dtype_of(sample_weight).startswith("float") else sample_weight
    if len(w.shape) == len(lead) + 1 and w.shape[-1] == 1:
        w = ops.squeeze(w, -1)
    if len(w.shape) > len(lead):
        return NotImplemented
    while len(w.shape) < len(lead):
        w = ops.expand_dims(w, -1)
    return ops.reshape(ops.broadcast_to(w, tuple(lead)), (-1,))


class LossFunctionWrapper(Loss):
    """A loss from a function (y_true, y_pred, **kwargs) -> one value a sample."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, **kwargs):
        dtype = kwargs.pop("dtype", None)
        super().__init__(name=name or getattr(fn, "__name__", None), reduction=reduction, dtype=dtype)
        self.fn, self._fn_kwargs = fn, kwargs

    def call(self, y_true, y_pred):
        return self.fn(*fn.align(y_true, y_pred), **self._fn_kwargs)

    def get_config(self):
        """Name and reduction, and the function by name; ValueError for a function that is not a built-in one."""
        from brisknet import losses

        return {**super().get_config(), "fn": losses.serialize(self.fn), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config):
        from brisknet import losses

        return cls(**{**config, "fn": losses.deserialize(config["fn"])})


class _Pointwise(Loss):
    """A loss that is a mean of an element-wise formula of ops.loss.POINTWISE."""

    _kind = ""
    _parameter = 0.0

    def _fused(self, y_true, y_pred, sample_weight):
        rows = _rows(y_true, y_pred, sample_weight)
        if rows is None:
            return None
        pred, target, weights = rows
        return pointwise_head(pred, target, weights, kind=self._kind, parameter=self._parameter)[0]


class MeanSquaredError(_Pointwise):
    """mean((y_true - y_pred)^2)."""

    _kind = "mse"

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return fn.mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(_Pointwise):
    """mean(|y_true - y_pred|)."""

    _kind = "mae"

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return fn.mean_absolute_error(y_true, y_pred)


class LogCosh(_Pointwise):
    """mean(log(cosh(y_pred - y_true)))."""

    _kind = "log_cosh"

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return fn.log_cosh(y_true, y_pred)


class Huber(_Pointwise):
    """Quadratic for errors up to delta, linear beyond."""

    _kind = "huber"

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(name, reduction, dtype)
        if isinstance(delta, bool) or not isinstance(delta, (int, float)) or not delta > 0:
            raise ValueError(f"Huber: delta must be a positive number, got {delta!r}")
        self.delta = self._parameter = float(delta)

    def call(self, y_true, y_pred):
        return fn.huber(y_true, y_pred, self.delta)

    def get_config(self):
        return {**super().get_config(), "delta": self.delta}


class _HingeBase(_Pointwise):
    def _fused(self, y_true, y_pred, sample_weight):
        # A step output is trained by the perceptron rule: the loss is that of the step's -1/1, its slope goes
        # straight through to the score (Rosenblatt 1958: w += lr y x for rows on the wrong side, nothing else).
        score = fn.source_op(y_pred, "step")
        if score is not None:
            y_pred = apply("straight_step", (score,))
        return super()._fused(y_true, y_pred, sample_weight)


class Hinge(_HingeBase):
    """mean(max(1 - y_true y_pred, 0)); on a last layer with activation="step" this is the perceptron rule."""

    _kind = "hinge"

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return fn.hinge(y_true, y_pred)


class SquaredHinge(_HingeBase):
    """mean(max(1 - y_true y_pred, 0)^2)."""

    _kind = "squared_hinge"

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return fn.squared_hinge(y_true, y_pred)


def check_smoothing(value) -> float:
    """label_smoothing as a float; ValueError unless it lies in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating)) or not 0 <= value <= 1:
        raise ValueError(f"label_smoothing must be a number in [0, 1], got {value!r}")
    return float(value)


class BinaryCrossentropy(Loss):
    """-mean(t log p + (1 - t) log(1 - p)) for targets in [0, 1]."""

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="binary_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis
        self.label_smoothing = check_smoothing(label_smoothing)

    def call(self, y_true, y_pred):
        return fn.binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)

    def _fused(self, y_true, y_pred, sample_weight):
        if self.axis != -1:
            return None
        logits = y_pred if self.from_logits else fn.source_op(y_pred, "sigmoid")
        rows = _rows(y_true, y_pred if logits is None else logits, sample_weight)
        if rows is None:
            return None
        kind = "bce" if logits is None else "bce_logits"
        return pointwise_head(*rows, kind=kind, parameter=self.label_smoothing)[0]

    def get_config(self):
        return {
            **super().get_config(), "from_logits": self.from_logits, "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }  # fmt: skip


class _Categorical(Loss):
    _sparse = False
    label_smoothing = 0.0

    def _fused(self, y_true, y_pred, sample_weight):
        if self.axis != -1 or len(y_pred.shape) < 2:
            return None
        weights = _row_weights(sample_weight, y_pred.shape[:-1])
        if weights is NotImplemented:
            return None
        logits = y_pred if self.from_logits else fn.source_op(y_pred, "softmax")
        head, pred = (cce_head, y_pred) if logits is None else (xent_head, logits)
        n = pred.shape[-1]
        if self._sparse:
            target = ops.reshape(fn.labels_of(y_true, y_pred), (-1,))
        else:
            if tuple(y_true.shape) != tuple(y_pred.shape):
                return None  # the general path raises the error that explains
            target = ops.reshape(cast(y_true, pred.dtype), (-1, n))
        rows = ops.reshape(pred, (-1, n))
        return head(rows, target, weights, sparse=self._sparse, smoothing=self.label_smoothing)[0]


class CategoricalCrossentropy(_Categorical):
    """-sum(t log p) over classes, for one-hot or probability targets."""

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis
        self.label_smoothing = check_smoothing(label_smoothing)

    def call(self, y_true, y_pred):
        return fn.categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)

    def get_config(self):
        return {
            **super().get_config(), "from_logits": self.from_logits, "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }  # fmt: skip


class SparseCategoricalCrossentropy(_Categorical):
    """CategoricalCrossentropy for integer labels."""

    _sparse = True

    def __init__(
        self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
        name="sparse_categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        if ignore_class is not None:
            raise ValueError("SparseCategoricalCrossentropy: ignore_class is not supported; weigh those rows with 0")
        self.from_logits, self.axis = bool(from_logits), axis

    def call(self, y_true, y_pred):
        return fn.sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, axis=self.axis)

    def get_config(self):
        return {**super().get_config(), "from_logits": self.from_logits, "ignore_class": None, "axis": self.axis}
