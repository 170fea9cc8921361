"""Limits on weights, as in keras.constraints. They are applied after each update, inside the step."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.utils.naming import ByName
from brisknet.variables import Variable

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm", "non_neg",
    "serialize", "unit_norm",
]  # fmt: skip


class Constraint:
    """Base class. Subclasses define __call__(w) -> w by brisknet.ops, and get_config() to be saved."""

    def __call__(self, w):
        return w

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)


def _weight(w):
    return w.value if isinstance(w, Variable) else w if hasattr(w, "dtype") else np.asarray(w, config.floatx())


def _norms(w, axis):
    """Norms along axis (a number or several), that axis kept with size 1."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


def _number(value, name: str):
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)) or not np.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    if value < 0:
        raise ValueError(f"{name} must be a number >= 0, got {value!r}")
    return value


def _axis(axis):
    whole = [isinstance(a, (int, np.integer)) and not isinstance(a, bool) for a in (axis if isinstance(axis, (list, tuple)) else [axis])]
    if not whole or not all(whole):
        raise ValueError(f"axis must be an integer or a list of integers, got {axis!r}")
    return axis


def _for_ops(axis):
    return tuple(axis) if isinstance(axis, (list, tuple)) else axis


class MaxNorm(Constraint):
    """Weights along axis (0: those of one unit of a Dense layer) with a norm of max_value at most."""

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = _number(max_value, "max_value"), _axis(axis)

    def __call__(self, w):
        w = _weight(w)
        norms = _norms(w, _for_ops(self.axis))
        return w * (ops.clip(norms, 0, self.max_value) / (norms + config.epsilon()))

    def get_config(self):
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Negative weights become 0."""

    def __call__(self, w):
        return ops.relu(_weight(w))


class UnitNorm(Constraint):
    """Weights along axis with norm 1."""

    def __init__(self, axis=0):
        self.axis = _axis(axis)

    def __call__(self, w):
        w = _weight(w)
        return w / (_norms(w, _for_ops(self.axis)) + config.epsilon())

    def get_config(self):
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Weights along axis with a norm between min_value and max_value; with rate < 1 they go a part of the way there."""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value = _number(min_value, "min_value"), _number(max_value, "max_value")
        if min_value > max_value:
            raise ValueError(f"min_value: at most max_value={max_value!r} expected, got {min_value!r}")
        self.rate, self.axis = _number(rate, "rate"), _axis(axis)

    def __call__(self, w):
        w = _weight(w)
        norms = _norms(w, _for_ops(self.axis))
        desired = ops.clip(norms, self.min_value, self.max_value) * self.rate + norms * (1 - self.rate)
        return w * (desired / (norms + config.epsilon()))

    def get_config(self):
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


# Keras' lower-case names are the classes themselves.
max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm

_TABLE = {
    "Constraint": Constraint, "MaxNorm": MaxNorm, "NonNeg": NonNeg, "UnitNorm": UnitNorm, "MinMaxNorm": MinMaxNorm,
    "constraint": Constraint, "max_norm": MaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm, "min_max_norm": MinMaxNorm,
}  # fmt: skip
_by_name = ByName("constraint", _TABLE)


def get(identifier):
    """A constraint from a name, a class, an instance, a callable or a config dict; None stays None."""
    return deserialize(identifier) if isinstance(identifier, dict) else _by_name.get(identifier)


def deserialize(config: dict, custom_objects=None):
    """The constraint of a config dict; ValueError for an unknown class."""
    from brisknet.saving.objects import _registered

    return _by_name.deserialize(config, {**_registered, **(custom_objects or {})})


def serialize(constraint) -> dict:
    """{"class_name", "config"} of a constraint; ValueError for one without get_config()."""
    return _by_name.serialize(constraint)
