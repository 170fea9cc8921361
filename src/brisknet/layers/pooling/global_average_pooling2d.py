"""GlobalAveragePooling2D."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.pooling.base_global_pooling import BaseGlobalPooling

__all__ = ["GlobalAveragePooling2D"]


class GlobalAveragePooling2D(BaseGlobalPooling):
    """The mean of each channel; keepdims leaves spatial axes of 1."""

    rank = 2

    def _reduce(self, x, axes):
        return ops.mean(x, axis=axes, keepdims=self.keepdims)
