"""RandomContrast."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.preprocessing.image.base_image_layer import BaseImageLayer, factor_range, value_range_pair

__all__ = ["RandomContrast"]


class RandomContrast(BaseImageLayer):
    """(x - mean) factor + mean of each image and channel, in training, clipped to value_range.

    factor        a pair (lower, upper) in [0, 1]: drawn from [1 - lower, 1 + upper]; a number f is (0, f), as in Keras
    value_range   lowest and highest value of the pixels
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.factor = factor_range(factor, (0, 1), "RandomContrast: factor")
        self.value_range = value_range_pair(value_range, "RandomContrast: value_range")

    def _images(self, x, training):
        if not training:
            return x
        factor = self._uniform(x, 1.0 - self.factor[0], 1.0 + self.factor[1], (x.shape[0], 1, 1, 1))
        mean = ops.mean(x, axis=(1, 2), keepdims=True)
        y = ops.add(ops.multiply(ops.subtract(x, mean), factor), mean)
        return ops.clip(y, float(self.value_range[0]), float(self.value_range[1]))

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}
