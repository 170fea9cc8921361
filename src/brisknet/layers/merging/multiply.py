"""Multiply."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Multiply", "multiply"]


class Multiply(Merge):
    """The product of a list of inputs, element by element."""

    def _merge_function(self, inputs):
        out = inputs[0]
        for x in inputs[1:]:
            out = ops.multiply(out, x)
        return out


def multiply(inputs, **kwargs):
    """Multiply()(inputs)."""
    return Multiply(**kwargs)(inputs)
