"""Hashing: strings and integers into a fixed number of bins."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.layers.arguments import positive_int
from brisknet.layers.preprocessing.encoding import check_output_mode, check_sparse, encode
from brisknet.layers.preprocessing.fingerprints import fingerprint64, siphash
from brisknet.layers.preprocessing.tokens import TokenLayer, as_ints, as_strings, is_text, token_array

__all__ = ["Hashing", "check_salt", "hash_bins"]


class Hashing(TokenLayer):
    """The bin 0..num_bins-1 of each string or integer, by hash: the same bins as Keras on TensorFlow.

    mask_value    the value that has bin 0 to itself
    salt          one or two integers: SipHash under that key instead of FarmHash
    output_mode   "int" (int64), "one_hot", "multi_hot" or "count", as in CategoryEncoding
    """

    def __init__(self, num_bins, mask_value=None, salt=None, output_mode="int", sparse=False, **kwargs):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else config.floatx()
        super().__init__(**kwargs)
        self.num_bins = positive_int(num_bins, "Hashing: num_bins")
        self.output_mode = check_output_mode(output_mode, ("int", "one_hot", "multi_hot", "count"), "Hashing")
        if self.output_mode == "int" and self.dtype not in ("int32", "int64"):
            raise ValueError(f'Hashing: dtype must be "int32" or "int64" where output_mode is "int", got {self.dtype!r}')
        self.sparse = check_sparse(sparse, "Hashing")
        self.mask_value, self.salt = mask_value, check_salt(salt, "Hashing")
        self.built = True

    def call(self, inputs):
        x = token_array(inputs, f"Hashing {self.name!r}")
        masks = self.mask_value is not None and self.num_bins > 1
        text = is_text(x)
        values = as_strings(x, f"Hashing {self.name!r}") if text else as_ints(x, f"Hashing {self.name!r}").ravel().tolist()
        bins = hash_bins(values if text else map(str, values), self.num_bins - masks, self.salt)
        if masks:
            given = x.ravel().tolist() if not text else values
            bins = np.where(np.fromiter((v == self.mask_value for v in given), bool, len(bins)), 0, bins + 1)
        return encode(bins.reshape(x.shape), self.output_mode, self.num_bins, self.dtype)

    def get_config(self):
        return {**super().get_config(), "num_bins": self.num_bins, "salt": self.salt, "mask_value": self.mask_value,
                "output_mode": self.output_mode, "sparse": self.sparse}  # fmt: skip


def check_salt(salt, owner: str):
    """A salt as a list of two integers, or None; ValueError for anything else."""
    if salt is None:
        return None
    pair = list(salt) if isinstance(salt, (tuple, list)) else [salt, salt]
    if len(pair) != 2 or any(isinstance(k, bool) or not isinstance(k, (int, np.integer)) for k in pair):
        raise ValueError(f"{owner}: salt must be an integer or two of them, got {salt!r}")
    return [int(k) for k in pair]


def hash_bins(strings, bins: int, salt=None) -> np.ndarray:
    """int64: the hash of each string modulo `bins`. Every different string is hashed once."""
    strings = list(strings)
    if salt is None:
        known = {s: fingerprint64(s.encode()) % bins for s in set(strings)}
    else:
        known = {s: siphash(s.encode(), tuple(salt)) % bins for s in set(strings)}
    return np.fromiter((known[s] for s in strings), np.int64, len(strings))
