"""Which source, if any, what the user gave as x is."""

from __future__ import annotations

import numpy as np

from brisknet.training import data
from brisknet.training.sources.pydataset import DatasetSource, PyDataset
from brisknet.training.sources.rows import RowsSource, on_disk
from brisknet.training.sources.streams import StreamSource

__all__ = ["find_source"]

MANY = 64  # lists longer than this are data, not a structure of arrays
_NO_BATCHES = (np.ndarray, str, bytes, bytearray, memoryview, set, frozenset, list, tuple, dict, type)


def find_source(x, y=None, sample_weight=None, batch_size=32, shuffle_key=None, name="x"):
    """A source of batches, or None where x, y and sample_weight are arrays in memory.

    ValueError where y or sample_weight are given besides a data set that has them in its batches.
    """
    source = _of(x, shuffle_key)
    if source is None:
        if any(on_disk(a) for part in (x, y, sample_weight) for a in _leaves(part)):
            before = name.removesuffix("x")
            parts = [_arrays(part, before + label) for part, label in ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))]
            return RowsSource(tuple(parts), batch_size, shuffle_key)
        return None
    for given, other in ((y, "y"), (sample_weight, "sample_weight")):
        if given is not None:
            other = name.removesuffix("x") + other
            raise ValueError(
                f"{other}: None expected, as {name} is a {source.what}, whose batches are (x, y) or "
                f"(x, y, sample_weight); got {type(given).__name__}"
            )
    return source


def _leaves(part) -> list:
    """The arrays of a structure; a list of numbers is one array, and a long list is one too."""
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, (list, tuple)) and len(part) <= MANY:
        return list(part)
    return [part]


def _arrays(part, label):
    """The structure with checked arrays for all that is not on disk."""
    if part is None or on_disk(part):
        return part
    if isinstance(part, dict):
        return {k: _arrays(v, f"{label}[{k!r}]") for k, v in part.items()}
    if isinstance(part, (list, tuple)) and len(part) <= MANY and all(hasattr(a, "shape") for a in part):
        return [_arrays(a, f"{label}[{i}]") for i, a in enumerate(part)]
    return data.as_rows(part, label)


def _of(x, shuffle_key):
    if isinstance(x, PyDataset):
        return DatasetSource(x, shuffle_key)
    if isinstance(x, _NO_BATCHES) or not hasattr(x, "__iter__"):
        return None
    if hasattr(x, "__array__") or hasattr(x, "__dlpack__") or hasattr(x, "to_numpy") or hasattr(x, "_keras_history"):
        return None
    if hasattr(x, "__next__") or not hasattr(x, "__getitem__"):
        return StreamSource(x)
    return None
