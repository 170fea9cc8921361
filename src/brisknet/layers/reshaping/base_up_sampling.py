"""BaseUpSampling: spatial axes enlarged by whole factors."""

from __future__ import annotations

from brisknet.layers.reshaping.spatial_layer import SpatialLayer
from brisknet.ops.image import resample
from brisknet.ops.spatial_arguments import int_tuple

__all__ = ["BaseUpSampling"]


class BaseUpSampling(SpatialLayer):
    """Repeats each element along spatial axis i size[i] times, or interpolates between elements."""

    interpolation = "nearest"

    def __init__(self, size=2, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self._factors = int_tuple(size, self.rank, f"{type(self).__name__}: size")
        self.size = self._factors[0] if self.rank == 1 else self._factors

    def _sizes(self, spatial):
        return tuple(None if n is None else n * k for n, k in zip(spatial, self._factors, strict=True))

    def call(self, inputs):
        x = self._floats(inputs)
        for axis, factor in zip(self._axes(), self._factors, strict=True):
            x = resample(x, axis, x.shape[axis] * factor, self.interpolation)
        return x

    def get_config(self):
        return {**super().get_config(), "size": self.size}
