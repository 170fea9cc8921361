"""Normalization: inputs with mean 0 and variance 1, by statistics of a data set."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.layers.layer import Layer
from brisknet.layers.preprocessing.adapting import changed, number_batches
from brisknet.ops.dispatch import float_array

__all__ = ["Normalization"]


class Normalization(Layer):
    """(x - mean) / max(sqrt(variance), epsilon), with mean and variance given or learnt by adapt().

    axis             the axes that have a mean and variance of their own for each index (-1: one a feature); None: one for all
    mean, variance   given together, a number or arrays that broadcast to the kept axes
    invert           x * max(sqrt(variance), epsilon) + mean instead
    """

    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        axis = () if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
        if any(isinstance(a, bool) or not isinstance(a, (int, np.integer)) for a in axis):
            raise ValueError(f"Normalization: axis must be an integer, a tuple of integers or None, got {axis!r}")
        self.axis = tuple(int(a) for a in axis)
        self.input_mean, self.input_variance, self.invert = mean, variance, bool(invert)
        if (mean is None) != (variance is None):
            raise ValueError(f"Normalization: mean and variance must be given together, got {mean!r} and {variance!r}")
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ValueError(
                f"Normalization: mean and variance of one shape expected, got {np.shape(mean)} and {np.shape(variance)}"
            )
        if mean is not None and np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"Normalization: mean of rank <= {len(self.axis)} (the number of axes) expected, got shape {np.shape(mean)}"
            )

    def build(self, input_shape):
        ndim = len(input_shape)
        if any(not -ndim <= a < ndim for a in self.axis):
            raise ValueError(f"Normalization: axis {self.axis} is out of range for input {tuple(input_shape)}")
        self._kept = tuple(sorted(a % ndim for a in self.axis))
        if any(input_shape[d] is None for d in self._kept):
            raise ValueError(
                f"Normalization: axis {self.axis} of {tuple(input_shape)} must have known sizes; for inputs of rank 1 use "
                "axis=None"
            )
        shape = tuple(input_shape[d] for d in self._kept)
        self._spread = tuple(input_shape[d] if d in self._kept else 1 for d in range(ndim))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")  # Keras has it too
            return
        try:
            self._given_moments = tuple(
                np.broadcast_to(np.asarray(v, self.dtype), shape).reshape(self._spread).copy()
                for v in (self.input_mean, self.input_variance)
            )
        except ValueError:
            raise ValueError(
                f"Normalization: mean that broadcasts to shape {shape} expected, got shape {np.shape(self.input_mean)}"
            ) from None

    def _moments(self):
        if self.input_mean is not None:
            return self._given_moments
        return ops.reshape(self.adapt_mean, self._spread), ops.reshape(self.adapt_variance, self._spread)

    @property
    def mean(self):
        """The mean, of a shape that broadcasts with the inputs; None before the layer is built."""
        return np.asarray(self._moments()[0]) if self.built else None

    @property
    def variance(self):
        """The variance, of a shape that broadcasts with the inputs; None before the layer is built."""
        return np.asarray(self._moments()[1]) if self.built else None

    def _check_input(self, shape):
        for d in self._kept:
            if len(shape) != len(self._spread) or shape[d] not in (None, self._spread[d]):
                raise ValueError(
                    f"Normalization {self.name!r}: inputs of {self._spread[d]} features on axis {d} of {len(self._spread)} "
                    f"expected, got shape {tuple(shape)}"
                )

    def adapt(self, data):
        """Learn mean and variance, by position on the kept axes, from an array, or from batches of a PyDataset or iterable.

        Variances are computed in float64 and batches merged exactly (Chan, Golub and LeVeque 1979).
        """
        if self.input_mean is not None:
            raise ValueError(f"Normalization {self.name!r}: adapt() is for layers made without mean and variance")
        count, mean, squares = 0, 0.0, 0.0
        for batch in number_batches(data):
            if not self.built:
                self.build((None, *batch.shape[1:]) if 0 not in [a % batch.ndim for a in self.axis] else batch.shape)
            self._check_input(batch.shape)
            reduced = tuple(d for d in range(batch.ndim) if d not in self._kept)
            values = batch.astype(np.float64)
            n = int(np.prod([batch.shape[d] for d in reduced], dtype=np.int64))
            here = values.mean(axis=reduced)
            off = values - here.reshape([batch.shape[d] if d in self._kept else 1 for d in range(batch.ndim)])
            delta = here - mean
            squares = squares + np.square(off).sum(axis=reduced) + np.square(delta) * (count * n / (count + n))
            mean = mean + delta * (n / (count + n))
            count += n
        if not count:
            raise ValueError("adapt: at least one batch expected, got none")
        self.adapt_mean.assign(np.asarray(mean, self.dtype))
        self.adapt_variance.assign(np.asarray(squares / count, self.dtype))
        changed()

    def call(self, inputs):
        x = ops.cast(float_array(inputs), self.dtype)
        mean, variance = self._moments()
        scale = ops.maximum(ops.sqrt(variance), config.epsilon())
        return ops.add(mean, ops.multiply(x, scale)) if self.invert else ops.divide(ops.subtract(x, mean), scale)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        given = {"mean": self.input_mean, "variance": self.input_variance}
        plain = {k: None if v is None else np.asarray(v).tolist() for k, v in given.items()}
        return {**super().get_config(), "axis": self.axis, "invert": self.invert, **plain}
