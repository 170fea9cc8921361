"""Layers that change shapes only, as in keras.src.layers.reshaping."""

from brisknet.layers.reshaping.flatten import Flatten
from brisknet.layers.reshaping.reshape import Reshape

__all__ = ["Flatten", "Reshape"]
