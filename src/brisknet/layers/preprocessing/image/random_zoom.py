"""RandomZoom."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.preprocessing.image.base_image_layer import AffineImageLayer, signed_range

__all__ = ["RandomZoom"]


class RandomZoom(AffineImageLayer):
    """Zooms each image about its centre, in training.

    height_factor   f (drawn from [-f, f]) or a pair: 0.2 shows 20 % more of the height (zooms out), -0.2 shows 20 % less
    width_factor    the same for the width; None keeps the aspect ratio
    Other arguments as in RandomTranslation.
    """

    def __init__(
        self, height_factor, width_factor=None, fill_mode="reflect", interpolation="bilinear", seed=None, fill_value=0.0,
        data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(fill_mode, interpolation, fill_value, seed, data_format, **kwargs)
        self.height_factor, self.width_factor = height_factor, width_factor
        self._height = signed_range(height_factor, "RandomZoom: height_factor", open_below=True)
        self._width = width_factor
        if width_factor is not None:
            self._width = signed_range(width_factor, "RandomZoom: width_factor", open_below=True)

    def _columns(self, x):
        cy, cx = ((d - 1) / 2.0 for d in x.shape[1:3])
        height = self._uniform(x, 1.0 + self._height[0], 1.0 + self._height[1])
        width = height if self._width is None else self._uniform(x, 1.0 + self._width[0], 1.0 + self._width[1])
        # the centre stays where it is: offset = centre (1 - zoom)
        left, top = (ops.add(ops.multiply(z, -c), c) for z, c in ((width, cx), (height, cy)))
        return [width, 0.0, left, 0.0, height, top]

    def get_config(self):
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}
