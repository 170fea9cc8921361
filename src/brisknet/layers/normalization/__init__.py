"""Normalisation, as in keras.src.layers.normalization."""

from brisknet.layers.normalization.batch_normalization import BatchNormalization

__all__ = ["BatchNormalization"]
