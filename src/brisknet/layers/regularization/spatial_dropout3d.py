"""SpatialDropout3D."""

from __future__ import annotations

from brisknet.layers.regularization.base_spatial_dropout import BaseSpatialDropout

__all__ = ["SpatialDropout3D"]


class SpatialDropout3D(BaseSpatialDropout):
    """Drops whole channels of volumes with probability `rate`, in training."""

    rank = 3
