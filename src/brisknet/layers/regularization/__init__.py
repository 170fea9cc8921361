"""Layers that act in training only, as in keras.src.layers.regularization."""

from brisknet.layers.regularization.dropout import Dropout
from brisknet.layers.regularization.spatial_dropout1d import SpatialDropout1D
from brisknet.layers.regularization.spatial_dropout2d import SpatialDropout2D
from brisknet.layers.regularization.spatial_dropout3d import SpatialDropout3D

__all__ = [
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip
