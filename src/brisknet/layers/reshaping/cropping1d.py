"""Cropping1D."""

from __future__ import annotations

from brisknet.layers.reshaping.base_cropping import BaseCropping

__all__ = ["Cropping1D"]


class Cropping1D(BaseCropping):
    """Cuts the ends off the steps: cropping is an int or (before, after)."""

    rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self):
        return {k: v for k, v in super().get_config().items() if k != "data_format"}
