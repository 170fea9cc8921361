"""Cropping3D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_cropping import BaseCropping

__all__ = ["Cropping3D"]


class Cropping3D(BaseCropping):
    """Cuts the ends off the 3 spatial axes: cropping is an int, 3 ints, or 3 pairs (before, after)."""

    rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)
