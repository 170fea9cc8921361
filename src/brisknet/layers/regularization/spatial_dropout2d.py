"""SpatialDropout2D."""

from __future__ import annotations

from brisknet.layers.regularization.base_spatial_dropout import BaseSpatialDropout

__all__ = ["SpatialDropout2D"]


class SpatialDropout2D(BaseSpatialDropout):
    """Drops whole channels of images with probability `rate`, in training."""

    rank = 2
