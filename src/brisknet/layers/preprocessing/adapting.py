"""What adapt() learns from: an array, or batches of a data set or an iterable."""

from __future__ import annotations

import itertools

from brisknet import config
from brisknet.training import data

__all__ = ["changed", "number_batches", "raw_batches"]

BLOCK_ROWS = 1 << 16  # of one array: as large ones are memory-mapped, no copy of the whole is made


def raw_batches(given, steps=None):
    """The parts of `given` in order, as they come: of an iterable each x, else `given` alone. At most `steps` batches."""
    from brisknet.training.sources import find_source, unpack_x_y_sample_weight  # sources are made of layers' parts

    data.check_count(steps, "adapt: steps", none=True)
    source = find_source(given, name="adapt: data")
    if source is None:
        yield given
        return
    for batch in itertools.islice(source.batches(0), steps):
        yield unpack_x_y_sample_weight(batch)[0] if isinstance(batch, tuple) else batch


def number_batches(given, steps=None, block=BLOCK_ROWS):
    """The same as arrays of numbers, in blocks of rows; a list of arrays is a list of batches (as in Keras)."""
    if isinstance(given, (list, tuple)) and given and all(len(getattr(a, "shape", ())) > 0 for a in given):
        given = iter(given)
    for part in raw_batches(given, steps):
        array = data.to_array(part, "adapt: data")
        if array.ndim == 0:
            raise ValueError(f"adapt: an array or batches of arrays expected, got the single number {array}")
        if not len(array):
            raise ValueError("adapt: at least one row expected, got an empty array")
        for at in range(0, len(array), block or len(array)):
            yield array[at : at + (block or len(array))]


def changed() -> None:
    """A layer has learnt something that compiled programs hold as a constant: they are traced anew."""
    config._changed()
