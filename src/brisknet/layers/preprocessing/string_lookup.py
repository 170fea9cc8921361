"""StringLookup."""

from __future__ import annotations

from brisknet.layers.preprocessing.index_lookup import IndexLookup
from brisknet.layers.preprocessing.tokens import as_strings

__all__ = ["StringLookup"]


class StringLookup(IndexLookup):
    """Strings of a vocabulary as indices, or (invert=True) indices as strings.

    max_tokens          the largest vocabulary that adapt() makes, special tokens included
    num_oov_indices     indices for strings out of the vocabulary: 0 makes them an error, several are chosen by hash
    mask_token          a string with index 0 in "int" mode, left out in the others
    oov_token           what invert=True gives for indices out of the vocabulary
    vocabulary          a list, an array or a text file of one string a line; otherwise adapt() learns it
    idf_weights         one weight a token, for "tf_idf"
    output_mode         "int" (int64); "one_hot", "multi_hot" and "count" as in CategoryEncoding (int64); "tf_idf": counts
                        times weights (float)
    pad_to_max_tokens   rows of max_tokens numbers, however small the vocabulary
    salt                one or two integers: SipHash for strings out of the vocabulary

    It computes in NumPy: use it on the data, before fit and predict.
    """

    _text = True

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]", vocabulary=None, idf_weights=None,
        invert=False, output_mode="int", pad_to_max_tokens=False, sparse=False, encoding="utf-8", name=None, salt=None,
        **kwargs,
    ):  # fmt: skip
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
            pad_to_max_tokens, sparse, salt=salt, name=name, **kwargs,
        )  # fmt: skip

    def _values(self, x) -> list[str]:
        return as_strings(x, f"StringLookup {self.name!r}", self.encoding)

    def get_config(self):
        return {**super().get_config(), "encoding": self.encoding}
