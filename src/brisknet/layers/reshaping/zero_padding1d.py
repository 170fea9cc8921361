"""ZeroPadding1D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_zero_padding import BaseZeroPadding

__all__ = ["ZeroPadding1D"]


class ZeroPadding1D(BaseZeroPadding):
    """Zeros around the steps: padding is an int or (before, after)."""

    rank = 1

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(padding, data_format, **kwargs)
