"""Focal cross-entropies: easy examples count less. Lin et al. 2018."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.losses.common import align, as_floats, check_number, check_smoothing
from brisknet.losses.crossentropy import (
    bce_of_probabilities, binary_smoothed, class_smoothed, clipped, one_shape,
)  # fmt: skip
from brisknet.losses.loss import BuiltInLoss

__all__ = [
    "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
]  # fmt: skip


# ---- functions -----------------------------------------------------------------------------------------------------
def _power(x, gamma):
    """x^gamma; the usual exponents without a general power."""
    if gamma == 0:
        return None
    if gamma == 1:
        return x
    return ops.square(x) if gamma == 2 else ops.power(x, float(gamma))


def _times(x, factor):
    return x if factor is None else ops.multiply(factor, x)


def binary_focal_crossentropy(
    y_true, y_pred, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """mean((1 - p_t)^gamma bce), p_t the probability given to the true class; times alpha for class 1 and 1 - alpha for
    class 0 with apply_class_balancing."""
    y_true, y_pred = align(y_true, y_pred)
    y_true = binary_smoothed(y_true, label_smoothing)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    others = ops.subtract(1.0, y_true)
    p_t = ops.add(ops.multiply(y_true, p), ops.multiply(others, ops.subtract(1.0, p)))
    value = _times(bce_of_probabilities(y_true, p), _power(ops.subtract(1.0, p_t), gamma))
    if apply_class_balancing:
        value = ops.multiply(ops.add(ops.multiply(y_true, float(alpha)), ops.multiply(others, 1.0 - alpha)), value)
    return ops.mean(value, axis=axis)


def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """-sum(alpha (1 - p)^gamma t log p) over classes; alpha is one number or one a class."""
    y_true, y_pred = as_floats(y_true, y_pred)
    one_shape(y_true, y_pred, "categorical_focal_crossentropy")
    y_true = class_smoothed(y_true, label_smoothing)
    p = ops.softmax(y_pred, axis) if from_logits else y_pred
    p = clipped(ops.divide(p, ops.sum(p, axis=axis, keepdims=True)))
    cce = ops.negative(ops.multiply(y_true, ops.log(p)))
    alpha = float(alpha) if np.ndim(alpha) == 0 else np.asarray(alpha, y_true.dtype)
    return ops.sum(ops.multiply(_times(cce, _power(ops.subtract(1.0, p), gamma)), alpha), axis=axis)


# ---- classes -------------------------------------------------------------------------------------------------------
class BinaryFocalCrossentropy(BuiltInLoss):
    """BinaryCrossentropy times (1 - p_t)^gamma; with apply_class_balancing also alpha for class 1, 1 - alpha for class 0."""

    function = staticmethod(binary_focal_crossentropy)
    arguments = ("from_logits", "label_smoothing", "axis", "apply_class_balancing", "alpha", "gamma")

    def __init__(
        self, apply_class_balancing=False, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
        reduction="sum_over_batch_size", name="binary_focal_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing, self.from_logits, self.axis = bool(apply_class_balancing), bool(from_logits), axis
        self.alpha = check_number(alpha, "BinaryFocalCrossentropy: alpha", 0, 1)
        self.gamma = check_number(gamma, "BinaryFocalCrossentropy: gamma", 0)
        self.label_smoothing = check_smoothing(label_smoothing)


class CategoricalFocalCrossentropy(BuiltInLoss):
    """CategoricalCrossentropy times alpha (1 - p)^gamma; alpha is one number or one a class."""

    function = staticmethod(categorical_focal_crossentropy)
    arguments = ("from_logits", "label_smoothing", "axis", "alpha", "gamma")
    targets = "onehot"

    def __init__(
        self, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1,
        reduction="sum_over_batch_size", name="categorical_focal_crossentropy", dtype=None,
    ):  # fmt: skip
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis
        name = "CategoricalFocalCrossentropy: alpha"
        self.alpha = check_number(alpha, name) if np.ndim(alpha) == 0 else [check_number(a, name) for a in alpha]
        self.gamma = check_number(gamma, "CategoricalFocalCrossentropy: gamma", 0)
        self.label_smoothing = check_smoothing(label_smoothing)
