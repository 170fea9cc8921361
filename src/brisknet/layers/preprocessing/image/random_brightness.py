"""RandomBrightness."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.preprocessing.image.base_image_layer import BaseImageLayer, factor_range, value_range_pair

__all__ = ["RandomBrightness"]


class RandomBrightness(BaseImageLayer):
    """Adds one random number to all pixels of an image, in training, and clips them to value_range.

    factor        f (drawn from [-f, f]) or a pair, within [-1, 1]: a fraction of the length of value_range
    value_range   lowest and highest value of the pixels
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = factor_range(factor, (-1.0, 1.0), "RandomBrightness: factor")
        self.value_range = value_range_pair(value_range, "RandomBrightness: value_range")

    def _images(self, x, training):
        if not training:
            return x
        low, high = (float(v) for v in self.value_range)
        delta = self._uniform(x, *self.factor, (x.shape[0], 1, 1, 1))
        return ops.clip(ops.add(x, ops.multiply(delta, high - low)), low, high)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
