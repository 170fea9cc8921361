"""BaseImageLayer: the base of layers that change images, in the native step as everywhere else."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.ops import random as random_ops
from brisknet.ops.dispatch import dtype_of
from brisknet.ops.image import affine
from brisknet.ops.spatial import to_channels_first, to_channels_last
from brisknet.ops.spatial_arguments import data_format_name

__all__ = ["AffineImageLayer", "BaseImageLayer", "factor_range", "signed_range", "value_range_pair"]


class BaseImageLayer(RandomLayer):
    """One image [height, width, channels] or a batch of them -> the same, as floats.

    Random layers act in training only (the default of a call outside any model). Subclasses define
    _images(x, training) for x [N,H,W,C].
    """

    supports_masking = False
    random = True

    def __init__(self, seed=None, data_format=None, **kwargs):
        super().__init__(seed, **kwargs)
        self.data_format = data_format_name(data_format, f"{type(self).__name__}: data_format")

    def _images(self, x, training):
        raise NotImplementedError(f"{type(self).__name__} must define _images(self, x, training)")

    def _check_input(self, shape):
        if len(shape) not in (3, 4):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: one image or a batch of images (rank 3 or 4) expected, got shape "
                f"{tuple(shape)}"
            )

    def call(self, inputs, training=True):
        x = ops.cast(inputs if hasattr(inputs, "dtype") else np.asarray(inputs), self.dtype)
        single = len(x.shape) == 3
        x = to_channels_last(ops.reshape(x, (1, *x.shape)) if single else x, self.data_format)
        y = to_channels_first(self._images(x, training), self.data_format)
        return ops.reshape(y, tuple(y.shape[1:])) if single else y

    def _uniform(self, x, low: float, high: float, shape=None):
        """Draws in [low, high), one an image: [N,1] unless `shape` says otherwise."""
        step, key = self.draw()
        shape = (x.shape[0], 1) if shape is None else shape
        return random_ops.random_uniform(step, shape, key, low, high, dtype_of(x))

    def _resized_shape(self, input_shape, height: int, width: int) -> tuple:
        """input_shape with another height and width."""
        self._check_input(input_shape)
        out = list(input_shape)
        first = len(out) - (3 if self.data_format == "channels_last" else 2)
        out[first : first + 2] = height, width
        return tuple(out)

    def get_config(self):
        out = {**super().get_config(), "data_format": self.data_format}
        if not self.random:
            out.pop("seed")
        return out


class AffineImageLayer(BaseImageLayer):
    """A random affine transform an image: subclasses define _columns(x), the six numbers a0, a1, a2, b0, b1, b2 of each
    image, as tensors [N,1] or numbers (ops.image.affine)."""

    def __init__(self, fill_mode, interpolation, fill_value, seed=None, data_format=None, **kwargs):
        super().__init__(seed, data_format, **kwargs)
        modes = ("reflect", "wrap", "constant", "nearest")
        if fill_mode not in modes:
            raise ValueError(f"{type(self).__name__}: fill_mode must be one of {modes}, got {fill_mode!r}")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f"{type(self).__name__}: interpolation must be 'nearest' or 'bilinear', got {interpolation!r}"
            )
        self.fill_mode, self.interpolation, self.fill_value = fill_mode, interpolation, float(fill_value)

    def _columns(self, x) -> list:
        raise NotImplementedError(f"{type(self).__name__} must define _columns(self, x)")

    def _images(self, x, training):
        if not training:
            return x
        number = lambda c: np.full((x.shape[0], 1), c, dtype_of(x)) if isinstance(c, (int, float)) else c  # noqa: E731
        transforms = ops.concatenate([number(c) for c in (*self._columns(x), 0.0, 0.0)], axis=1)
        return affine(x, transforms, None, self.interpolation, self.fill_mode, self.fill_value)

    def get_config(self):
        own = {"fill_mode": self.fill_mode, "interpolation": self.interpolation, "fill_value": self.fill_value}
        return {**super().get_config(), **own}


def _number(x) -> bool:
    return isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool)


def factor_range(factor, bounds, name: str) -> tuple:
    """(lower, upper) of a factor: a number f as (max(-f, bounds[0]), f), or a pair; ValueError out of bounds, as in Keras."""
    low, high = bounds
    if isinstance(factor, (tuple, list)) and len(factor) == 2 and all(map(_number, factor)):
        lower, upper = sorted(float(f) for f in factor)
        if low <= lower and upper <= high:
            return lower, upper
    elif _number(factor) and low <= factor <= high:
        return max(-abs(float(factor)), float(low)), abs(float(factor))
    raise ValueError(f"{name} must be a number, or a pair of numbers, in [{low}, {high}], got {factor!r}")


def signed_range(factor, name: str, open_below: bool = False) -> tuple:
    """(-f, f) of a number f, or a pair in order; in [-1, 1], or in (-1, 1] where a factor of -1 would leave nothing."""
    lower, upper = factor_range(factor, (-1.0, 1.0), name)
    if open_below and (lower <= -1.0 if isinstance(factor, (tuple, list)) else factor <= -1.0):
        raise ValueError(f"{name} must be a number, or a pair of numbers, in (-1, 1], got {factor!r}")
    return lower, upper


def value_range_pair(value_range, name: str) -> tuple:
    """(lowest, highest) value of pixels; ValueError for anything but two numbers."""
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2 or not all(map(_number, value_range)):
        raise ValueError(f"{name} must be a pair of numbers, e.g. (0, 255), got {value_range!r}")
    return tuple(sorted(value_range))
