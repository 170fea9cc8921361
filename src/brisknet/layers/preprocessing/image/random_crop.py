"""RandomCrop."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.arguments import positive_int
from brisknet.layers.preprocessing.image.base_image_layer import BaseImageLayer
from brisknet.ops.dispatch import dtype_of
from brisknet.ops.image import affine, aspect_crop, crop, resize

__all__ = ["RandomCrop"]


class RandomCrop(BaseImageLayer):
    """A part of height x width, in training at a random place, one for the whole batch.

    In inference, and for images that are not larger in both directions: the largest part in the middle that has the
    aspect ratio, resized to height x width.
    """

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
        super().__init__(seed, data_format, name=name, **kwargs)
        self.height, self.width = positive_int(height, "RandomCrop: height"), positive_int(width, "RandomCrop: width")

    def _images(self, x, training):
        size, (h, w) = (self.height, self.width), x.shape[1:3]
        if not training:
            return resize(crop(x, *aspect_crop(h, w, size)), size, data_format="channels_last")
        if h > size[0] and w > size[1]:
            return self._random_part(x, size)
        # Keras cuts height x width from the corner of the middle part, and resizes where the image ends before
        top, left, _, _ = aspect_crop(h, w, size)
        part = crop(x, top, left, min(size[0], h - top), min(size[1], w - left))
        return resize(part, size, data_format="channels_last")

    def _random_part(self, x, size):
        """Whole steps to the right and down, as an affine transform that hits the pixels."""
        n, dtype = x.shape[0], dtype_of(x)
        top, left = (
            ops.floor(self._uniform(x, 0.0, float(have - want + 1), (1, 1)))
            for have, want in zip(x.shape[1:3], size, strict=True)
        )
        top, left = (ops.minimum(v, float(d - s)) for v, d, s in zip((top, left), x.shape[1:3], size, strict=True))
        one, zero = np.ones((1, 1), dtype), np.zeros((1, 1), dtype)
        row = ops.concatenate([one, zero, left, zero, one, top, zero, zero], axis=1)
        return affine(x, ops.broadcast_to(row, (n, 8)), size, "nearest", "constant", 0.0)

    def compute_output_shape(self, input_shape):
        return self._resized_shape(input_shape, self.height, self.width)

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}
