"""GlobalMaxPooling1D."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.pooling.base_global_pooling import BaseGlobalPooling

__all__ = ["GlobalMaxPooling1D"]


class GlobalMaxPooling1D(BaseGlobalPooling):
    """The maximum of each channel; keepdims leaves spatial axes of 1."""

    rank = 1

    def _reduce(self, x, axes):
        return ops.max(x, axis=axes, keepdims=self.keepdims)
