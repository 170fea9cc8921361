"""BaseCropping: spatial axes without their ends."""

from __future__ import annotations

from brisknet.layers.reshaping.spatial_layer import SpatialLayer, axis_pairs
from brisknet.ops.dispatch import apply

__all__ = ["BaseCropping"]


class BaseCropping(SpatialLayer):
    """Cuts cropping[i] = (before, after) elements off spatial axis i; ValueError where nothing would be left."""

    def __init__(self, cropping=1, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self._pairs = axis_pairs(cropping, self.rank, f"{type(self).__name__}: cropping")
        self.cropping = self._pairs[0] if self.rank == 1 else self._pairs

    def _sizes(self, spatial):
        for i, (n, pair) in enumerate(zip(spatial, self._pairs, strict=True)):
            if n is not None and sum(pair) >= n:
                raise ValueError(f"{self._label()}: cropping {pair} leaves nothing of spatial axis {i} of size {n}")
        return tuple(None if n is None else n - sum(pair) for n, pair in zip(spatial, self._pairs, strict=True))

    def call(self, inputs):
        x = self._floats(inputs)
        slices = [(0, d, 1) for d in x.shape]
        for axis, (before, after) in zip(self._axes(), self._pairs, strict=True):
            slices[axis] = (before, x.shape[axis] - after, 1)
        return apply("slice", (x,), slices=tuple(slices))

    def get_config(self):
        return {**super().get_config(), "cropping": self.cropping}
