"""GaussianNoise."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.ops.dispatch import dtype_of, float_array
from brisknet.ops.random import random_normal

__all__ = ["GaussianNoise"]


class GaussianNoise(RandomLayer):
    """Adds normal noise of mean 0 and standard deviation `stddev`, a number in [0, 1], during training."""

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        number = isinstance(stddev, (int, float, np.floating)) and not isinstance(stddev, bool)
        if not number or not 0 <= stddev <= 1:
            raise ValueError(f"GaussianNoise: stddev must be a number in [0, 1], got {stddev!r}")
        self.stddev = float(stddev)

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        x = float_array(inputs)
        step, key = self.draw()
        return ops.add(x, random_normal(step, x.shape, key, 0.0, self.stddev, dtype_of(x)))

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}
