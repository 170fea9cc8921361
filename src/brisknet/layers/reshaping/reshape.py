"""Reshape."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.layer import Layer
from brisknet.ops.shape import resolve_shape

__all__ = ["Reshape"]


class Reshape(Layer):
    """[batch, ...] -> [batch, *target_shape]; one size may be -1."""

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1 or any(d < -1 or d == 0 for d in self.target_shape):
            raise ValueError(
                f"Reshape: target_shape needs positive sizes and at most one -1, got {self.target_shape}"
            )
        self.built = True

    def _check_input(self, shape):
        if None not in shape[1:]:
            resolve_shape(tuple(shape[1:]), self.target_shape, f"Reshape {self.name!r}")

    def call(self, inputs):
        rest = resolve_shape(tuple(inputs.shape[1:]), self.target_shape, f"Reshape {self.name!r}")
        return ops.reshape(inputs, (inputs.shape[0], *rest))

    def compute_output_shape(self, input_shape):
        rest = tuple(input_shape[1:])
        if None in rest:
            return (input_shape[0], *(None if d == -1 else d for d in self.target_shape))
        return (input_shape[0], *resolve_shape(rest, self.target_shape, f"Reshape {self.name!r}"))

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}
