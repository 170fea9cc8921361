"""Permute."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.input_spec import InputSpec
from brisknet.layers.layer import Layer
from brisknet.layers.shapes import is_shape

__all__ = ["Permute"]


class Permute(Layer):
    """Reorders the axes behind the batch: dims=(2, 1) turns [batch, a, b] into [batch, b, a]. Axes count from 1."""

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        if not is_shape(dims) or None in dims or sorted(dims) != list(range(1, len(dims) + 1)):
            raise ValueError(f"Permute: dims must hold every axis from 1 to its length once, e.g. (2, 1), got {dims!r}")
        self.dims = tuple(dims)
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)
        self.built = True

    def call(self, inputs):
        return ops.transpose(inputs, (0, *self.dims))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}
