"""Losses of distributions: KL divergence, Poisson, generalised cross-entropy."""

from __future__ import annotations

from brisknet import config, ops
from brisknet.losses.common import align, as_floats, check_number, labels_of
from brisknet.losses.fused import PointwiseLoss
from brisknet.losses.loss import BuiltInLoss
from brisknet.ops.dispatch import dtype_of, float_array

__all__ = [
    "CategoricalGeneralizedCrossEntropy", "KLDivergence", "Poisson", "categorical_generalized_cross_entropy",
    "kl_divergence", "poisson",
]  # fmt: skip


# ---- functions -----------------------------------------------------------------------------------------------------
def kl_divergence(y_true, y_pred):
    """sum(t log(t / p)) over the last axis, both clipped to [epsilon, 1]."""
    y_true, y_pred = (ops.clip(y, config.epsilon(), 1.0) for y in as_floats(y_true, y_pred))
    return ops.sum(ops.multiply(y_true, ops.log(ops.divide(y_true, y_pred))), axis=-1)


def poisson(y_true, y_pred):
    """mean(p - t log(p + epsilon)): -log of the Poisson probability of t at rate p, but for a term without p."""
    y_true, y_pred = align(y_true, y_pred)
    logs = ops.log(ops.add(y_pred, config.epsilon()))
    return ops.mean(ops.subtract(y_pred, ops.multiply(y_true, logs)), axis=-1)


def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p^q) / q, p the probability given to the integer label; q in (0, 1). Zhang & Sabuncu 2018."""
    y_pred = float_array(y_pred)
    onehot = ops.one_hot(labels_of(y_true, y_pred), y_pred.shape[-1], dtype=dtype_of(y_pred))
    p = ops.sum(ops.multiply(y_pred, onehot), axis=-1)
    return ops.divide(ops.subtract(1.0, ops.power(p, float(q))), float(q))


# ---- classes -------------------------------------------------------------------------------------------------------
class KLDivergence(PointwiseLoss):
    """sum(t log(t / p)) over the last axis, both clipped to [epsilon, 1]."""

    function, kind = staticmethod(kl_divergence), "kl"

    def __init__(self, reduction="sum_over_batch_size", name="kl_divergence", dtype=None):
        super().__init__(name, reduction, dtype)


class Poisson(PointwiseLoss):
    """mean(p - t log(p + epsilon)), for counts t and their rates p."""

    function, kind = staticmethod(poisson), "poisson"

    def __init__(self, reduction="sum_over_batch_size", name="poisson", dtype=None):
        super().__init__(name, reduction, dtype)


class CategoricalGeneralizedCrossEntropy(BuiltInLoss):
    """(1 - p^q) / q for integer labels: near cross-entropy for q near 0, near the absolute error, which wrong labels
    disturb less, for q near 1. Zhang & Sabuncu 2018."""

    function, arguments = staticmethod(categorical_generalized_cross_entropy), ("q",)
    targets = "classes"

    def __init__(
        self, q=0.5, reduction="sum_over_batch_size", name="categorical_generalized_cross_entropy", dtype=None
    ):
        super().__init__(name, reduction, dtype)
        self.q = check_number(q, "CategoricalGeneralizedCrossEntropy: q", 0, 1, strict=True)
