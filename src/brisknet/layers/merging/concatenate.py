"""Concatenate."""

from __future__ import annotations

import functools

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Concatenate", "concatenate"]


class Concatenate(Merge):
    """A list of inputs joined along an axis; all other sizes must agree."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        return ops.concatenate(list(inputs), self.axis)

    def compute_output_shape(self, input_shape):
        name = f"Concatenate {self.name!r}"
        shapes = self._shapes(input_shape)
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

    def compute_mask(self, inputs, mask=None):
        """The masks joined as the inputs are; an input without one keeps all of its steps."""
        masks = self._masks(inputs, mask)
        if masks is None or all(m is None for m in masks):
            return None
        if self.axis % len(inputs[0].shape) == len(inputs[0].shape) - 1 and all(
            m is not None and len(m.shape) < len(x.shape) for x, m in zip(inputs, masks, strict=True)
        ):  # features side by side: a step counts where it does in any input
            return functools.reduce(ops.logical_or, masks)
        parts = []
        for x, m in zip(inputs, masks, strict=True):
            if m is None:
                parts.append(ops.ones_like(x, dtype="bool"))
            elif len(m.shape) < len(x.shape):
                parts.append(ops.logical_or(ops.expand_dims(m, -1), ops.zeros_like(x, dtype="bool")))
            else:
                parts.append(m)
        return ops.any(ops.concatenate(parts, self.axis), axis=-1)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs, axis=-1, **kwargs):
    """Concatenate(axis)(inputs)."""
    return Concatenate(axis=axis, **kwargs)(inputs)
