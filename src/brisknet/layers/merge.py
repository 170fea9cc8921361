"""Layers that join several inputs: Add, Concatenate."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.layer import Layer

__all__ = ["Add", "Concatenate", "add", "concatenate"]


def _check_list(shapes, name: str) -> list:
    if not isinstance(shapes, list) or not shapes or not all(isinstance(s, (tuple, list)) for s in shapes):
        raise ValueError(f"{name}: a list of inputs expected, got {shapes!r}")
    return [tuple(s) for s in shapes]


class Add(Layer):
    """The sum of a list of inputs, broadcast; inputs of lower rank get axes of 1 behind the batch, as in Keras."""

    def build(self, input_shape):
        _check_list(input_shape, f"Add {self.name!r}")
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        rank = max(len(x.shape) for x in inputs)
        inputs = [x if len(x.shape) == rank else ops.reshape(x, _padded(tuple(x.shape), rank)) for x in inputs]
        out = inputs[0]
        for x in inputs[1:]:
            out = ops.add(out, x)
        return out

    def compute_output_shape(self, input_shape):
        shapes = _check_list(input_shape, f"Add {self.name!r}")
        rows = {s[0] for s in shapes if s} - {None}
        if len(rows) > 1:
            raise ValueError(f"Add {self.name!r}: inputs of one batch size expected, got shapes {shapes}")
        rank = max(len(s) for s in shapes)
        out = _padded(shapes[0], rank)
        for s in shapes[1:]:
            out = _merge(out, _padded(s, rank), self.name)
        return out


def _padded(shape, rank: int):
    """The shape with axes of 1 after the batch, so that it has `rank` axes."""
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])


def _merge(a, b, name):
    out = []
    for x, y in zip(a, b, strict=True):
        if x is not None and y is not None and x != y and 1 not in (x, y):
            raise ValueError(f"layer {name!r}: inputs of shapes {a} and {b} can't be merged")
        out.append(y if x == 1 else x if y == 1 or y is None else y if x is None else x)
    return tuple(out)


class Concatenate(Layer):
    """A list of inputs joined along an axis; all other sizes must agree."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape):
        self.compute_output_shape(input_shape)

    def call(self, inputs):
        return ops.concatenate(list(inputs), self.axis)

    def compute_output_shape(self, input_shape):
        name = f"Concatenate {self.name!r}"
        shapes = _check_list(input_shape, name)
        ndim = len(shapes[0])
        if not -ndim <= self.axis < ndim:
            raise ValueError(f"{name}: axis {self.axis} is out of range for inputs of rank {ndim}")
        axis = self.axis % ndim
        for s in shapes:
            same = len(s) == ndim and all(
                i == axis or None in (a, b) or a == b for i, (a, b) in enumerate(zip(s, shapes[0], strict=False))
            )
            if not same:
                raise ValueError(f"{name}: inputs must agree but for axis {axis}, got shapes {shapes}")
        total = None if any(s[axis] is None for s in shapes) else sum(s[axis] for s in shapes)
        return (*shapes[0][:axis], total, *shapes[0][axis + 1 :])

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def add(inputs, **kwargs):
    """Add()(inputs)."""
    return Add(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """Concatenate(axis)(inputs)."""
    return Concatenate(axis=axis, **kwargs)(inputs)
