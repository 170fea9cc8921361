"""UpSampling3D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_up_sampling import BaseUpSampling

__all__ = ["UpSampling3D"]


class UpSampling3D(BaseUpSampling):
    """Repeats the elements of volumes along their three axes, size = an int or three."""

    rank = 3

    def __init__(self, size=(2, 2, 2), data_format=None, **kwargs):
        super().__init__(size, data_format, **kwargs)
