"""UpSampling1D."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.reshaping.base_up_sampling import BaseUpSampling

__all__ = ["UpSampling1D"]


class UpSampling1D(BaseUpSampling):
    """Repeats each step `size` times: [batch, steps, channels] -> [batch, steps size, channels]."""

    rank = 1

    def __init__(self, size=2, **kwargs):
        super().__init__(positive_int(size, "UpSampling1D: size"), "channels_last", **kwargs)

    def get_config(self):
        return {k: v for k, v in super().get_config().items() if k != "data_format"}
