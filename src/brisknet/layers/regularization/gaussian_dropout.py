"""GaussianDropout."""

from __future__ import annotations

import math

from brisknet import ops
from brisknet.layers.arguments import check_rate
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.ops.dispatch import dtype_of, float_array
from brisknet.ops.random import random_normal

__all__ = ["GaussianDropout"]


class GaussianDropout(RandomLayer):
    """Multiplies by normal noise of mean 1 and standard deviation sqrt(rate / (1 - rate)) during training.

    Srivastava et al. 2014, section 10.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = check_rate(rate, "GaussianDropout")

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            raise ValueError(f"GaussianDropout {self.name!r}: rate must be below 1 for training, as the noise has no bound there")
        x = float_array(inputs)
        step, key = self.draw()
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return ops.multiply(x, random_normal(step, x.shape, key, 1.0, stddev, dtype_of(x)))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}
