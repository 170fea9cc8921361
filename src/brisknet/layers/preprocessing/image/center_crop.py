"""CenterCrop."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.preprocessing.image.base_image_layer import BaseImageLayer
from brisknet.ops.image import aspect_crop, crop, resize

__all__ = ["CenterCrop"]


class CenterCrop(BaseImageLayer):
    """The part of height x width in the middle; of smaller images the largest part of that aspect ratio, resized."""

    random = False

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(None, data_format, **kwargs)
        self.height, self.width = positive_int(height, "CenterCrop: height"), positive_int(width, "CenterCrop: width")

    def _images(self, x, training):
        size, (h, w) = (self.height, self.width), x.shape[1:3]
        if h >= size[0] and w >= size[1]:
            return crop(x, (h - size[0]) // 2, (w - size[1]) // 2, *size)
        return resize(crop(x, *aspect_crop(h, w, size)), size, data_format="channels_last")

    def compute_output_shape(self, input_shape):
        return self._resized_shape(input_shape, self.height, self.width)

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}
