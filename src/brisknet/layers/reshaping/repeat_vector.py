"""RepeatVector."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.input_spec import InputSpec
from brisknet.layers.layer import Layer

__all__ = ["RepeatVector"]


class RepeatVector(Layer):
    """[batch, features] -> [batch, n, features]: each row n times."""

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
            raise TypeError(f"RepeatVector: n must be an integer, got {n!r}")
        if n <= 0:
            raise ValueError(f"RepeatVector: n must be a positive integer, got {n}")
        self.n, self.input_spec = int(n), InputSpec(ndim=2)
        self.built = True

    def call(self, inputs):
        rows, features = inputs.shape
        return ops.broadcast_to(ops.reshape(inputs, (rows, 1, features)), (rows, self.n, features))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self):
        return {**super().get_config(), "n": self.n}
