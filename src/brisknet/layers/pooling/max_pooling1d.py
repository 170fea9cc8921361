"""MaxPooling1D."""

from __future__ import annotations

from brisknet.layers.pooling.base_pooling import BasePooling
from brisknet.ops.pool import max_pool_nhwc

__all__ = ["MaxPooling1D"]


class MaxPooling1D(BasePooling):
    """The maximum of each window of pool_size, `strides` (None: pool_size) apart; padding is never the maximum."""

    rank, pool_op = 1, staticmethod(max_pool_nhwc)

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)
