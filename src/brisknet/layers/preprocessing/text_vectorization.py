"""TextVectorization."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.layers.preprocessing.adapting import raw_batches
from brisknet.layers.preprocessing.encoding import check_output_mode, check_sparse
from brisknet.layers.preprocessing.string_lookup import StringLookup
from brisknet.layers.preprocessing.text import STANDARDIZE, as_lists, joined, ngrams_of, text_array, text_values
from brisknet.layers.preprocessing.tokens import TokenLayer
from brisknet.saving import functions
from brisknet.utils.counts import check_count

__all__ = ["TextVectorization"]

MODES = ("int", "multi_hot", "count", "tf_idf")


class TextVectorization(TokenLayer):
    """Texts as rows of word indices, or of counts of words.

    max_tokens               the largest vocabulary that adapt() makes, "" (padding) and "[UNK]" included
    standardize              "lower_and_strip_punctuation", "lower", "strip_punctuation" (all of ASCII only, as in Keras),
                             None, or a function of an array of str that gives an array of the same shape
    split                    "whitespace" (ASCII's), "character", None: texts are tokens already; or a function of an array
                             [texts] that gives a list of strings for each
    ngrams                   n: also every 2 to n neighbours, joined by spaces; a tuple: of these lengths only
    output_mode              "int": indices, int64 [texts, longest], 0 behind the end; "multi_hot" (int64), "count" (int64)
                             and "tf_idf" (float): [texts, vocabulary], without an index for padding
    output_sequence_length   "int": the rows are cut or padded to this length
    pad_to_max_tokens        the other modes: rows of max_tokens numbers, however small the vocabulary
    vocabulary, idf_weights  as in StringLookup; otherwise adapt() learns them

    It computes in NumPy: use it on the data, before fit and predict, or call it on the batches of a pipeline. Texts are
    one str a row: [texts], [texts, 1], a list, a series of pandas or polars. Functions for standardize and split are
    written into configs by their name where they are registered.
    """

    def __init__(
        self, max_tokens=None, standardize="lower_and_strip_punctuation", split="whitespace", ngrams=None,
        output_mode="int", output_sequence_length=None, pad_to_max_tokens=False, vocabulary=None, idf_weights=None,
        sparse=False, ragged=False, encoding="utf-8", name=None, has_input_vocabulary=None, vocabulary_size=None,
        **kwargs,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        owner = "TextVectorization"
        check_sparse(sparse, owner)
        if ragged:
            raise ValueError(f"{owner}: ragged=True is not supported; leave it at False: rows are padded with 0")
        self.standardize = _known(standardize, STANDARDIZE, "standardize")
        self.split = _known(split, ("whitespace", "character"), "split")
        self.ngrams, self._widths = ngrams, ngrams_of(ngrams, owner)
        self.output_mode = check_output_mode(output_mode, MODES, owner)
        self.output_sequence_length = check_count(output_sequence_length, f"{owner}: output_sequence_length", 0, none=True)
        if output_sequence_length is not None and self.output_mode != "int":
            raise ValueError(f'{owner}: output_sequence_length belongs to output_mode="int", got {self.output_mode!r}')
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights, output_mode=self.output_mode,
            pad_to_max_tokens=pad_to_max_tokens, encoding=encoding, has_input_vocabulary=has_input_vocabulary, name=self.name,
        )  # fmt: skip
        self.built = True

    # ---- vocabulary ---------------------------------------------------------------------------------------------
    def get_vocabulary(self, include_special_tokens=True) -> list[str]:
        """The tokens by index; with include_special_tokens=False only those of the vocabulary proper."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of tokens, those for padding and for what is out of the vocabulary included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary, idf_weights=None) -> None:
        """Set the tokens from a list, an array or a file of one a line, and with output_mode="tf_idf" their weights."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data, batch_size=None, steps=None) -> None:
        """Learn the vocabulary from texts, or from (at most `steps`) batches of them: the most frequent tokens first, ties by
        the tokens themselves from high to low (Keras). batch_size is Keras' argument, which changes nothing."""
        self._lookup_layer._need_no_vocabulary()
        self._lookup_layer._adapt(self._documents(data, steps), self._label)

    def _documents(self, data, steps):
        for part in raw_batches(data, steps):
            lists, lead = self._tokens(part, f"{self._label}: adapt: data")
            if self.split is None and part is data and len(lead) == 0:
                lists = [[t] for t in lists[0]]  # an array of rank 1 is many documents, a batch is one
            yield from ((tokens, 1) for tokens in lists)

    # ---- texts --------------------------------------------------------------------------------------------------
    @property
    def _label(self) -> str:
        return f"TextVectorization {self.name!r}"

    def _tokens(self, texts, name: str):
        """(the tokens of each row, the shape of the rows). Without a split the last axis is that of the tokens."""
        x = text_array(texts, name)
        if self.split is not None and x.ndim > 1:
            if x.shape[-1] != 1:
                raise ValueError(f"{name}: one text a row, shape (rows,) or (rows, 1), expected, got shape {x.shape}")
            x = x[..., 0]
        values = text_values(x, self.standardize, self.encoding, name)
        if self.split is None:
            lead, width = x.shape[:-1], x.shape[-1] if x.ndim else 1
            rows = int(np.prod(lead, dtype=np.int64))
            lists = [values[i * width : (i + 1) * width] for i in range(rows)]
        else:
            lead, lists = x.shape, as_lists(values, self.split, name)
        return ([joined(row, self._widths) for row in lists] if self._widths else lists), lead

    def call(self, inputs):
        lookup = self._lookup_layer
        self._lookup_layer._need_vocabulary(self._label)
        lists, lead = self._tokens(inputs, self._label)
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        indices = lookup._indices([t for row in lists for t in row])
        rows = np.repeat(np.arange(len(lists)), lengths)
        if self.output_mode == "int":
            return self._padded(indices, rows, lengths).reshape(*lead, -1 if lists else self.output_sequence_length or 0)
        out = np.zeros((len(lists), lookup._depth()), np.int64)
        kept = indices >= 0
        np.add.at(out, (rows[kept], indices[kept]), 1)
        if self.output_mode == "multi_hot":
            np.minimum(out, 1, out=out)
        out = out.reshape(*lead, lookup._depth())
        return out.astype(config.floatx()) * lookup.idf_weights if self.output_mode == "tf_idf" else out

    def _padded(self, indices, rows, lengths):
        width = int(lengths.max(initial=0)) if self.output_sequence_length is None else self.output_sequence_length
        out = np.zeros((len(lengths), width), np.int64)
        at = np.arange(len(indices)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        kept = at < width
        out[rows[kept], at[kept]] = indices[kept]
        return out

    def compute_output_shape(self, input_shape):
        """"int": (texts, output_sequence_length); the other modes: (texts, vocabulary)."""
        shape = tuple(input_shape)
        if self.split is not None and len(shape) > 1:
            shape = shape[:-1]
        lead = shape if self.split is not None else shape[:-1]
        return (*lead, self.output_sequence_length if self.output_mode == "int" else self._lookup_layer._depth())

    # ---- config -------------------------------------------------------------------------------------------------
    def get_config(self):
        own = self._lookup_layer.get_config()
        kept = ("max_tokens", "pad_to_max_tokens", "sparse", "vocabulary", "idf_weights", "vocabulary_size", "encoding")
        learnt = {k: own[k] for k in ("has_input_vocabulary",) if k in own}
        return {
            **super().get_config(), **{k: own[k] for k in kept}, **learnt, "standardize": _written(self.standardize),
            "split": _written(self.split), "ngrams": self.ngrams, "output_mode": self.output_mode,
            "output_sequence_length": self.output_sequence_length, "ragged": False,
        }  # fmt: skip

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """A layer from get_config()'s dict; ValueError where it names a function that is neither registered nor given."""
        config = dict(config)
        for key in ("standardize", "split"):
            if functions.is_config(config.get(key)):
                config[key] = functions.deserialize(config[key], custom_objects)
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return cls(**config)


def _known(given, names, argument: str):
    if given is None or callable(given) or isinstance(given, str) and given in names:
        return given
    raise ValueError(
        f"TextVectorization: {argument} must be None, a function, or one of {', '.join(map(repr, names))}, got {given!r}"
    )


def _written(thing):
    return functions.serialize(thing) if callable(thing) else thing
