"""Layers that act in training only, as in keras.src.layers.regularization."""

from brisknet.layers.regularization.dropout import Dropout

__all__ = ["Dropout"]
