"""IndexLookup: tokens of a vocabulary as indices. What StringLookup and IntegerLookup have in common."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.layers.preprocessing.adapting import changed, raw_batches
from brisknet.layers.preprocessing.encoding import check_output_mode, check_sparse, encode
from brisknet.layers.preprocessing.hashing import check_salt, hash_bins
from brisknet.layers.preprocessing.tokens import TokenLayer, token_array
from brisknet.layers.preprocessing.vocabulary import Counts, checked_tokens, read_vocabulary
from brisknet.utils.counts import check_count

__all__ = ["IndexLookup"]

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class IndexLookup(TokenLayer):
    """The index of each token. Indices begin with the mask token (if any, and only in "int" mode), then those of tokens
    out of the vocabulary, then the vocabulary. Subclasses say what a token is by _text and _values()."""

    _text: bool

    def __init__(
        self, max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode,
        pad_to_max_tokens, sparse, oov_method="floormod", salt=None, has_input_vocabulary=None, vocabulary_size=None,
        **kwargs,
    ):  # fmt: skip
        owner = type(self).__name__
        super().__init__(**kwargs)
        self.max_tokens = check_count(max_tokens, f"{owner}: max_tokens", least=2, none=True)
        self.num_oov_indices = check_count(num_oov_indices, f"{owner}: num_oov_indices", least=0)
        self.output_mode = check_output_mode(output_mode, MODES, owner)
        self.sparse = check_sparse(sparse, owner)
        self.mask_token, self.oov_token, self.invert = mask_token, oov_token, bool(invert)
        self.pad_to_max_tokens, self.oov_method = bool(pad_to_max_tokens), oov_method
        self.salt = check_salt(salt, owner)
        self._check_arguments(owner, idf_weights, vocabulary)
        self._tokens, self._index, self.idf_weights = [], {}, None
        self._static = vocabulary is not None if has_input_vocabulary is None else bool(has_input_vocabulary)
        self._input_weights = None
        self.built = True
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self, owner, idf_weights, vocabulary) -> None:
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(f"{owner}: pad_to_max_tokens=True needs max_tokens")
        if self.invert and self.output_mode != "int":
            raise ValueError(f'{owner}: output_mode must be "int" where invert is True, got {self.output_mode!r}')
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ValueError(f'{owner}: idf_weights belong to output_mode="tf_idf", got {self.output_mode!r}')
        if self.output_mode == "tf_idf" and vocabulary is not None and idf_weights is None:
            raise ValueError(f'{owner}: a vocabulary with output_mode="tf_idf" needs idf_weights too')
        if self.oov_method not in ("floormod", "farmhash"):
            raise ValueError(f'{owner}: oov_method must be "floormod" or "farmhash", got {self.oov_method!r}')
        if self.salt is not None and not self._text and self.oov_method != "farmhash":
            raise ValueError(f'{owner}: salt belongs to oov_method="farmhash", got {self.oov_method!r}')

    # ---- vocabulary ---------------------------------------------------------------------------------------------
    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """The number of tokens, those for masks and for what is out of the vocabulary included."""
        return len(self._tokens) + self._token_start()

    def get_vocabulary(self, include_special_tokens=True) -> list:
        """The tokens by index; with include_special_tokens=False only those of the vocabulary proper."""
        special = [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices
        return (special if include_special_tokens else []) + list(self._tokens)

    def set_vocabulary(self, vocabulary, idf_weights=None) -> None:
        """Set the tokens from a list, an array or a file of one a line, and with output_mode="tf_idf" their weights.

        ValueError for repeated tokens, more than max_tokens, and weights that do not fit.
        """
        owner = f"{type(self).__name__} {self.name!r}"
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise ValueError(
                f'{owner}: idf_weights expected exactly where output_mode is "tf_idf"; it is {self.output_mode!r}, and '
                f"idf_weights {'missing' if idf_weights is None else 'given'}"
            )
        given = read_vocabulary(vocabulary, self._text, owner)
        special = [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices
        tokens, found = checked_tokens(given, special, self.mask_token, self.oov_token if self.invert else None, owner)
        size = self._token_start() + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(f"{owner}: at most max_tokens={self.max_tokens} tokens expected, got {size} with the special ones")
        weights = None
        if idf_weights is not None:
            weights = np.asarray(idf_weights, np.float64)
            if weights.shape != (len(given),):
                raise ValueError(f"{owner}: one of idf_weights a token, shape ({len(given)},), expected, got {weights.shape}")
        self._take(tokens, weights, found)

    def _take(self, tokens: list, weights=None, with_special=False) -> None:
        start = self._token_start()
        self._tokens = list(tokens)
        self._index = {t: start + i for i, t in enumerate(self._tokens)}
        if weights is not None:
            self._input_weights = weights[start:].tolist() if with_special else weights.tolist()
            if not with_special:  # what is out of the vocabulary weighs the average (Keras)
                weights = np.concatenate([np.full(start, weights.mean()), weights])
            end = self.max_tokens - len(weights) if self.pad_to_max_tokens else 0
            self.idf_weights = np.pad(weights, (0, end)).astype(config.floatx())
        changed()

    def adapt(self, data, steps=None) -> None:
        """Learn the vocabulary: the tokens of an array, or of (at most `steps`) batches of an iterable, the most frequent first.

        With output_mode="tf_idf" every row is a document. ValueError for a layer that was made with a vocabulary.
        """
        self._need_no_vocabulary()
        self._adapt(self._documents(data, steps))

    def _need_no_vocabulary(self) -> None:
        if self._static:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: adapt() is for layers made without vocabulary; this one has it"
            )

    def _documents(self, data, steps):
        """(tokens, how many documents of equal length they are) of each part of the data."""
        for part in raw_batches(data, steps):
            x = token_array(part, f"{type(self).__name__} {self.name!r}: adapt: data")
            single = part is not data and x.ndim == 1  # a batch of rank 1 is one document, an array of rank 1 is many
            yield self._values(x), 1 if single or x.ndim == 0 else len(x)

    def _adapt(self, documents, owner=None) -> None:
        counts = Counts(self.output_mode == "tf_idf")
        for values, rows in documents:
            counts.add(values, rows)
        most = None if self.max_tokens is None else self.max_tokens - self._token_start()
        tokens = counts.ranked({t for t in (self.mask_token, self.oov_token) if t is not None}, most)
        if not tokens:
            raise ValueError(f"{owner or f'{type(self).__name__} {self.name!r}'}: adapt: at least one token expected, got none")
        self._take(tokens, counts.idf(tokens) if self.output_mode == "tf_idf" else None)

    # ---- lookup -------------------------------------------------------------------------------------------------
    def _need_vocabulary(self, owner=None) -> None:
        if not self._tokens:
            raise ValueError(
                f"{owner or f'{type(self).__name__} {self.name!r}'} has no vocabulary yet: call adapt(data) or set_vocabulary(tokens), or "
                "give vocabulary to the layer"
            )

    def _depth(self) -> int:
        return self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()

    def call(self, inputs):
        self._need_vocabulary()
        x = token_array(inputs, f"{type(self).__name__} {self.name!r}")
        if self.invert:
            return self._tokens_of(x)
        return self._encoded(self._indices(self._values(x)).reshape(x.shape), "int64")

    def _encoded(self, indices, dtype: str):
        if self.output_mode != "tf_idf":
            return encode(indices, self.output_mode, self._depth(), dtype)
        return encode(indices, "count", self._depth(), config.floatx()) * self.idf_weights

    def _indices(self, values: list) -> np.ndarray:
        """int64 indices of a list of tokens; -1 for a mask in modes that leave it out."""
        get, masked = self._index.get, 0 if self.output_mode == "int" else -1
        out = np.fromiter((get(v, -2) for v in values), np.int64, len(values))
        other = np.flatnonzero(out == -2)
        mask = np.fromiter((self.mask_token is not None and values[i] == self.mask_token for i in other), bool, len(other))
        out[other[mask]] = masked
        other = other[~mask]
        if len(other):
            out[other] = self._out_of_vocabulary([values[i] for i in other])
        return out

    def _out_of_vocabulary(self, values: list):
        if self.num_oov_indices == 0:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: tokens of the vocabulary expected, as num_oov_indices is 0, got "
                f"{sorted(set(values))[:5]}; use num_oov_indices=1"
            )
        if self.num_oov_indices == 1:
            return self._oov_start()
        if self._text or self.oov_method == "farmhash":
            return hash_bins(map(str, values), self.num_oov_indices, self.salt) + self._oov_start()
        return np.asarray(values, np.int64) % self.num_oov_indices + self._oov_start()

    def _tokens_of(self, x) -> np.ndarray:
        """The tokens of indices."""
        from brisknet.layers.preprocessing.tokens import as_ints

        table = np.array([*self.get_vocabulary(), self.oov_token], None if self._text else np.int64)
        indices = as_ints(x, f"{type(self).__name__} {self.name!r}")
        inside = (indices >= 0) & (indices < len(table) - 1)
        return table[np.where(inside, indices, len(table) - 1)]

    def get_config(self):
        adapted = {} if self._static or not self._tokens else {"has_input_vocabulary": False}
        return {
            **super().get_config(), "invert": self.invert, "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices, "oov_token": self.oov_token, "mask_token": self.mask_token,
            "output_mode": self.output_mode, "sparse": self.sparse, "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": self._input_weights, "vocabulary": list(self._tokens) or None,
            "vocabulary_size": self.vocabulary_size() if self._tokens else None, "oov_method": self.oov_method,
            "salt": self.salt, **adapted,
        }  # fmt: skip
