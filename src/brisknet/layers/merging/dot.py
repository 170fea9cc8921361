"""Dot."""

from __future__ import annotations

import string

import numpy as np

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Dot", "dot"]


class Dot(Merge):
    """Dot products of two inputs, row by row of the batch, along an axis of each.

    axes        the axis, or the axes of the first and the second input; the batch axis 0 is none
    normalize   scale to Euclidean length 1 along the axes first: the result is the cosine similarity
    The axes left over follow each other, those of the first input first; [batch, n] twice gives [batch, 1].
    """

    least, most = 2, 2

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else [axes]
        if not pair or not all(isinstance(a, (int, np.integer)) and not isinstance(a, bool) for a in pair):
            raise TypeError(f"Dot: axes must be an integer or two integers, got {axes!r}")
        if isinstance(axes, (list, tuple)) and len(axes) != 2:
            raise ValueError(f"Dot: axes must be an integer or two integers, got {axes!r}")
        if 0 in pair:
            raise ValueError(f"Dot: axes can't name the batch axis 0, got {axes!r}")
        self.axes, self.normalize = axes, bool(normalize)

    def _axes_of(self, shapes) -> tuple:
        """The two axes >= 1, checked against the shapes."""
        name = f"Dot {self.name!r}"
        given = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        for a, s in zip(given, shapes, strict=True):
            if len(s) < 2 or not -len(s) <= a < len(s) or a % len(s) == 0:
                raise ValueError(f"{name}: axis {a} is no axis behind the batch of an input of shape {s}")
        first, second = (a % len(s) for a, s in zip(given, shapes, strict=True))
        sizes = shapes[0][first], shapes[1][second]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(f"{name}: axes of one size expected, got {sizes[0]} and {sizes[1]} for inputs of shapes {shapes}")
        rows = {s[0] for s in shapes} - {None}
        if len(rows) > 1:
            raise ValueError(f"{name}: inputs of one batch size expected, got shapes {shapes}")
        return first, second

    def call(self, inputs):
        x, y = inputs
        first, second = self._axes_of(self._shapes([tuple(t.shape) for t in inputs]))
        if self.normalize:
            x, y = ops.normalize(x, axis=first), ops.normalize(y, axis=second)
        batch, summed, *letters = string.ascii_letters
        a = [batch] + letters[: len(x.shape) - 1]
        b = [batch] + letters[len(x.shape) - 1 : len(x.shape) + len(y.shape) - 2]
        a[first] = b[second] = summed
        out = [c for c in a + b[1:] if c != summed]
        product = ops.einsum(f"{''.join(a)},{''.join(b)}->{''.join(out)}", x, y)
        return ops.reshape(product, (x.shape[0], 1)) if len(out) == 1 else product

    def compute_output_shape(self, input_shape):
        shapes = self._shapes(input_shape)
        first, second = self._axes_of(shapes)
        out = [d for i, d in enumerate(shapes[0]) if i != first]
        out += [d for i, d in enumerate(shapes[1]) if i not in (0, second)]
        return tuple(out if len(out) > 1 else [*out, 1])

    def compute_mask(self, inputs, mask=None):
        """None: the steps are summed up, or multiplied with each other."""

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def dot(inputs, axes=-1, **kwargs):
    """Dot(axes)(inputs)."""
    return Dot(axes=axes, **kwargs)(inputs)
