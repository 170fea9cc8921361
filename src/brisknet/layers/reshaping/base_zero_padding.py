"""BaseZeroPadding: zeros around the spatial axes."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.reshaping.spatial_layer import SpatialLayer, axis_pairs

__all__ = ["BaseZeroPadding"]


class BaseZeroPadding(SpatialLayer):
    """Adds padding[i] = (before, after) zeros along spatial axis i."""

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self._pairs = axis_pairs(padding, self.rank, f"{type(self).__name__}: padding")
        self.padding = self._pairs[0] if self.rank == 1 else self._pairs

    def _sizes(self, spatial):
        return tuple(None if n is None else n + sum(pair) for n, pair in zip(spatial, self._pairs, strict=True))

    def call(self, inputs):
        widths = [(0, 0)] * len(inputs.shape)
        for axis, pair in zip(self._axes(), self._pairs, strict=True):
            widths[axis] = pair
        return ops.pad(self._floats(inputs), widths)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}
