"""What a vocabulary may be, how it is learnt, and how its tokens are weighted."""

from __future__ import annotations

from collections import Counter

import numpy as np

__all__ = ["Counts", "checked_tokens", "read_vocabulary"]


def read_vocabulary(vocabulary, text: bool, owner: str) -> list:
    """The tokens of a list, an array, or a text file of one token a line."""
    if isinstance(vocabulary, str):
        try:
            with open(vocabulary, encoding="utf-8") as f:
                lines = f.read().splitlines()
        except OSError as error:
            raise ValueError(f"{owner}: vocabulary file {vocabulary!r} can't be read ({error.strerror})") from None
        return lines if text else [int(line) for line in lines]
    if hasattr(vocabulary, "to_numpy"):
        vocabulary = vocabulary.to_numpy()
    tokens = vocabulary.tolist() if isinstance(vocabulary, np.ndarray) else list(vocabulary)
    tokens = [t.decode() if isinstance(t, bytes) else t for t in tokens]
    kind, what = ((str,), "strings") if text else ((int, np.integer), "integers")
    for t in tokens:
        if not isinstance(t, kind) or isinstance(t, bool):
            raise ValueError(f"{owner}: a vocabulary of {what} expected, got {t!r}")
    return [str(t) if text else int(t) for t in tokens]


def checked_tokens(tokens: list, special: list, mask_token, oov_token, owner: str):
    """(the tokens without the special ones in front, whether these were there); ValueError for repeated or misplaced ones."""
    if not tokens:
        raise ValueError(f"{owner}: a vocabulary of at least one token expected, got an empty one")
    found = bool(special) and tokens[: len(special)] == special
    rest = tokens[len(special) :] if found else tokens
    repeated = [t for t, n in Counter(rest).items() if n > 1]
    if repeated:
        raise ValueError(f"{owner}: different tokens expected in the vocabulary, got these more than once: {repeated[:10]}")
    for token, name in ((mask_token, "mask"), (oov_token, "OOV")):
        if token is not None and token in rest:
            raise ValueError(
                f"{owner}: the {name} token {token!r} may only stand at the start of the vocabulary, which is {special} or "
                f"nothing; got it at index {tokens.index(token, len(special) if found else 0)}"
            )
    return rest, found


class Counts:
    """How often tokens occur, and where by_row is True, in how many documents (rows)."""

    def __init__(self, by_row: bool):
        self.by_row = by_row
        self.tokens, self.documents, self.rows = Counter(), Counter(), 0

    def add(self, values: list, rows: int) -> None:
        """Count `values`, of `rows` documents of equal length one after another."""
        self.tokens.update(values)
        if not self.by_row:
            return
        width = len(values) // max(rows, 1)
        for r in range(rows):
            self.documents.update(set(values[r * width : (r + 1) * width]))
        self.rows += rows

    def ranked(self, without, most: int | None) -> list:
        """The tokens by number of occurrences, then by themselves, from high to low (Keras), at most `most`."""
        found = [t for t in self.tokens if t not in without]
        return sorted(found, key=lambda t: (self.tokens[t], t), reverse=True)[:most]

    def idf(self, tokens: list) -> np.ndarray:
        """log(1 + documents / (1 + documents with the token))."""
        seen = np.array([self.documents[t] for t in tokens], np.float64)
        return np.log(1 + self.rows / (1 + seen))
