"""SpatialDropout1D."""

from __future__ import annotations

from brisknet.layers.regularization.base_spatial_dropout import BaseSpatialDropout

__all__ = ["SpatialDropout1D"]


class SpatialDropout1D(BaseSpatialDropout):
    """Drops whole channels of [batch, steps, channels] with probability `rate`, in training."""

    rank = 1

    def __init__(self, rate, seed=None, name=None, dtype=None, **kwargs):
        super().__init__(rate, "channels_last", seed, name, dtype, **kwargs)

    def get_config(self):
        return {k: v for k, v in super().get_config().items() if k != "data_format"}
