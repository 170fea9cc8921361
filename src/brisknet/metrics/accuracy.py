"""Accuracies, as in keras.metrics."""

from __future__ import annotations

from brisknet import ops
from brisknet.graph.ir import Tensor
from brisknet.losses.common import align, labels_of
from brisknet.metrics.reduction import Mean, MeanMetricWrapper
from brisknet.metrics.shapes import check_count, is_number, predictions, tensor
from brisknet.ops import metric_rows
from brisknet.ops.dispatch import cast, dtype_of, float_array

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy", "accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


def _as_rows(y_true, y_pred):
    """Both as [M, C], and the shape of one value a row."""
    y_true, y_pred = align(y_true, y_pred)
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"accuracy: y_true and y_pred of one shape expected, got {tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    lead = tuple(y_pred.shape[:-1])
    if len(y_pred.shape) < 2:
        y_true, y_pred = ops.reshape(y_true, (-1, 1)), ops.reshape(y_pred, (-1, 1))
    c = y_pred.shape[-1]
    return ops.reshape(y_true, (-1, c)), ops.reshape(y_pred, (-1, c)), lead


def _binary_rows(y_true, y_pred, threshold):
    """One value a sample: the share of entries where y_true equals (y_pred > threshold)."""
    t, p, lead = _as_rows(y_true, y_pred)
    found = metric_rows.binary_match(t, p, threshold)
    return found if lead == () else ops.reshape(found, lead)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where y_true equals (y_pred > threshold), entry by entry."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.cast(ops.equal(y_true, ops.cast(ops.greater(y_pred, float(threshold)), dtype_of(y_pred))), dtype_of(y_pred))


def categorical_accuracy(y_true, y_pred):
    """1 where the largest entries of y_true and y_pred [..., classes] are at the same place."""
    t, p, lead = _as_rows(y_true, y_pred)
    return ops.reshape(metric_rows.categorical_match(t, p), lead)


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the integer label is the place of y_pred's largest entry."""
    y_pred = float_array(y_pred)
    labels = ops.reshape(labels_of(y_true, y_pred), (-1,))
    rows = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    return ops.reshape(metric_rows.sparse_match(labels, rows), tuple(y_pred.shape[:-1]))


def accuracy(y_true, y_pred):
    """1 where y_true equals y_pred, entry by entry."""
    y_true, y_pred = align(y_true, predictions(y_pred))
    return ops.cast(ops.equal(y_true, y_pred), dtype_of(y_pred))


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the class of the largest entry of y_true [..., classes] is among the k largest of y_pred; ties count."""
    return sparse_top_k_categorical_accuracy(ops.argmax(tensor(y_true), axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the integer label is among the k largest of y_pred [..., classes]; ties count.

    With from_sorted_ids, y_pred holds class ids, the best first, and the label must be among the first k of them.
    """
    k = check_count(k, "top_k_categorical_accuracy", "k")
    y_pred, y_true = predictions(y_pred), tensor(y_true)
    shape = tuple(y_true.shape)
    rows = ops.reshape(y_pred, (-1, y_pred.shape[-1]))
    flat = ops.reshape(y_true, (-1,))
    if flat.shape[0] != rows.shape[0]:
        raise ValueError(
            f"top_k_categorical_accuracy: one integer label for each row of y_pred {tuple(y_pred.shape)} expected, got "
            f"y_true of shape {shape}; for one-hot rows use top_k_categorical_accuracy"
        )
    if not from_sorted_ids:
        return ops.reshape(metric_rows.in_top_k(cast(flat, "int32"), rows, k), shape)
    best = rows[:, :k]
    same = ops.equal(ops.expand_dims(cast(flat, dtype_of(best)), -1), best)
    return ops.reshape(ops.max(ops.cast(same, dtype_of(best)), axis=-1), shape)


# ---- classes ------------------------------------------------------------------------------------------------------------
class _AccuracyBase(MeanMetricWrapper):
    _direction = "up"

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, **self._fn_kwargs}


class Accuracy(_AccuracyBase):
    """How often y_pred equals y_true."""

    def __init__(self, name="accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(_AccuracyBase):
    """How often (y_pred > threshold) equals y_true."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        if not is_number(threshold):
            raise ValueError(f"BinaryAccuracy: threshold must be a number, got {threshold!r}")
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add one batch."""
        y_pred = float_array(y_pred)
        sample_weight = tensor(sample_weight) if isinstance(sample_weight, (list, tuple)) else sample_weight
        by_row = len(getattr(sample_weight, "shape", ())) < max(len(y_pred.shape), 2)
        if by_row and isinstance(y_pred, Tensor) and y_pred._keras_mask is None:  # one kernel instead of three
            return Mean.update_state(self, _binary_rows(y_true, y_pred, self.threshold), sample_weight)
        return super().update_state(y_true, y_pred, sample_weight)


class CategoricalAccuracy(_AccuracyBase):
    """How often the largest prediction is the one-hot label's class."""

    def __init__(self, name="categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_AccuracyBase):
    """How often the largest prediction is the integer label's class."""

    def __init__(self, name="sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_AccuracyBase):
    """How often the one-hot label's class is among the k largest predictions."""

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=check_count(k, "TopKCategoricalAccuracy", "k"))
        self.k = k


class SparseTopKCategoricalAccuracy(_AccuracyBase):
    """How often the integer label is among the k largest predictions, or the first k ids where from_sorted_ids."""

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False):
        options = {"from_sorted_ids": True} if from_sorted_ids else {}
        k = check_count(k, "SparseTopKCategoricalAccuracy", "k")
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, **options)
        self.k, self.from_sorted_ids = k, bool(from_sorted_ids)
