"""Shapes in nested structures: a shape is a tuple or list of ints and None."""

from __future__ import annotations

import numpy as np

from brisknet.layers.keras_tensor import KerasTensor

__all__ = ["Spec", "is_shape", "map_structure_shapes", "shapes_of", "tensors_of", "zip_structure"]


def is_shape(x) -> bool:
    """True for a tuple or list of ints and None."""
    return isinstance(x, (tuple, list)) and all(d is None or isinstance(d, (int, np.integer)) for d in x)


def map_structure_shapes(fn, shapes):
    """map_structure whose leaves are shapes."""
    if is_shape(shapes):
        return fn(tuple(shapes))
    if isinstance(shapes, dict):
        return {k: map_structure_shapes(fn, v) for k, v in shapes.items()}
    return [map_structure_shapes(fn, s) for s in shapes]


def tensors_of(shape, dtype):
    """KerasTensors of shapes."""
    return map_structure_shapes(lambda s: KerasTensor(s, dtype), shape)


def shapes_of(x):
    """The shapes of tensors, arrays and numbers."""
    if isinstance(x, dict):
        return {k: shapes_of(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [shapes_of(v) for v in x]
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


class Spec:
    """A leaf that map_structure does not open."""

    def __init__(self, a, b=None):
        self.a, self.b = a, b


def zip_structure(x, y):
    """One structure of Specs from two, with the parts of both at each leaf."""
    if isinstance(x, dict):
        return {k: zip_structure(x[k], y[k]) for k in x}
    if isinstance(x, (list, tuple)):
        return type(x)(zip_structure(a, b) for a, b in zip(x, y, strict=True))
    return Spec(x.a, y.a)
