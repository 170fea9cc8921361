"""Cross-entropies, functions and classes. On the output of a traced sigmoid or softmax they work on its logits."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.losses.common import align, as_floats, check_labels, check_smoothing, labels_of, source_op
from brisknet.losses.fused import head_rows, heads_epsilon, row_weights
from brisknet.losses.loss import BuiltInLoss
from brisknet.ops.activation import log_softmax
from brisknet.ops.dispatch import cast, dtype_of, float_array
from brisknet.ops.loss import cce_head, pointwise_head, xent_head

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy", "binary_crossentropy",
    "categorical_crossentropy", "sparse_categorical_crossentropy",
]  # fmt: skip


# ---- functions -----------------------------------------------------------------------------------------------------
def clipped(p):
    """Probabilities in [epsilon, 1 - epsilon]."""
    return ops.clip(p, config.epsilon(), 1.0 - config.epsilon())


def binary_smoothed(y_true, label_smoothing):
    """Labels moved towards 0.5: 1 becomes 1 - label_smoothing / 2."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)


def class_smoothed(y_true, label_smoothing):
    """One-hot labels moved towards 1 / number of classes (the last axis, as in Keras)."""
    if not label_smoothing:
        return y_true
    return ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / y_true.shape[-1])


def one_shape(y_true, y_pred, name: str) -> None:
    """ValueError unless targets of a categorical loss have the shape of the predictions."""
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"{name}: y_true and y_pred of one shape expected, got {tuple(y_true.shape)} and {tuple(y_pred.shape)}; for "
            "integer labels use sparse_categorical_crossentropy"
        )


def bce_of_probabilities(y_true, p):
    """-(t log p + (1 - t) log(1 - p)) element by element, p clipped."""
    p = clipped(p)
    return ops.negative(ops.add(
        ops.multiply(y_true, ops.log(p)), ops.multiply(ops.subtract(1.0, y_true), ops.log(ops.subtract(1.0, p)))
    ))  # fmt: skip


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-mean(t log p + (1 - t) log(1 - p)), safe: on the logits where y_pred is a traced sigmoid's output."""
    y_true, y_pred = align(y_true, y_pred)
    y_true = binary_smoothed(y_true, label_smoothing)
    logits = y_pred if from_logits else source_op(y_pred, "sigmoid")
    if logits is None:
        return ops.mean(bce_of_probabilities(y_true, y_pred), axis=axis)
    tail = ops.softplus(ops.negative(ops.abs(logits)))
    value = ops.add(ops.subtract(ops.relu(logits), ops.multiply(logits, y_true)), tail)
    return ops.mean(value, axis=axis)


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-sum(t log p) over classes; probabilities are normalised and clipped to [epsilon, 1 - epsilon]."""
    y_true, y_pred = as_floats(y_true, y_pred)
    one_shape(y_true, y_pred, "categorical_crossentropy")
    y_true = class_smoothed(y_true, label_smoothing)
    logits = y_pred if from_logits else source_op(y_pred, "softmax")
    if logits is not None:
        return ops.negative(ops.sum(ops.multiply(y_true, log_softmax(logits, axis)), axis=axis))
    p = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    return ops.negative(ops.sum(ops.multiply(y_true, ops.log(clipped(p))), axis=axis))


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """categorical_crossentropy for integer labels along axis; 0 where the label is ignore_class."""
    return masked_sparse(y_true, y_pred, from_logits, ignore_class, axis)[0]


def masked_sparse(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """(sparse_categorical_crossentropy, where the label is not ignore_class; None without one)."""
    y_pred = float_array(y_pred)
    labels = labels_of(y_true, y_pred, axis)
    if isinstance(labels, np.ndarray):
        check_labels(labels, y_pred.shape[axis], ignore_class)
    y_pred, from_logits = _classes_last(y_pred, from_logits, axis)
    keep = None
    if ignore_class is not None:
        # Labels are compared as floats, which hold them exactly and which kernels compare.
        keep = ops.not_equal(cast(labels, dtype_of(y_pred)), float(ignore_class))
        y_pred = ops.where(ops.expand_dims(keep, -1), y_pred, 0.0)
        if not from_logits:  # 0 / 0 is not a probability
            y_pred = ops.where(ops.expand_dims(keep, -1), y_pred, 1.0)
    onehot = ops.one_hot(labels, y_pred.shape[-1], dtype=dtype_of(y_pred))
    values = categorical_crossentropy(onehot, y_pred, from_logits)
    return (values if keep is None else ops.where(keep, values, 0.0)), keep


def _classes_last(y_pred, from_logits, axis):
    """(predictions with the classes on the last axis, whether they are logits), by way of a traced softmax's logits."""
    logits = None if from_logits else source_op(y_pred, "softmax")
    if logits is not None:
        y_pred, from_logits = logits, True
    order = [i for i in range(len(y_pred.shape)) if i != axis % len(y_pred.shape)] + [axis % len(y_pred.shape)]
    return ops.transpose(y_pred, order), from_logits


