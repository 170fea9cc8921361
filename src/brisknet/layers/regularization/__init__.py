"""Layers that act in training only, as in keras.src.layers.regularization."""

from brisknet.layers.regularization.activity_regularization import ActivityRegularization
from brisknet.layers.regularization.alpha_dropout import AlphaDropout
from brisknet.layers.regularization.dropout import Dropout
from brisknet.layers.regularization.gaussian_dropout import GaussianDropout
from brisknet.layers.regularization.gaussian_noise import GaussianNoise
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.layers.regularization.spatial_dropout1d import SpatialDropout1D
from brisknet.layers.regularization.spatial_dropout2d import SpatialDropout2D
from brisknet.layers.regularization.spatial_dropout3d import SpatialDropout3D

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "RandomLayer",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip
