"""Hinge metrics, as in keras.metrics."""

from __future__ import annotations

from brisknet import losses
from brisknet.metrics.reduction import OfLoss

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge"]


class Hinge(OfLoss):
    """mean(max(1 - y_true y_pred, 0))."""

    def __init__(self, name="hinge", dtype=None):
        super().__init__(losses.Hinge(), name, dtype)


class SquaredHinge(OfLoss):
    """mean(max(1 - y_true y_pred, 0)^2)."""

    def __init__(self, name="squared_hinge", dtype=None):
        super().__init__(losses.SquaredHinge(), name, dtype)


class CategoricalHinge(OfLoss):
    """mean(max(largest wrong score - right score + 1, 0)), for one-hot targets."""

    def __init__(self, name="categorical_hinge", dtype=None):
        super().__init__(losses.CategoricalHinge(), name, dtype)
