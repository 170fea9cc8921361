"""split_dataset: two parts of data, for training and for validation."""

from __future__ import annotations

import numpy as np

from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.training import data
from brisknet.training.sources import find_source

__all__ = ["split_dataset"]


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None, preferred_backend=None):
    """(left, right): the rows of an array, or of a tuple, list or dict of arrays, in two parts of the same structure.

    left_size, right_size   a share between 0 and 1 or a number of rows; one of them may be left out
    shuffle, seed           draw the rows at random before they are split
    preferred_backend       Keras' argument, which changes nothing here

    A PyDataset or an iterable of batches is read to its end first. (x, y) gives ((x, y), (x, y)), so that
    `fit(*left, validation_data=right)` trains on one part and validates on the other. ValueError for sizes that do not
    fit the data.
    """
    dataset = _in_memory(dataset)
    rows = data.same_length({f"dataset[{i}]": a for i, a in enumerate(flatten(dataset))})
    left, right = _sizes(rows, left_size, right_size)
    order = np.random.default_rng(seed).permutation(rows) if shuffle else None

    def part(start, stop):
        at = slice(start, stop) if order is None else order[start:stop]
        return map_structure(lambda a: a[at], dataset)

    return part(0, left), part(rows - right, rows)


def _in_memory(dataset):
    source = find_source(dataset)
    if source is None:
        if isinstance(dataset, (tuple, list)) and all(hasattr(a, "shape") for a in dataset) or isinstance(dataset, dict):
            return map_structure(lambda a: data.as_rows(a, "dataset"), dataset)
        return data.as_rows(dataset, "dataset")
    if source.num_batches is None and not getattr(source, "once", True):
        raise ValueError("split_dataset: a data set with an end expected, got one whose num_batches is None")
    batches = list(source.batches(0))
    if not batches:
        raise ValueError("split_dataset: at least one batch expected, got none")
    first, columns = batches[0], zip(*(flatten(b) for b in batches), strict=True)
    todo = [np.concatenate([np.asarray(a) for a in column]) for column in columns]
    first = tuple(first) if isinstance(first, list) else first
    return map_structure(lambda _: todo.pop(0), first)


def _sizes(rows: int, left, right) -> tuple[int, int]:
    """Both sizes as numbers of rows (Keras' rounding)."""
    if left is None and right is None:
        raise ValueError("split_dataset: left_size or right_size must be given, got None for both")
    for size, name in ((left, "left_size"), (right, "right_size")):
        if size is None:
            continue
        share = isinstance(size, (float, np.floating)) and 0 < size < 1
        count = isinstance(size, (int, np.integer)) and not isinstance(size, bool) and 0 < size < rows
        if not share and not count:
            raise ValueError(
                f"split_dataset: {name} must be a share between 0 and 1 or a number of rows from 1 to {rows - 1}, got {size!r}"
            )
    if isinstance(left, float) and isinstance(right, float) and left + right > 1:
        raise ValueError(f"split_dataset: left_size + right_size must be at most 1, got {left + right}")
    left = round(left * rows) if isinstance(left, float) else left
    right = round(right * rows) if isinstance(right, float) else right
    left, right = rows - right if left is None else left, rows - left if right is None else right
    if left + right > rows or not left or not right:
        raise ValueError(f"split_dataset: parts of at least one row that fit into {rows} rows expected, got {left} and {right}")
    return int(left), int(right)
