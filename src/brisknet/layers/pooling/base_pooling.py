"""BasePooling: the maximum or the mean of each window."""

from __future__ import annotations

from brisknet.layers.layer import Layer
from brisknet.ops.dispatch import cast, dtype_of, float_array, floatx, is_float
from brisknet.ops.spatial import pool
from brisknet.ops.spatial_arguments import data_format_name, int_tuple, out_spatial, padding_name, spatial_shape

__all__ = ["BasePooling"]


class BasePooling(Layer):
    """Pooling over `rank` spatial axes by `pool_op`, in windows of pool_size, `strides` (None: pool_size) apart."""

    rank = 2
    pool_op = None  # max_pool_nhwc or avg_pool of brisknet.ops.pool

    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        what = type(self).__name__
        self.pool_size = int_tuple(pool_size, self.rank, f"{what}: pool_size")
        self.strides = self.pool_size if strides is None else int_tuple(strides, self.rank, f"{what}: strides")
        self.padding = padding_name(padding, f"{what}: padding")
        self.data_format = data_format_name(data_format, f"{what}: data_format")
        self.built = True

    def _label(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    def _check_input(self, shape):
        self.compute_output_shape(shape)

    def call(self, inputs):
        x = float_array(inputs)
        x = x if is_float(dtype_of(x)) else cast(x, floatx())
        return pool(self._label(), type(self).pool_op, x, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != self.rank + 2:
            raise ValueError(f"{self._label()}: input of rank {self.rank + 2} expected, got shape {tuple(input_shape)}")
        spatial = out_spatial(
            self._label(), self.padding, spatial_shape(input_shape, self.data_format), self.pool_size, self.strides,
            (1,) * self.rank,
        )  # fmt: skip
        if self.data_format == "channels_last":
            return (input_shape[0], *spatial, input_shape[-1])
        return (*input_shape[:2], *spatial)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }
