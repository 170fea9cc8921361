"""Hinge losses, functions and classes."""

from __future__ import annotations

from brisknet import ops
from brisknet.graph.ir import Tensor
from brisknet.losses.common import align, as_floats, source_op
from brisknet.losses.fused import PointwiseLoss
from brisknet.losses.loss import BuiltInLoss
from brisknet.ops.dispatch import apply
from brisknet.ops.loss import signed_labels

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge", "categorical_hinge", "hinge", "squared_hinge"]


# ---- functions -----------------------------------------------------------------------------------------------------
def signed(y_true):
    """0/1 labels as -1/1 where all labels are 0 or 1; other labels as they are."""
    if isinstance(y_true, Tensor):
        binary = ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0))
        all_binary = ops.equal(ops.min(ops.cast(binary, y_true.dtype)), 1.0)
        return ops.where(all_binary, ops.subtract(ops.multiply(y_true, 2.0), 1.0), y_true)
    return signed_labels(y_true).astype(y_true.dtype)


def _margin(y_true, y_pred):
    y_true, y_pred = align(y_true, y_pred)
    return ops.maximum(ops.subtract(1.0, ops.multiply(signed(y_true), y_pred)), 0.0)


def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)), y_true in {-1, 1} (0/1 labels are converted)."""
    return ops.mean(_margin(y_true, y_pred), axis=-1)


def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)^2), y_true in {-1, 1} (0/1 labels are converted)."""
    return ops.mean(ops.square(_margin(y_true, y_pred)), axis=-1)


def categorical_hinge(y_true, y_pred):
    """max(neg - pos + 1, 0), pos = sum(y_true y_pred), neg = max((1 - y_true) y_pred), for one-hot y_true."""
    y_true, y_pred = as_floats(y_true, y_pred)
    pos = ops.sum(ops.multiply(y_true, y_pred), axis=-1)
    neg = ops.max(ops.multiply(ops.subtract(1.0, y_true), y_pred), axis=-1)
    return ops.maximum(ops.add(ops.subtract(neg, pos), 1.0), 0.0)


# ---- classes -------------------------------------------------------------------------------------------------------
class _HingeBase(PointwiseLoss):
    def _fused(self, y_true, y_pred, sample_weight):
        # A step output is trained by the perceptron rule: the loss is that of the step's -1/1, its slope goes
        # straight through to the score (Rosenblatt 1958: w += lr y x for rows on the wrong side, nothing else).
        score = source_op(y_pred, "step")
        if score is not None:
            y_pred = apply("straight_step", (score,))
        return super()._fused(y_true, y_pred, sample_weight)


class Hinge(_HingeBase):
    """mean(max(1 - y_true y_pred, 0)); on a last layer with activation="step" this is the perceptron rule."""

    function, kind = staticmethod(hinge), "hinge"

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(name, reduction, dtype)


class SquaredHinge(_HingeBase):
    """mean(max(1 - y_true y_pred, 0)^2)."""

    function, kind = staticmethod(squared_hinge), "squared_hinge"

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(name, reduction, dtype)


class CategoricalHinge(BuiltInLoss):
    """max(neg - pos + 1, 0) for one-hot targets: by how much another class comes near the right one."""

    function = staticmethod(categorical_hinge)

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(name, reduction, dtype)
