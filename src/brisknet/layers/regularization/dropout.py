"""Dropout."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.graph.trace import current_graph
from brisknet.layers.arguments import check_rate
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.ops import random as random_ops
from brisknet.ops.dispatch import float_array

__all__ = ["Dropout"]


class Dropout(RandomLayer):
    """Sets a share `rate` of the inputs to 0 during training and scales the others by 1 / (1 - rate).

    noise_shape   sizes of 1 (or None: the input's) along which one draw is shared
    seed          makes the draws repeatable
    Srivastava et al. 2014.
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = check_rate(rate, "Dropout")
        self.noise_shape = check_noise_shape(noise_shape, "Dropout")

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        x = float_array(inputs)
        if self.rate == 1:
            return ops.multiply(x, 0.0)
        if self.noise_shape is None:
            step, key = self.draw()
            return random_ops.dropout(x, step, self.rate, key)
        return ops.multiply(x, kept_places(self, x))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}


def kept_places(layer, x):
    """1 / (1 - rate) where layer.rate keeps the place, else 0: drawn for layer.noise_shape, to be broadcast to x."""
    given = layer.noise_shape or (None,) * len(x.shape)
    shape = tuple(d if n is None else n for d, n in zip(x.shape, given, strict=False))
    if len(given) != len(x.shape) or any(n not in (1, d) for n, d in zip(shape, x.shape, strict=True)):
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: noise_shape must have a 1, None or the input's size for each axis of "
            f"{tuple(x.shape)}, got {layer.noise_shape}"
        )
    ones = np.ones(shape, str(x.dtype))
    if current_graph() is not None:
        ones = current_graph().add_constant(ones)
    step, key = layer.draw()
    return random_ops.dropout(ones, step, layer.rate, key)


def check_noise_shape(noise_shape, name: str):
    """A noise shape as a tuple, or None; ValueError for anything but positive integers and None."""
    if noise_shape is None:
        return None
    if isinstance(noise_shape, str) or not hasattr(noise_shape, "__iter__"):
        raise ValueError(f"{name}: noise_shape must be a tuple of sizes, e.g. (None, 1, 8), got {noise_shape!r}")
    shape = tuple(noise_shape)
    for n in shape:
        if n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n <= 0):
            raise ValueError(f"{name}: every size of noise_shape must be a positive integer or None, got {noise_shape!r}")
    return tuple(None if n is None else int(n) for n in shape)
