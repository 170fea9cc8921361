"""Losses of overlapping regions: Dice and Tversky."""

from __future__ import annotations

from brisknet import config, ops
from brisknet.losses.common import as_floats, check_number
from brisknet.losses.loss import BuiltInLoss

__all__ = ["Dice", "Tversky", "dice", "tversky"]


# ---- functions -----------------------------------------------------------------------------------------------------
def _overlap(y_true, y_pred, axis):
    """(y_true, y_pred as floats of one shape, sum of their product over axis)."""
    y_true, y_pred = as_floats(y_true, y_pred)
    return y_true, y_pred, ops.sum(ops.multiply(y_true, y_pred), axis=axis)


def dice(y_true, y_pred, axis=None):
    """1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon), sums over axis (None: everything, the batch too)."""
    y_true, y_pred, both = _overlap(y_true, y_pred, axis)
    size = ops.add(ops.add(ops.sum(y_true, axis=axis), ops.sum(y_pred, axis=axis)), config.epsilon())
    return ops.subtract(1.0, ops.divide(ops.multiply(both, 2.0), size))


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - sum(t p) / (sum(t p) + alpha sum(t (1 - p)) + beta sum((1 - t) p) + epsilon). Salehi et al. 2017."""
    y_true, y_pred, both = _overlap(y_true, y_pred, axis)
    missed = ops.sum(ops.multiply(ops.subtract(1.0, y_pred), y_true), axis=axis)
    added = ops.sum(ops.multiply(y_pred, ops.subtract(1.0, y_true)), axis=axis)
    size = ops.add(ops.add(both, ops.multiply(missed, float(alpha))), ops.multiply(added, float(beta)))
    return ops.subtract(1.0, ops.divide(both, ops.add(size, config.epsilon())))


# ---- classes -------------------------------------------------------------------------------------------------------
class Dice(BuiltInLoss):
    """1 - 2 sum(t p) / (sum(t) + sum(p)), over the axes of `axis` (None: everything, the batch too)."""

    function, arguments = staticmethod(dice), ("axis",)

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(name, reduction, dtype)
        self.axis = axis


class Tversky(BuiltInLoss):
    """Dice with weights of its own for what is missed (alpha) and what is added (beta). Salehi et al. 2017."""

    function, arguments = staticmethod(tversky), ("alpha", "beta", "axis")

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(name, reduction, dtype)
        self.alpha = check_number(alpha, "Tversky: alpha", 0)
        self.beta = check_number(beta, "Tversky: beta", 0)
        self.axis = axis
