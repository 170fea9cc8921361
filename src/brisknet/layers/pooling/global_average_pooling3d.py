"""GlobalAveragePooling3D."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.pooling.base_global_pooling import BaseGlobalPooling

__all__ = ["GlobalAveragePooling3D"]


class GlobalAveragePooling3D(BaseGlobalPooling):
    """The mean of each channel; keepdims leaves spatial axes of 1."""

    rank = 3

    def _reduce(self, x, axes):
        return ops.mean(x, axis=axes, keepdims=self.keepdims)
