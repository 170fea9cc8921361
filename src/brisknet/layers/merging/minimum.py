"""Minimum."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Minimum", "minimum"]


class Minimum(Merge):
    """The smallest of a list of inputs, element by element."""

    def _merge_function(self, inputs):
        out = inputs[0]
        for x in inputs[1:]:
            out = ops.minimum(out, x)
        return out


def minimum(inputs, **kwargs):
    """Minimum()(inputs)."""
    return Minimum(**kwargs)(inputs)
