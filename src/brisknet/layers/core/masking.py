"""Masking."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.layer import Layer
from brisknet.layers.masks import set_mask
from brisknet.ops.dispatch import float_array

__all__ = ["Masking"]


class Masking(Layer):
    """Masks the steps of inputs [batch, steps, features] at which every feature is mask_value, and puts 0 in their place."""

    supports_masking = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        if isinstance(mask_value, bool) or not isinstance(mask_value, (int, float, np.number)):
            raise ValueError(f"Masking: mask_value must be a number, got {mask_value!r}")
        self.mask_value = float(mask_value)
        self.built = True

    def call(self, inputs):
        x = float_array(inputs)
        kept = ops.any(ops.not_equal(x, self.mask_value), axis=-1, keepdims=True)
        outputs = ops.where(kept, x, 0.0)
        set_mask(outputs, ops.squeeze(kept, -1))
        return outputs

    def compute_mask(self, inputs, mask=None):
        """Where any feature differs from mask_value."""
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}
