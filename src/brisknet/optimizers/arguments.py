"""Checks of optimizers' arguments, and what Optimizer.learning_rate gives."""

from __future__ import annotations

import numpy as np

from brisknet.variables import Variable

__all__ = ["LearningRate", "check_clipping", "check_number", "check_steps", "one_element"]


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
