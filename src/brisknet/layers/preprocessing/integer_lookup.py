"""IntegerLookup."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.graph.ir import Tensor
from brisknet.layers.keras_tensor import KerasTensor
from brisknet.layers.layer import Layer
from brisknet.layers.preprocessing.index_lookup import IndexLookup
from brisknet.layers.preprocessing.tokens import as_ints
from brisknet.ops.lookup import index_of

__all__ = ["IntegerLookup"]


class IntegerLookup(IndexLookup):
    """Integers of a vocabulary as indices, or (invert=True) indices as integers.

    The arguments are those of StringLookup, and

    oov_method   how one of several num_oov_indices is chosen: "floormod", the integer modulo their number, or "farmhash"
    salt         one or two integers: SipHash instead of FarmHash

    On data it computes in NumPy. It can also be a layer of a model, whose step then computes it (with
    oov_method="floormod", and of tokens that int32 holds; there num_oov_indices=0 gives index -1 for other tokens).
    """

    _text = False

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, vocabulary=None, vocabulary_dtype="int64",
        idf_weights=None, invert=False, output_mode="int", sparse=False, pad_to_max_tokens=False, oov_method="floormod",
        salt=None, name=None, **kwargs,
    ):  # fmt: skip
        if vocabulary_dtype != "int64":
            raise ValueError(f'IntegerLookup: vocabulary_dtype must be "int64", got {vocabulary_dtype!r}')
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, oov_method, salt, name=name, **kwargs,
        )  # fmt: skip

    def __call__(self, inputs):
        if isinstance(inputs, (KerasTensor, Tensor)):
            return Layer.__call__(self, inputs)
        return super().__call__(inputs)

    def call(self, inputs):
        return self._in_step(inputs) if isinstance(inputs, Tensor) else super().call(inputs)

    def _values(self, x) -> list[int]:
        return as_ints(x, f"IntegerLookup {self.name!r}").ravel().tolist()

    def _in_step(self, x):
        """Indices in a traced step, as int32; other modes as floats."""
        self._need_vocabulary()
        if self.num_oov_indices > 1 and self.oov_method != "floormod":
            raise ValueError(
                f'IntegerLookup {self.name!r}: oov_method="floormod" expected inside a model, got {self.oov_method!r}; call '
                "the layer on the data first"
            )
        keys, values, oov, start = self._inverse_table() if self.invert else self._table()
        if max(map(abs, keys), default=0) >= 2**31 or max(map(abs, values), default=0) >= 2**31:
            raise ValueError(
                f"IntegerLookup {self.name!r}: tokens that int32 holds expected inside a model, got {max(keys, key=abs)}; "
                "call the layer on the data first"
            )
        order = np.argsort(keys)
        indices = index_of(
            ops.cast(x, "int32"), np.array(keys, np.int32)[order], np.array(values, np.int32)[order], oov, start
        )
        return indices if self.output_mode == "int" else self._encoded(indices, config.floatx())

    def _table(self):
        keys, values = list(self._index), list(self._index.values())
        if self.mask_token is not None:
            keys.append(int(self.mask_token))
            values.append(0 if self.output_mode == "int" else -1)
        return keys, values, self.num_oov_indices, self._oov_start()

    def _inverse_table(self):
        tokens = self.get_vocabulary()
        return list(range(len(tokens))), [int(t) for t in tokens], 1, int(self.oov_token)

    def get_config(self):
        return {**super().get_config(), "vocabulary_dtype": "int64"}
