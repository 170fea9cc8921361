"""Pooling layers, as in keras.src.layers.pooling."""

from brisknet.layers.pooling.average_pooling1d import AveragePooling1D
from brisknet.layers.pooling.average_pooling2d import AveragePooling2D
from brisknet.layers.pooling.average_pooling3d import AveragePooling3D
from brisknet.layers.pooling.global_average_pooling1d import GlobalAveragePooling1D
from brisknet.layers.pooling.global_average_pooling2d import GlobalAveragePooling2D
from brisknet.layers.pooling.global_average_pooling3d import GlobalAveragePooling3D
from brisknet.layers.pooling.global_max_pooling1d import GlobalMaxPooling1D
from brisknet.layers.pooling.global_max_pooling2d import GlobalMaxPooling2D
from brisknet.layers.pooling.global_max_pooling3d import GlobalMaxPooling3D
from brisknet.layers.pooling.max_pooling1d import MaxPooling1D
from brisknet.layers.pooling.max_pooling2d import MaxPooling2D
from brisknet.layers.pooling.max_pooling3d import MaxPooling3D

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip
