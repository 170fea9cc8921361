"""Penalties on weights and outputs, as in keras.regularizers."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.ops.loss import l1l2_penalty
from brisknet.utils.naming import ByName

__all__ = [
    "L1", "L2", "L1L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1", "l1_l2", "l2",
    "orthogonal_regularizer", "serialize",
]  # fmt: skip


class Regularizer:
    """Base class. Subclasses define __call__(x) -> scalar and get_config()."""

    def __call__(self, x):
        return 0.0

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


def _factor(value, name):
    value = 0.0 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise ValueError(f"{name} must be a number >= 0, got {value!r}")
    if not np.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number >= 0, got {value!r}")
    return float(value)


class L1L2(Regularizer):
    """l1 * sum|x| + l2 * sum x^2 (elastic net)."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = _factor(l1, "l1"), _factor(l2, "l2")

    def __call__(self, x):
        return l1l2_penalty(x, self.l1, self.l2)

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class L1(L1L2):
    """l1 * sum|x|."""

    def __init__(self, l1=0.01):
        super().__init__(l1=_factor(0.01 if l1 is None else l1, "l1"))

    def get_config(self):
        return {"l1": self.l1}


class L2(L1L2):
    """l2 * sum x^2."""

    def __init__(self, l2=0.01):
        super().__init__(l2=_factor(0.01 if l2 is None else l2, "l2"))

    def get_config(self):
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """factor times the mean |cosine| between two different rows (mode "rows") or columns ("columns") of a matrix.

    ValueError, when called, for a weight that is no matrix.
    """

    def __init__(self, factor=0.01, mode="rows"):
        self.factor = _factor(factor, "factor")
        if mode not in ("rows", "columns"):
            raise ValueError(f'OrthogonalRegularizer: mode must be "rows" or "columns", got {mode!r}')
        self.mode = mode

    def __call__(self, inputs):
        if len(inputs.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: a matrix expected, got a weight of shape {tuple(inputs.shape)}")
        rows = self.mode == "rows"
        x = ops.normalize(inputs, axis=1 if rows else 0)
        cosines = ops.matmul(x, ops.transpose(x)) if rows else ops.matmul(ops.transpose(x), x)
        size = cosines.shape[0]
        others = 1.0 - np.eye(size, dtype=ops.dispatch.dtype_of(cosines))
        pairs = size * (size - 1.0) / 2.0
        return ops.divide(ops.multiply(ops.sum(ops.abs(ops.multiply(cosines, others))), 0.5 * self.factor), pairs)

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


# Keras' lower-case names are the classes themselves.
l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer

# The string "l1_l2" is Keras 2's, with that version's factors: L1L2() alone would penalise nothing.
_TABLE = {"L1": L1, "L2": L2, "L1L2": L1L2, "l1": L1, "l2": L2, "l1l2": L1L2, "l1_l2": lambda: L1L2(0.01, 0.01)}
_TABLE |= {n: OrthogonalRegularizer for n in ("OrthogonalRegularizer", "orthogonal_regularizer", "orthogonalregularizer")}


_by_name = ByName("regularizer", _TABLE)
get, deserialize = _by_name.get, _by_name.deserialize


def serialize(regularizer):
    """{"class_name", "config"} of a regularizer; ValueError for an object without get_config()."""
    return _by_name.serialize(regularizer)
