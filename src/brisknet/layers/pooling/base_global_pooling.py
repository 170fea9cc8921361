"""BaseGlobalPooling: the maximum or the mean over all spatial axes."""

from __future__ import annotations

from brisknet.layers.layer import Layer
from brisknet.ops.dispatch import float_array
from brisknet.ops.spatial_arguments import data_format_name

__all__ = ["BaseGlobalPooling"]


class BaseGlobalPooling(Layer):
    """[batch, *spatial, channels] -> [batch, channels]; keepdims leaves spatial axes of 1."""

    rank = 2

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format_name(data_format, f"{type(self).__name__}: data_format")
        self.keepdims = bool(keepdims)
        self.built = True

    def _reduce(self, x, axes):
        raise NotImplementedError(f"{type(self).__name__} must define _reduce(self, x, axes)")

    def _axes(self) -> tuple:
        return tuple(range(1, self.rank + 1) if self.data_format == "channels_last" else range(2, self.rank + 2))

    def _check_input(self, shape):
        if len(shape) != self.rank + 2:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: input of rank {self.rank + 2} expected, got shape {tuple(shape)}"
            )

    def call(self, inputs):
        return self._reduce(float_array(inputs), self._axes())

    def compute_output_shape(self, input_shape):
        self._check_input(input_shape)
        gone = self._axes()
        if self.keepdims:
            return tuple(1 if i in gone else d for i, d in enumerate(input_shape))
        return tuple(d for i, d in enumerate(input_shape) if i not in gone)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format, "keepdims": self.keepdims}
