"""ZeroPadding3D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_zero_padding import BaseZeroPadding

__all__ = ["ZeroPadding3D"]


class ZeroPadding3D(BaseZeroPadding):
    """Zeros around the 3 spatial axes: padding is an int, 3 ints, or 3 pairs (before, after)."""

    rank = 3

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)
