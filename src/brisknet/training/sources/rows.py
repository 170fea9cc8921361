"""Arrays on disk that cannot be read in place: each batch is read when it is due, and never the whole."""

from __future__ import annotations

import numpy as np

from brisknet.layers.keras_tensor import flatten, map_structure

__all__ = ["RowsSource", "on_disk"]

# Views of files smaller than this are simply read.
SMALL_BYTES = 1 << 22


def on_disk(x) -> bool:
    """True for a chunked store (HDF5, zarr), and for a large memory-mapped view whose rows do not lie one after another.

    Any other memory-mapped array is fed as it is: rows are gathered from the file's pages.
    """
    if isinstance(x, np.ndarray):
        in_place = x.flags.c_contiguous and x.dtype.isnative
        return isinstance(x, np.memmap) and not in_place and x.nbytes > SMALL_BYTES
    return hasattr(x, "chunks") and hasattr(x, "shape") and hasattr(x, "__getitem__") and len(x.shape) > 0


class RowsSource:
    """Batches of rows of (x, y, sample_weight), structures of sliceable arrays; rows start..stop of them."""

    what = "array on disk"

    def __init__(self, data, batch: int, shuffle_key=None, rows: range | None = None):
        self.data, self.batch, self.shuffle_key = data, batch, shuffle_key
        sizes = {len(a) for a in flatten(data) if a is not None}
        if len(sizes) != 1:
            raise ValueError(f"all arrays must have the same number of rows, but they have {sorted(sizes)}")
        self.rows = range(sizes.pop()) if rows is None else rows
        if not len(self.rows):
            raise ValueError("x: at least one row expected, got an empty array")

    @property
    def num_batches(self) -> int:
        return -(-len(self.rows) // self.batch)

    def split(self, fraction: float):
        """(the first part, the last `fraction` of the rows), as validation_split has them."""
        at = self.rows.start + int(np.floor(len(self.rows) * (1.0 - fraction)))
        return (
            RowsSource(self.data, self.batch, self.shuffle_key, range(self.rows.start, at)),
            RowsSource(self.data, self.batch, None, range(at, self.rows.stop)),
        )

    def first(self):
        return self._read(np.arange(self.rows.start, min(self.rows.start + self.batch, self.rows.stop)), False)

    def batches(self, epoch: int):
        order = None
        if self.shuffle_key is not None:
            order = np.random.default_rng((self.shuffle_key, epoch)).permutation(len(self.rows)) + self.rows.start
        for at in range(0, len(self.rows), self.batch):
            if order is None:
                start = self.rows.start + at
                yield self._read(np.arange(start, min(start + self.batch, self.rows.stop)), False)
            else:
                yield self._read(order[at : at + self.batch], True)

    def _read(self, rows: np.ndarray, scattered: bool):
        """These rows of all arrays. Files are read from front to back (HDF5 takes row numbers in no other order)."""
        by_place = np.argsort(rows, kind="stable")
        back = np.argsort(by_place, kind="stable")

        def read(a):
            if a is None:
                return None
            if not scattered:
                return np.asarray(a[int(rows[0]) : int(rows[-1]) + 1])
            return np.asarray(a[rows[by_place]])[back]

        return tuple(map_structure(read, part) for part in self.data)

    def begin(self) -> None:
        """Nothing to tell an array."""

    end = begin
