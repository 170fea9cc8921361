"""AlphaDropout."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.arguments import check_rate
from brisknet.layers.regularization.dropout import check_noise_shape, kept_places
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.ops import random as random_ops
from brisknet.ops.dispatch import float_array

__all__ = ["AlphaDropout"]

_SATURATION = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946  # of selu, for x -> -inf


class AlphaDropout(RandomLayer):
    """Dropout for selu: a share `rate` of the inputs is set to selu's lower limit, then all are scaled and shifted so that
    mean and variance stay what they were. During training only. Klambauer et al. 2017.

    noise_shape   sizes of 1 (or None: the input's) along which one draw is shared
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.rate = check_rate(rate, "AlphaDropout")
        self.noise_shape = check_noise_shape(noise_shape, "AlphaDropout")

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            raise ValueError(f"AlphaDropout {self.name!r}: rate must be below 1 for training, as nothing would be kept")
        x, p, low = float_array(inputs), self.rate, _SATURATION
        scale = ((1 - p) * (1 + p * low**2)) ** -0.5
        # scale (x kept + low (1 - kept)) - scale low p, with the kept places as dropout gives them: x / (1 - p), or 0
        above = ops.subtract(x, low)
        if self.noise_shape is None:
            step, key = self.draw()
            above = random_ops.dropout(above, step, p, key)
        else:
            above = ops.multiply(above, kept_places(self, x))
        return ops.add(ops.multiply(above, scale * (1 - p)), scale * low * (1 - p))

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape}
