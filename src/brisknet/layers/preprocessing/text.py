"""Text into words: what TextVectorization standardises, splits and joins, with TensorFlow's notion of letters and spaces."""

from __future__ import annotations

import re
import string

import numpy as np

from brisknet.layers.preprocessing.tokens import as_strings

__all__ = ["STANDARDIZE", "as_lists", "checked_lists", "joined", "ngrams_of", "text_values", "text_array"]

PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_STRIP = str.maketrans("", "", PUNCTUATION)

# Letters and signs beyond ASCII stay as they are, as TensorFlow's byte strings leave them.
STANDARDIZE = {"lower": _LOWER, "strip_punctuation": _STRIP, "lower_and_strip_punctuation": {**_LOWER, **_STRIP}}

_words = re.compile(r"[^ \t\n\r\x0b\x0c]+").findall  # what lies between ASCII's white space


def text_array(x, name: str) -> np.ndarray:
    """x as an array of objects (long texts beside short ones cost no room), or the array of strings that it is."""
    if hasattr(x, "to_numpy") and not isinstance(x, np.ndarray):
        x = x.to_numpy()
    if not isinstance(x, np.ndarray):
        x = np.array(x, object)
    if x.dtype.kind not in "USOT":
        raise TypeError(f"{name}: texts expected, got dtype {x.dtype}")
    return x


def text_values(x: np.ndarray, standardize, encoding: str, name: str) -> list[str]:
    """The texts of x, flat and standardised; a function gets an array of str and gives one of the same shape."""
    values = as_strings(x, name, encoding, hint="a text is one str")
    if standardize is None:
        return values
    if isinstance(standardize, str):
        table = STANDARDIZE[standardize]
        return [v.translate(table) for v in values]
    given = np.asarray(standardize(np.array(values, np.str_).reshape(x.shape)))
    if given.shape != x.shape:
        raise ValueError(f"{name}: standardize must give an array of the shape it gets, {x.shape}, but gave {given.shape}")
    return as_strings(given, f"{name}: standardize", encoding)


def as_lists(values: list[str], split, name: str) -> list[list[str]]:
    """The tokens of each text: its words, its characters, or what a function of an array of texts gives."""
    if split == "whitespace":
        return [_words(v) for v in values]
    if split == "character":
        return [list(v) for v in values]
    return checked_lists(split(np.array(values, np.str_)), len(values), name)


def checked_lists(given, rows: int, name: str) -> list[list[str]]:
    """What a function for `split` gives, as lists of str; TypeError or ValueError where it is no list of strings a text."""
    lists = [row.tolist() if isinstance(row, np.ndarray) else row for row in given]
    if len(lists) != rows:
        raise ValueError(f"{name}: split must give one list of strings for each of {rows} texts, but gave {len(lists)}")
    for row in lists:
        if not isinstance(row, (list, tuple)) or any(not isinstance(t, str) for t in row):
            raise TypeError(f"{name}: split must give a list of strings for each text, but gave {row!r} among them")
    return [list(row) for row in lists]


def ngrams_of(ngrams, name: str) -> tuple[int, ...] | None:
    """The widths that `ngrams` asks for: 3 means 1, 2 and 3; a tuple is taken as it is."""
    if ngrams is None:
        return None
    widths = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
    whole = isinstance(widths, tuple) and all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in widths)
    if isinstance(ngrams, bool) or not whole or not widths:
        raise ValueError(f"{name}: ngrams must be None, a positive integer or a tuple of them, got {ngrams!r}")
    return widths


def joined(tokens: list[str], widths: tuple[int, ...]) -> list[str]:
    """All n-grams of the first width, then those of the next ...; words of one are joined by spaces."""
    out: list[str] = []
    for n in widths:
        out += tokens if n == 1 else [" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return out
