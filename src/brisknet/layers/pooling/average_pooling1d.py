"""AveragePooling1D."""

from __future__ import annotations

from brisknet.layers.pooling.base_pooling import BasePooling
from brisknet.ops.pool import avg_pool

__all__ = ["AveragePooling1D"]


class AveragePooling1D(BasePooling):
    """The mean of each window of pool_size, `strides` (None: pool_size) apart; padding is not counted."""

    rank, pool_op = 1, staticmethod(avg_pool)
