"""Categories: which bin a number falls into, which index a token has, which tokens a row holds."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply, cast, float_array
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["count_tokens", "digitize", "index_of"]


# ---- bins -----------------------------------------------------------------------------------------------------------
def _digitize_infer(shapes, dtypes, attrs):
    if len(shapes[1]) != 1:
        raise ValueError(f"digitize: bins of rank 1 expected, got shape {shapes[1]}")
    return ((shapes[0], "int32"),)


register(
    OpSpec(
        "digitize",
        _digitize_infer,
        lambda x, bins: np.searchsorted(bins, x, side="right").astype(np.int32),
        lambda n, g: (None, None),
        (
            Sample(((3, 5), np.array([-1.0, -0.25, 0.0, 0.5, 2.0])), wrt=()),
            Sample((np.array([0.0, 1.0, 2.0, np.inf, -np.inf, np.nan, 0.5, -3.0]), np.array([0.0, 1.0, 2.0])), wrt=()),
            Sample(((7,), np.array([0.1])), wrt=()),
        ),
    )
)


def digitize(x, bins):
    """int32 index of the bin of each x: the number of `bins`, sorted boundaries, that are <= x (NaN: all of them)."""
    x = float_array(x)
    if not hasattr(bins, "dtype") or isinstance(bins, np.ndarray):
        bins = np.asarray(bins, str(x.dtype))
    return apply("digitize", (x, bins))


# ---- vocabulary -----------------------------------------------------------------------------------------------------
def _index_infer(shapes, dtypes, attrs):
    for shape, dtype, name in zip(shapes, dtypes, ("x", "keys", "values"), strict=True):
        if dtype not in ("int32", "int64"):
            raise TypeError(f"index_of: ints expected for {name}, got {dtype}")
        if name != "x" and (len(shape) != 1 or shape != shapes[1]):
            raise ValueError(f"index_of: keys and values of one rank-1 shape expected, got {shapes[1]} and {shapes[2]}")
    return ((shapes[0], dtypes[2]),)


def _index_reference(x, keys, values, oov, start):
    other = (start + x % oov if oov else np.full(x.shape, -1)).astype(values.dtype)
    if not len(keys):
        return other
    at = np.minimum(np.searchsorted(keys, x), len(keys) - 1)
    return np.where(keys[at] == x, values[at], other)


def _ints(*values):
    return np.array(values, np.int32)


register(
    OpSpec(
        "index_of",
        _index_infer,
        _index_reference,
        lambda n, g: (None, None, None),
        (
            Sample((_ints(12, 36, 42, 1138, 7, -3).reshape(2, 3), _ints(12, 36, 42, 1138), _ints(1, 2, 4, 3)),
                   {"oov": 1, "start": 0}, wrt=()),
            Sample((_ints(5, -7, 9, 2**31 - 1, -(2**31)), _ints(-7, 5), _ints(4, 3)), {"oov": 3, "start": 1}, wrt=()),
            Sample((_ints(1, 2), _ints(2), _ints(0)), {"oov": 0, "start": 0}, wrt=()),
        ),
    )
)  # fmt: skip


def index_of(x, keys, values, oov: int, start: int):
    """values[i] where x is keys[i] (sorted), for every int x. Other x: start + x mod oov, or -1 where oov is 0."""
    return apply("index_of", (x, keys, values), oov=int(oov), start=int(start))


# ---- rows of tokens -------------------------------------------------------------------------------------------------
def _count_infer(shapes, dtypes, attrs):
    if dtypes[0] != "int32" or len(shapes[0]) != 2:
        raise ValueError(f"count_tokens: int32 tokens of shape (rows, tokens) expected, got {dtypes[0]} {shapes[0]}")
    return (((shapes[0][0], attrs["depth"]), attrs["dtype"]),)


def _count_reference(x, depth, binary, dtype):
    rows = np.broadcast_to(np.arange(len(x))[:, None], x.shape)
    inside = (x >= 0) & (x < depth)
    flat = rows[inside] * depth + x[inside]
    counts = np.bincount(flat, minlength=len(x) * depth).reshape(len(x), depth)
    return (counts > 0 if binary else counts).astype(dtype)


_TOKENS = _ints(0, 2, 2, 3, 9, -1, 1, 1, 1, 0, 0, 4).reshape(3, 4)
register(
    OpSpec(
        "count_tokens",
        _count_infer,
        _count_reference,
        lambda n, g: (None,),
        (
            Sample((_TOKENS,), {"depth": 5, "binary": False, "dtype": "float32"}, wrt=()),
            Sample((_TOKENS,), {"depth": 33, "binary": True, "dtype": "float32"}, wrt=()),
        ),
    )
)


def count_tokens(x, depth: int, binary=False, dtype="float32"):
    """[rows, depth]: how often each token 0..depth-1 is in its row of the int x, or with binary=True, whether it is.

    Tokens out of range are left out.
    """
    return apply("count_tokens", (cast(x, "int32"),), depth=int(depth), binary=bool(binary), dtype=dtype)
