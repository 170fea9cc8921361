"""Resizing."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.preprocessing.image.base_image_layer import BaseImageLayer
from brisknet.ops.image import INTERPOLATIONS, resize

__all__ = ["Resizing"]


class Resizing(BaseImageLayer):
    """Images of height x width, interpolated between the centres of pixels.

    interpolation          "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5"
    crop_to_aspect_ratio   cut the longer side off first, so that nothing is distorted
    pad_to_aspect_ratio    or pad the shorter one with fill_value
    antialias              widen the filter when images shrink
    """

    random = False

    def __init__(
        self, height, width, interpolation="bilinear", crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
        fill_mode="constant", fill_value=0.0, antialias=False, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(None, data_format, **kwargs)
        self.height, self.width = positive_int(height, "Resizing: height"), positive_int(width, "Resizing: width")
        self.crop_to_aspect_ratio, self.pad_to_aspect_ratio = bool(crop_to_aspect_ratio), bool(pad_to_aspect_ratio)
        if interpolation not in INTERPOLATIONS:
            raise ValueError(f"Resizing: interpolation must be one of {INTERPOLATIONS}, got {interpolation!r}")
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError("Resizing: crop_to_aspect_ratio and pad_to_aspect_ratio can't both be True")
        if fill_mode != "constant":
            raise ValueError(f"Resizing: fill_mode must be 'constant', got {fill_mode!r}")
        self.interpolation, self.antialias = interpolation, bool(antialias)
        self.fill_mode, self.fill_value = fill_mode, float(fill_value)

    def _images(self, x, training):
        return resize(
            x, (self.height, self.width), self.interpolation, self.antialias, self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio, self.fill_mode, self.fill_value, "channels_last",
        )  # fmt: skip

    def compute_output_shape(self, input_shape):
        return self._resized_shape(input_shape, self.height, self.width)

    def get_config(self):
        own = ("height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias")
        return {**super().get_config(), **{k: getattr(self, k) for k in own}}
