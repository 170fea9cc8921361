"""Layers that change images: sizes, and random changes in training, inside the native step."""

from brisknet.layers.preprocessing.image.center_crop import CenterCrop
from brisknet.layers.preprocessing.image.random_brightness import RandomBrightness
from brisknet.layers.preprocessing.image.random_contrast import RandomContrast
from brisknet.layers.preprocessing.image.random_crop import RandomCrop
from brisknet.layers.preprocessing.image.random_flip import RandomFlip
from brisknet.layers.preprocessing.image.random_rotation import RandomRotation
from brisknet.layers.preprocessing.image.random_translation import RandomTranslation
from brisknet.layers.preprocessing.image.random_zoom import RandomZoom
from brisknet.layers.preprocessing.image.resizing import Resizing

__all__ = [
    "CenterCrop", "RandomBrightness", "RandomContrast", "RandomCrop", "RandomFlip", "RandomRotation",
    "RandomTranslation", "RandomZoom", "Resizing",
]  # fmt: skip
