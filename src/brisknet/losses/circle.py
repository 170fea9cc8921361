"""Circle loss of embeddings. Sun et al. 2020."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.losses.common import check_number
from brisknet.losses.loss import BuiltInLoss
from brisknet.ops.dispatch import cast, dtype_of, float_array

__all__ = ["Circle", "circle"]

# In the place of -inf: its exponential is 0, and differences of it are numbers.
_LOWEST = -1e30


def _log_sum_exp(x, mask):
    """log(sum(exp(x))) along the last axis over the places of a mask; about -1e30 where there are none."""
    x = ops.where(mask, x, _LOWEST)
    # The maximum cancels out: no gradient goes through it, and it may be any number of about that size.
    top = ops.max(x, axis=-1, keepdims=True)
    return ops.add(ops.squeeze(top, -1), ops.log(ops.sum(ops.exp(ops.subtract(x, top)), axis=-1)))


def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """log(1 + sum(exp(gamma w_p (d_p - margin))) sum(exp(gamma w_n (1 - margin - d_n)))) of every embedding: d are its
    cosine distances to the references of its own class (p) and of others (n), w_p = d + margin, w_n = 1 + margin - d.

    y_true           [B] integer labels
    y_pred           [B, D] embeddings of length 1
    ref_labels, ref_embeddings   what they are compared with; None: each other
    remove_diagonal  an embedding is not compared with itself
    """
    y_pred = float_array(y_pred)
    ref = y_pred if ref_embeddings is None else float_array(ref_embeddings)
    labels = _column(y_true, y_pred)
    others = labels if ref_labels is None else _column(ref_labels, y_pred)
    distance = ops.maximum(ops.subtract(1.0, ops.matmul(y_pred, ops.transpose(ref))), 0.0)
    same = ops.equal(labels, ops.transpose(others))
    different = ops.logical_not(same)
    if remove_diagonal:
        same = ops.logical_and(same, ~np.eye(y_pred.shape[0], ref.shape[0], dtype=bool))
    weight = ops.maximum(ops.add(distance, margin), 0.0)
    near = ops.multiply(ops.multiply(weight, ops.subtract(distance, margin)), float(gamma))
    weight = ops.maximum(ops.subtract(1.0 + margin, distance), 0.0)
    far = ops.multiply(ops.multiply(weight, ops.subtract(1.0 - margin, distance)), float(gamma))
    return ops.softplus(ops.add(_log_sum_exp(near, same), _log_sum_exp(far, different)))


def _column(labels, y_pred):
    """Labels [B] or [B, 1] as floats [B, 1], which hold them exactly."""
    labels = labels if hasattr(labels, "shape") else np.asarray(labels)
    if int(np.prod(labels.shape)) != labels.shape[0]:
        raise ValueError(f"circle: one integer label a row expected, got labels of shape {tuple(labels.shape)}")
    return ops.reshape(cast(labels, dtype_of(y_pred)), (-1, 1))


class Circle(BuiltInLoss):
    """Circle loss of [B, D] embeddings of length 1 and [B] integer labels: classes draw together, apart from each other.

    Rows whose loss is 0 don't count in the mean (Keras). Sun et al. 2020.
    """

    function, arguments = staticmethod(circle), ("gamma", "margin", "remove_diagonal")
    targets = "other"

    def __init__(
        self, gamma=80.0, margin=0.4, remove_diagonal=True, reduction="sum_over_batch_size", name="circle", dtype=None
    ):
        super().__init__(name, reduction, dtype)
        self.gamma = check_number(gamma, "Circle: gamma", 0, strict=True)
        self.margin = check_number(margin, "Circle: margin")
        self.remove_diagonal = bool(remove_diagonal)

    def masked_values(self, y_true, y_pred):
        values = self.call(y_true, y_pred)
        return values, ops.greater(values, 0.0)
