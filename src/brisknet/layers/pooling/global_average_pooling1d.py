"""GlobalAveragePooling1D."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.pooling.base_global_pooling import BaseGlobalPooling
from brisknet.ops.dispatch import dtype_of, float_array

__all__ = ["GlobalAveragePooling1D"]


class GlobalAveragePooling1D(BaseGlobalPooling):
    """The mean of each channel over the steps, of those where mask [batch, steps] is true; keepdims leaves an axis of 1."""

    rank = 1
    supports_masking = True

    def call(self, inputs, mask=None):
        x = float_array(inputs)
        if mask is None:
            return self._reduce(x, self._axes())
        kept = ops.expand_dims(ops.cast(mask, dtype_of(x)), 2 if self.data_format == "channels_last" else 1)
        total = ops.sum(ops.multiply(x, kept), axis=self._axes(), keepdims=self.keepdims)
        return ops.divide(total, ops.sum(kept, axis=self._axes(), keepdims=self.keepdims))

    def compute_mask(self, inputs, previous_mask=None):
        """The steps are gone, and their mask with them."""

    def _reduce(self, x, axes):
        return ops.mean(x, axis=axes, keepdims=self.keepdims)
