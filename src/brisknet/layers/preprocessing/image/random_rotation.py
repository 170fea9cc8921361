"""RandomRotation."""

from __future__ import annotations

import math

from brisknet import ops
from brisknet.layers.preprocessing.image.base_image_layer import AffineImageLayer, factor_range

__all__ = ["RandomRotation"]


class RandomRotation(AffineImageLayer):
    """Turns each image about its centre by a random angle, in training.

    factor   a fraction f of a full turn (drawn from [-f, f]) or a pair; positive turns counter-clockwise
    Other arguments as in RandomTranslation.
    """

    def __init__(
        self, factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0, data_format=None, **kwargs
    ):  # fmt: skip
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.factor = factor_range(factor, (-1.0, 1.0), "RandomRotation: factor")

    def _columns(self, x):
        cy, cx = ((d - 1) / 2.0 for d in x.shape[1:3])
        angle = ops.multiply(self._uniform(x, *self.factor), 2.0 * math.pi)
        c, s = ops.cos(angle), ops.sin(angle)
        # the centre stays where it is: a2 = cx - cx cos + cy sin, b2 = cy - cx sin - cy cos
        a2 = ops.add(ops.add(ops.multiply(c, -cx), ops.multiply(s, cy)), cx)
        b2 = ops.add(ops.add(ops.multiply(s, -cx), ops.multiply(c, -cy)), cy)
        return [c, ops.negative(s), a2, s, c, b2]

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
