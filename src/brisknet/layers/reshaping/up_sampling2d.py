"""UpSampling2D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_up_sampling import BaseUpSampling
from brisknet.ops.image import INTERPOLATIONS

__all__ = ["UpSampling2D"]


class UpSampling2D(BaseUpSampling):
    """Images enlarged by whole factors, size = an int or (rows, columns).

    interpolation   "nearest" repeats pixels; "bilinear", "bicubic", "lanczos3" or "lanczos5" interpolates between centres
    """

    rank = 2

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **kwargs):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(f"UpSampling2D: interpolation must be one of {INTERPOLATIONS}, got {interpolation!r}")

    def get_config(self):
        return {**super().get_config(), "interpolation": self.interpolation}
