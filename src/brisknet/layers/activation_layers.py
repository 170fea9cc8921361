"""Activations as layers: ReLU, LeakyReLU, PReLU, ELU, Softmax."""

from __future__ import annotations

import math

import numpy as np

from brisknet import activations, initializers, ops, regularizers
from brisknet.layers.core import constraint, serialize_constraint
from brisknet.layers.layer import Layer
from brisknet.ops.prelu import prelu

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


def _number(value, name: str, least=0.0):
    numeric = not isinstance(value, bool) and isinstance(value, (int, float, np.floating, np.integer))
    if not numeric or not value >= least:
        bound = f" >= {least:g}" if np.isfinite(least) else ""
        raise ValueError(f"{name} must be a number{bound}, got {value!r}")
    return float(value)


class _Elementwise(Layer):
    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


class ReLU(_Elementwise):
    """max(x, 0), with a ceiling max_value, a slope below `threshold`."""

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _number(max_value, "ReLU: max_value")
        self.negative_slope = _number(negative_slope, "ReLU: negative_slope")
        self.threshold = _number(threshold, "ReLU: threshold")

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self):
        return {
            **super().get_config(), "max_value": self.max_value, "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }  # fmt: skip


class LeakyReLU(_Elementwise):
    """x where x >= 0, else negative_slope * x."""

    def __init__(self, negative_slope=0.3, **kwargs):
        if "alpha" in kwargs:  # the name it had before Keras 3
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _number(negative_slope, "LeakyReLU: negative_slope")

    def call(self, inputs):
        return activations.leaky_relu(inputs, self.negative_slope)

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(_Elementwise):
    """x where x >= 0, else alpha (exp(x) - 1)."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = _number(alpha, "ELU: alpha", -np.inf)

    def call(self, inputs):
        return activations.elu(inputs, self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(_Elementwise):
    """Softmax along an axis, or over several axes together; places where `mask` is False get probability 0.

    mask   broadcasts to the inputs; True, or a number above 0.5, keeps a place
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs, mask=None):
        if mask is None:
            return self._softmax(inputs)
        keep = mask if str(mask.dtype) == "bool" else ops.greater(mask, 0.5)
        # Where nothing is kept the softmax is uniform: the second `where` makes that zero too.
        return ops.where(keep, self._softmax(ops.where(keep, inputs, -1e9)), 0.0)

    def _softmax(self, x):
        if not isinstance(self.axis, (tuple, list)):
            return ops.softmax(x, self.axis)
        ndim = len(x.shape)
        last = [a % ndim for a in self.axis]
        order = [a for a in range(ndim) if a not in last] + last
        moved = ops.transpose(x, order)
        kept = tuple(moved.shape[: ndim - len(last)])
        flat = ops.softmax(ops.reshape(moved, (*kept, math.prod(moved.shape[ndim - len(last) :]))))
        return ops.transpose(ops.reshape(flat, tuple(moved.shape)), [order.index(a) for a in range(ndim)])

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class PReLU(Layer):
    """max(x, 0) + alpha min(x, 0) with learnt alpha, one per position, shared along `shared_axes`. He et al. 2015."""

    supports_masking = True

    def __init__(
        self, alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraint(alpha_constraint, "PReLU: alpha_constraint")
        if shared_axes is None:
            self.shared_axes = None
        else:
            self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else list(shared_axes)

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if not 1 <= axis < len(input_shape):
                raise ValueError(f"PReLU: shared_axes must lie in 1..{len(input_shape) - 1}, got {axis}")
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            shape, self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint,
            name="alpha",
        )  # fmt: skip

    def call(self, inputs):
        return prelu(inputs, self.alpha)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": self.alpha_regularizer and regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": serialize_constraint(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
