"""ZeroPadding2D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_zero_padding import BaseZeroPadding

__all__ = ["ZeroPadding2D"]


class ZeroPadding2D(BaseZeroPadding):
    """Zeros around the 2 spatial axes: padding is an int, 2 ints, or 2 pairs (before, after)."""

    rank = 2

    def __init__(self, padding=(1, 1), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)
