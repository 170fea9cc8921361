"""RandomTranslation."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.preprocessing.image.base_image_layer import AffineImageLayer, signed_range

__all__ = ["RandomTranslation"]


class RandomTranslation(AffineImageLayer):
    """Moves each image by random fractions of its height and width, in training.

    height_factor, width_factor   a fraction f (drawn from [-f, f]) or a pair; positive moves down and to the right
    fill_mode       what comes in: "reflect", "wrap", "constant" (fill_value) or "nearest"
    interpolation   "bilinear" or "nearest"
    """

    def __init__(
        self, height_factor, width_factor, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0,
        data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = signed_range(height_factor, "RandomTranslation: height_factor")
        self._width = signed_range(width_factor, "RandomTranslation: width_factor")

    def _columns(self, x):
        height, width = (float(d) for d in x.shape[1:3])
        down = ops.multiply(self._uniform(x, *self._height), -height)
        right = ops.multiply(self._uniform(x, *self._width), -width)
        return [1.0, 0.0, right, 0.0, 1.0, down]

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}
