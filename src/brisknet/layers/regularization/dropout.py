"""Dropout."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.graph.trace import current_graph
from brisknet.layers.arguments import check_rate
from brisknet.layers.layer import Layer, call_context
from brisknet.ops import random as random_ops
from brisknet.ops.dispatch import float_array
from brisknet.random import draw_seed

__all__ = ["Dropout"]


class Dropout(Layer):
    """Sets a share `rate` of the inputs to 0 during training and scales the others by 1 / (1 - rate).

    noise_shape   sizes of 1 (or None: the input's) along which one draw is shared
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = check_rate(rate, "Dropout")
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self._key = draw_seed(seed)
        self._eager_step = 0
        self.built = True

    def _step(self):
        """The step counter of the model under way, or a counter of the layer's own outside any model."""
        context = call_context()
        if current_graph() is not None and context is not None and context.model is not None:
            return context.model._step_counter
        self._eager_step += 1
        return np.array(self._eager_step, np.int64)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        x = float_array(inputs)
        if self.rate == 1:
            return ops.multiply(x, 0.0)
        step = self._step()
        if self.noise_shape is None:
            return random_ops.dropout(x, step, self.rate, self._key)
        shape = tuple(d if n is None else n for d, n in zip(x.shape, self.noise_shape, strict=True))
        ones = np.ones(shape, str(x.dtype))
        if current_graph() is not None:
            ones = current_graph().add_constant(ones)
        return ops.multiply(x, random_ops.dropout(ones, step, self.rate, self._key))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
