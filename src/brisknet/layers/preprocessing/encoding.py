"""From indices of categories to what output_mode asks for."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.ops.dispatch import dtype_of
from brisknet.ops.lookup import count_tokens

__all__ = ["check_output_mode", "check_sparse", "encode"]


def check_output_mode(mode, allowed, owner: str) -> str:
    """The mode; ValueError where it is none of `allowed`. "binary" and "tf-idf" are Keras' old names."""
    mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)
    if mode not in allowed:
        raise ValueError(f"{owner}: output_mode must be one of {', '.join(map(repr, allowed))}, got {mode!r}")
    return mode


def check_sparse(sparse, owner: str) -> bool:
    """ValueError for sparse=True."""
    if sparse:
        raise ValueError(f"{owner}: sparse=True is not supported; leave it at False")
    return False


def encode(indices, mode: str, depth: int, dtype: str, weights=None):
    """Int indices as they are ("int") or in rows of `depth` numbers; indices out of range count nowhere.

    one_hot            [...] -> [..., depth]; [..., 1] -> [..., depth]
    multi_hot, count   [..., samples] -> [..., depth]: 1 for each index present, or how often it is (with weights, their sum)
    """
    if mode == "int":
        return ops.cast(indices, dtype)
    shape = tuple(indices.shape)
    if not shape:
        indices, shape = ops.reshape(indices, (1,)), (1,)
    if mode == "one_hot":
        if len(shape) > 1 and shape[-1] == 1:
            indices = ops.reshape(indices, shape[:-1])
        return ops.one_hot(indices, depth, dtype=dtype)
    if weights is not None:
        if tuple(weights.shape) != shape:
            raise ValueError(f"count_weights: the shape of the inputs, {shape}, expected, got {tuple(weights.shape)}")
        hot = ops.one_hot(indices, depth, dtype=dtype_of(weights))
        return ops.sum(ops.multiply(hot, ops.expand_dims(weights, -1)), axis=-2)
    rows = int(np.prod(shape[:-1], dtype=np.int64))
    counts = count_tokens(ops.reshape(indices, (rows, shape[-1])), depth, mode == "multi_hot", dtype)
    return ops.reshape(counts, (*shape[:-1], depth))
