"""Flatten."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.layers.layer import Layer

__all__ = ["Flatten"]


class Flatten(Layer):
    """[batch, ...] -> [batch, product of the rest]; channels_first is put last first, as in Keras."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format or config.image_data_format()
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(f'Flatten: data_format must be "channels_last" or "channels_first", got {data_format!r}')
        self.built = True

    def call(self, inputs):
        ndim = len(inputs.shape)
        if self.data_format == "channels_first" and ndim > 2:
            inputs = ops.transpose(inputs, [0, *range(2, ndim), 1])
        return ops.reshape(inputs, (inputs.shape[0], int(np.prod(inputs.shape[1:], dtype=np.int64))))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else int(np.prod(rest, dtype=np.int64)))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
