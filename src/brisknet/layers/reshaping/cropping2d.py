"""Cropping2D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_cropping import BaseCropping

__all__ = ["Cropping2D"]


class Cropping2D(BaseCropping):
    """Cuts the ends off the 2 spatial axes: cropping is an int, 2 ints, or 2 pairs (before, after)."""

    rank = 2

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)
