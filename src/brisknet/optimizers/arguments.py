"""Checks of optimizers' arguments, and what Optimizer.learning_rate gives."""

from __future__ import annotations

import warnings

import numpy as np

from brisknet.variables import Variable

__all__ = ["LearningRate", "check_clipping", "check_gradients", "check_number", "check_steps", "one_element"]


def check_number(value, name, low=0.0, high=np.inf, closed=True) -> float:
    """A finite number in [low, high] (in (low, high] unless closed) as a float; ValueError for anything else."""
    ok = not isinstance(value, bool) and isinstance(value, (int, float, np.floating, np.integer)) and np.isfinite(value)
    if not ok or not (low <= value if closed else low < value) or value > high:
        bounds = f"{'>=' if closed else '>'} {low:g}" if np.isfinite(low) else ""
        if np.isfinite(high):
            bounds = f"{bounds} and <= {high:g}" if bounds else f"<= {high:g}"
        raise ValueError(f"{name} must be a number{' ' if bounds else ''}{bounds}, got {value!r}")
    return float(value)


def check_steps(value, name, least: int):
    """None, or a whole number >= least; ValueError for anything else."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be None or an integer >= {least}, got {value!r}")
    return int(value)


def check_clipping(given: dict) -> dict:
    """The clipping arguments as floats or None; ValueError unless at most one of them is a number > 0."""
    if sum(v is not None for v in given.values()) > 1:
        raise ValueError(f"only one of clipnorm, clipvalue and global_clipnorm can be set, got {given}")
    return {k: None if v is None else check_number(v, k, closed=False) for k, v in given.items()}


def one_element(value):
    """A variable's or an array's one element; other values as they are."""
    value = value.numpy() if isinstance(value, Variable) else value
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


class LearningRate(float):
    """What Optimizer.learning_rate gives: the number, with the methods of the variable that holds it."""

    __slots__ = ("_optimizer",)

    def __new__(cls, value: float, optimizer):
        self = super().__new__(cls, value)
        self._optimizer = optimizer
        return self

    def numpy(self) -> np.ndarray:
        """The optimizer's rate, as it is now, as a 0-d array."""
        return np.asarray(self._optimizer.learning_rate, self._optimizer._dtype)

    @property
    def value(self):
        """The rate as the optimizer's next step takes it: an array, or a tensor while a step is traced."""
        return self._optimizer._rate()

    def assign(self, value):
        """Set the rate of the optimizer."""
        self._optimizer.learning_rate = value
        return self.numpy()

    def __reduce__(self):
        return float, (float(self),)


def check_gradients(pairs, missing) -> None:
    """ValueError for a (variable, gradient) whose shapes differ; a warning about the variables that have no gradient."""
    for v, g in pairs:
        shape = tuple(np.shape(g)) if not hasattr(g, "shape") else tuple(g.shape)
        if shape not in (tuple(v.shape), ()):
            raise ValueError(f"apply: a gradient of shape {tuple(v.shape)} expected for the variable {v.path!r}, got shape {shape}")
    if missing:
        warnings.warn(
            f"the loss does not depend on the variables {[v.path for v in missing]}, which stay as they are; leave them out, or set "
            "trainable = False, if that is meant", stacklevel=3,
        )  # fmt: skip
