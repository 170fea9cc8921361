"""Minimum."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Minimum", "minimum"]


class Minimum(Merge):
    """The smallest of a list of inputs, element by element."""

    def _merge_function(self, inputs):
        return self._where_kept(ops.minimum, inputs)


def minimum(inputs, **kwargs):
    """Minimum()(inputs)."""
    return Minimum(**kwargs)(inputs)
