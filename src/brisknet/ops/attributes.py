"""What a tensor is: its shape, rank, size and dtype."""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops.dispatch import dtype_of

__all__ = ["dtype", "ndim", "shape", "size"]


def shape(x):
    """The shape as a tuple of ints; None where the size of a symbolic tensor of the layer graph is open."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x):
    """The number of axes."""
    return len(shape(x))


def size(x):
    """The number of elements; None where it is open."""
    sizes = shape(x)
    return None if None in sizes else math.prod(sizes)


def dtype(x):
    """The name of the dtype."""
    return dtype_of(x)
