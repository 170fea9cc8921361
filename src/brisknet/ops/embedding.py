"""Rows of a table by their index, and the gradient of the table."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["check_ids", "check_whole", "embedding"]


def check_whole(ids: np.ndarray, name: str = "token ids") -> None:
    """ValueError that names the first position where ids of a float dtype are no whole number."""
    broken = np.argwhere(ids != np.floor(ids))
    if len(broken):
        place = tuple(int(n) for n in broken[0])
        raise ValueError(f"{name}: whole token ids expected, got {ids[place]} at position {place}")


def check_ids(ids: np.ndarray, size: int, name: str = "token ids") -> None:
    """ValueError that names the first position and its id where an id is not in 0 ... size - 1."""
    if ids.size and (ids.min() < 0 or ids.max() >= size):
        at = np.argwhere((ids < 0) | (ids >= size))[0]
        place = tuple(int(i) for i in at)
        raise ValueError(
            f"{name}: ids in 0 ... {size - 1} expected, as the vocabulary has {size} entries, got {int(ids[place])} at position "
            f"{place}; map unknown tokens to one id, or make input_dim larger"
        )


def _infer(shapes, dtypes, attrs):
    if len(shapes[0]) != 2:
        raise ValueError(f"embedding: a table of shape (entries, size) expected, got {shapes[0]}")
    if dtypes[1] != "int32":
        raise TypeError(f"embedding: int32 ids expected, got {dtypes[1]}")
    return (((*shapes[1], shapes[0][1]), dtypes[0]),)


def _reference(table, ids):
    check_ids(ids, len(table))
    return table[ids]


def _grad_infer(shapes, dtypes, attrs):
    if shapes[1][:-1] != shapes[0]:
        raise ValueError(f"embedding_grad: gradients of shape {(*shapes[0], 'size')} expected, got {shapes[1]}")
    return (((attrs["entries"], shapes[1][-1]), dtypes[1]),)


def _grad_reference(ids, dy, entries):
    out = np.zeros((entries, dy.shape[-1]), dy.dtype)
    np.add.at(out, ids.reshape(-1), dy.reshape(-1, dy.shape[-1]))  # position by position, in order
    return out


def embedding(table, ids):
    """table [V,D], int32 ids [...] -> [..., D]: row id of the table at every position."""
    return apply("embedding", (table, ids))


def _ids(entries, *shape):
    return np.random.default_rng(4).integers(0, entries, shape).astype(np.int32)


register(
    OpSpec(
        "embedding",
        _infer,
        _reference,
        # row id of the table gets the sum of the gradients of all positions that read it
        lambda n, g: (apply("embedding_grad", (n.inputs[1], g[0]), entries=n.inputs[0].shape[0]), None),
        (
            Sample(((5, 3), _ids(5, 2, 4))),
            Sample(((1, 2), _ids(1, 3))),
            Sample(((9, 17), _ids(9, 7)), wrt=()),
            Sample(((40, 70), _ids(40, 5, 13)), wrt=()),
        ),
    )
)
register(
    OpSpec(
        "embedding_grad",
        _grad_infer,
        _grad_reference,
        lambda n, g: (None, embedding(g[0], n.inputs[0])),
        (
            Sample((_ids(5, 2, 4), (2, 4, 3)), {"entries": 5}),
            Sample((_ids(9, 7), (7, 17)), {"entries": 9}, wrt=()),
            Sample((_ids(3, 11), (11, 40)), {"entries": 3}, wrt=()),
            Sample((_ids(40, 5, 13), (5, 13, 70)), {"entries": 40}, wrt=()),
        ),
    )
)
