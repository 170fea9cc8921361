"""What layers share that normalise and then scale by gamma and shift by beta."""

from __future__ import annotations

import numpy as np

from brisknet import initializers, regularizers
from brisknet.layers.arguments import constraint, serialize_constraint
from brisknet.layers.layer import Layer

__all__ = ["Scaled", "checked_axis", "checked_epsilon"]


class Scaled(Layer):
    """Base of the normalising layers: the arguments of gamma and beta, their weights and their config."""

    supports_masking = True

    def __init__(
        self, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
        gamma_constraint, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        name = type(self).__name__
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraint(beta_constraint, f"{name}: beta_constraint")
        self.gamma_constraint = constraint(gamma_constraint, f"{name}: gamma_constraint")
        self.gamma = self.beta = None

    def _add_parameters(self, shape, scale: bool, center: bool) -> None:
        """Make gamma and beta, each of this shape, or leave them at None."""
        if scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
                name="gamma",
            )  # fmt: skip
        if center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint,
                name="beta",
            )  # fmt: skip

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def _parameters_config(self) -> dict:
        return {
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": self.beta_regularizer and regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": self.gamma_regularizer and regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": serialize_constraint(self.beta_constraint),
            "gamma_constraint": serialize_constraint(self.gamma_constraint),
        }


def checked_axis(axis, name: str):
    """An axis as an int, or several as a list; TypeError for anything else."""
    if isinstance(axis, (list, tuple)) and axis and all(_is_int(a) for a in axis):
        return [int(a) for a in axis]
    if _is_int(axis):
        return int(axis)
    raise TypeError(f"{name}: axis must be an integer or a list of integers, got {axis!r}")


def _is_int(x) -> bool:
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool)


def checked_epsilon(epsilon, name: str) -> float:
    """A number >= 0 as a float; ValueError for anything else."""
    number = isinstance(epsilon, (int, float, np.floating)) and not isinstance(epsilon, bool)
    if not number or not 0 <= epsilon < float("inf"):
        raise ValueError(f"{name}: epsilon must be a number >= 0, got {epsilon!r}")
    return float(epsilon)


def axes_sizes(axis, input_shape, name: str) -> tuple:
    """(axes >= 0 in ascending order, their sizes); ValueError where one is out of range, given twice or of open size."""
    ndim, axes = len(input_shape), [axis] if isinstance(axis, int) else list(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"{name}: axis {a} is out of range for input {tuple(input_shape)}")
    axes = sorted(a % ndim for a in axes)
    if len(set(axes)) < len(axes):
        raise ValueError(f"{name}: axis names one axis of input {tuple(input_shape)} twice, got {axis!r}")
    sizes = tuple(input_shape[a] for a in axes)
    if None in sizes:
        raise ValueError(f"{name}: axis {axis} of {tuple(input_shape)} must have a known size")
    return axes, sizes