# ---- classes -------------------------------------------------------------------------------------------------------
class BinaryCrossentropy(BuiltInLoss):
    """-mean(t log p + (1 - t) log(1 - p)) for targets in [0, 1]."""

    function, arguments = staticmethod(binary_crossentropy), ("from_logits", "label_smoothing", "axis")

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="binary_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis
        self.label_smoothing = check_smoothing(label_smoothing)

    def _fused(self, y_true, y_pred, sample_weight):
        if self.axis != -1 or not heads_epsilon():
            return None
        logits = y_pred if self.from_logits else source_op(y_pred, "sigmoid")
        rows = head_rows(y_true, y_pred if logits is None else logits, sample_weight)
        if rows is None:
            return None
        kind = "bce" if logits is None else "bce_logits"
        return pointwise_head(*rows, kind=kind, parameter=self.label_smoothing)[0]


class _Categorical(BuiltInLoss):
    label_smoothing = 0.0
    ignore_class = None

    def _fused(self, y_true, y_pred, sample_weight):
        if self.axis not in (-1, len(y_pred.shape) - 1) or len(y_pred.shape) < 2 or self.ignore_class is not None:
            return None
        if not heads_epsilon():
            return None
        weights = row_weights(sample_weight, y_pred.shape[:-1])
        if weights is NotImplemented:
            return None
        logits = y_pred if self.from_logits else source_op(y_pred, "softmax")
        head, pred = (cce_head, y_pred) if logits is None else (xent_head, logits)
        n, sparse = pred.shape[-1], self.targets == "classes"
        if sparse:
            target = ops.reshape(labels_of(y_true, y_pred), (-1,))
        else:
            if tuple(y_true.shape) != tuple(y_pred.shape):
                return None  # the general path raises the error that explains
            target = ops.reshape(cast(y_true, pred.dtype), (-1, n))
        rows = ops.reshape(pred, (-1, n))
        return head(rows, target, weights, sparse=sparse, smoothing=self.label_smoothing)[0]


class CategoricalCrossentropy(_Categorical):
    """-sum(t log p) over classes, for one-hot or probability targets."""

    function, arguments = staticmethod(categorical_crossentropy), ("from_logits", "label_smoothing", "axis")
    targets = "onehot"

    def __init__(
        self, from_logits=False, label_smoothing=0.0, axis=-1, reduction="sum_over_batch_size",
        name="categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis
        self.label_smoothing = check_smoothing(label_smoothing)


class SparseCategoricalCrossentropy(_Categorical):
    """CategoricalCrossentropy for integer labels. Rows whose label is ignore_class count as if they were not there."""

    function, arguments = staticmethod(sparse_categorical_crossentropy), ("from_logits", "ignore_class", "axis")
    targets = "classes"

    def __init__(
        self, from_logits=False, ignore_class=None, reduction="sum_over_batch_size", axis=-1,
        name="sparse_categorical_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        whole = isinstance(ignore_class, (int, np.integer)) and not isinstance(ignore_class, bool)
        if ignore_class is not None and not whole:
            raise ValueError(f"ignore_class must be a whole number or None, got {ignore_class!r}")
        self.from_logits, self.axis = bool(from_logits), axis
        self.ignore_class = None if ignore_class is None else int(ignore_class)

    def masked_values(self, y_true, y_pred):
        return masked_sparse(y_true, y_pred, self.from_logits, self.ignore_class, self.axis)
