"""Rescaling."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.layers.layer import Layer

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """inputs * scale + offset, in training and inference alike.

    scale, offset   numbers, or arrays that broadcast to the inputs; with channels_first a vector scales the channels
    """

    supports_masking = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.offset = _numbers(scale, "scale"), _numbers(offset, "offset")
        self.built = True

    def call(self, inputs):
        x = ops.cast(inputs if hasattr(inputs, "dtype") else np.asarray(inputs), self.dtype)
        scale, offset = np.asarray(self.scale, self.dtype), np.asarray(self.offset, self.dtype)
        if scale.ndim and config.image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        x = ops.multiply(x, scale.astype(x.dtype))
        return ops.add(x, offset.astype(x.dtype)) if offset.any() else x

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


def _numbers(value, name: str):
    """A number as it is, arrays as lists, which configs can hold; ValueError for anything else."""
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray("ragged")
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"Rescaling: {name} must be a finite number or an array of them, got {value!r}")
    return value if isinstance(value, (int, float)) else array.tolist()
