"""Normalisation, as in keras.src.layers.normalization."""

from brisknet.layers.normalization.batch_normalization import BatchNormalization
from brisknet.layers.normalization.group_normalization import GroupNormalization
from brisknet.layers.normalization.layer_normalization import LayerNormalization
from brisknet.layers.normalization.rms_normalization import RMSNormalization
from brisknet.layers.normalization.spectral_normalization import SpectralNormalization
from brisknet.layers.normalization.unit_normalization import UnitNormalization

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization",
    "SpectralNormalization", "UnitNormalization",
]  # fmt: skip
