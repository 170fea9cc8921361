"""Maximum."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.merging.base_merge import Merge

__all__ = ["Maximum", "maximum"]


class Maximum(Merge):
    """The largest of a list of inputs, element by element."""

    def _merge_function(self, inputs):
        return self._where_kept(ops.maximum, inputs)


def maximum(inputs, **kwargs):
    """Maximum()(inputs)."""
    return Maximum(**kwargs)(inputs)
