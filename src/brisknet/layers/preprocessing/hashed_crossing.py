"""HashedCrossing: combinations of categories into a fixed number of bins."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.layers.arguments import positive_int
from brisknet.layers.preprocessing.encoding import check_output_mode, check_sparse, encode
from brisknet.layers.preprocessing.fingerprints import CROSS_KEY, concatenated, fingerprint64
from brisknet.layers.preprocessing.tokens import TokenLayer, as_strings, is_text, token_array

__all__ = ["HashedCrossing"]


class HashedCrossing(TokenLayer):
    """The bin 0..num_bins-1 of each combination of two or more features: the same bins as Keras on TensorFlow.

    Called on a list or tuple of features of one shape, (), (rows,) or (rows, 1), each of strings or integers.

    output_mode   "int" (int64) or "one_hot"
    """

    def __init__(self, num_bins, output_mode="int", sparse=False, name=None, dtype=None, **kwargs):
        if dtype is None:
            dtype = "int64" if output_mode == "int" else config.floatx()
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins = positive_int(num_bins, "HashedCrossing: num_bins")
        self.output_mode = check_output_mode(output_mode, ("int", "one_hot"), "HashedCrossing")
        self.sparse = check_sparse(sparse, "HashedCrossing")
        self.built = True

    def call(self, inputs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(f"HashedCrossing {self.name!r}: a list of two or more features expected, got {_told(inputs)}")
        arrays = [token_array(x, f"HashedCrossing {self.name!r}: feature {i}") for i, x in enumerate(inputs)]
        shape = arrays[0].shape
        if len(shape) > 2 or len(shape) == 2 and shape[1] != 1 or any(a.shape != shape for a in arrays):
            raise ValueError(
                f"HashedCrossing {self.name!r}: features of one shape, (), (rows,) or (rows, 1), expected, got "
                f"{[a.shape for a in arrays]}"
            )
        columns = [self._prints(a, i) for i, a in enumerate(arrays)]
        known: dict = {}
        bins = np.empty(arrays[0].size, np.int64)
        for at, row in enumerate(zip(*columns, strict=True)):
            if row not in known:
                result = CROSS_KEY
                for part in row:
                    result = concatenated(result, part)
                known[row] = result % self.num_bins
            bins[at] = known[row]
        return encode(bins.reshape(shape), self.output_mode, self.num_bins, self.dtype)

    def _prints(self, array, i: int) -> list[int]:
        """The fingerprints of one feature: of an integer, itself."""
        name = f"HashedCrossing {self.name!r}: feature {i}"
        if is_text(array):
            values = as_strings(array, name)
            known = {s: fingerprint64(s.encode()) for s in set(values)}
            return [known[s] for s in values]
        if array.dtype.kind not in "iu":
            raise ValueError(f"{name}: strings or integers expected, got dtype {array.dtype}")
        return array.ravel().tolist()

    def get_config(self):
        return {"num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse, "name": self.name,
                "dtype": self.dtype}  # fmt: skip


def _told(inputs) -> str:
    return f"a {type(inputs).__name__} of {len(inputs)}" if isinstance(inputs, (list, tuple)) else f"a {type(inputs).__name__}"
