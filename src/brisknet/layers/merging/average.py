"""Average."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Average", "average"]


class Average(Merge):
    """The mean of a list of inputs, element by element."""

    def _merge_function(self, inputs):
        out = inputs[0]
        for x in inputs[1:]:
            out = ops.add(out, x)
        return ops.divide(out, float(len(inputs)))


def average(inputs, **kwargs):
    """Average()(inputs)."""
    return Average(**kwargs)(inputs)
