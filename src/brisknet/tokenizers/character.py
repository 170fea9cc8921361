"""CharacterTokenizer."""

from __future__ import annotations

import numpy as np

from brisknet.tokenizers.base import Tokenizer, check_ids, check_text, check_texts

__all__ = ["CharacterTokenizer"]


class CharacterTokenizer(Tokenizer):
    """Every character of a text is a token.

    characters   the vocabulary, a str or a list of single characters; otherwise train() learns it
    unknown      a character that stands for those out of the vocabulary; without it they are an error
    """

    def __init__(self, characters="", unknown=None):
        letters = [check_text(c, "CharacterTokenizer: characters") for c in characters]
        if any(len(c) != 1 for c in letters) or len(set(letters)) != len(letters):
            raise ValueError(f"CharacterTokenizer: different single characters expected, got {characters!r}")
        if unknown is not None and (not isinstance(unknown, str) or len(unknown) != 1):
            raise ValueError(f"CharacterTokenizer: unknown must be one character or None, got {unknown!r}")
        self.unknown = unknown
        self._set(letters)

    def _set(self, letters: list[str]) -> None:
        if self.unknown is not None and letters and self.unknown not in letters:
            letters = [*letters, self.unknown]
        self._letters = letters
        codes = np.array([ord(c) for c in letters], np.uint32)
        self._order = np.argsort(codes).astype(np.int32)
        self._codes = codes[self._order]

    def train(self, texts) -> CharacterTokenizer:
        """Learn the characters of one text or several, in the order of their codes; returns self."""
        found = set().union(*map(set, check_texts(texts, "CharacterTokenizer.train")))
        if not found:
            raise ValueError("CharacterTokenizer.train: at least one character expected, got none")
        self._set(sorted(found))
        return self

    def vocabulary_size(self) -> int:
        """The number of characters."""
        return len(self._letters)

    def get_vocabulary(self) -> list[str]:
        """The characters by id."""
        return list(self._letters)

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text, int32 [characters]; ValueError for characters out of the vocabulary where there is no `unknown`."""
        owner = "CharacterTokenizer.encode"
        if not self._letters:
            raise ValueError(f"{owner}: there is no vocabulary yet: call train(text), or give characters to the tokenizer")
        codes = np.frombuffer(check_text(text, owner).encode("utf-32-le", "surrogatepass"), "<u4")
        at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        ids, missing = self._order[at], self._codes[at] != codes
        if missing.any():
            if self.unknown is None:
                where = int(np.argmax(missing))
                raise ValueError(
                    f"{owner}: characters of the vocabulary of {len(self._letters)} expected, got {text[where]!r} at position "
                    f"{where}; train on a text that has it, or make the tokenizer with unknown='?'"
                )
            ids[missing] = self._letters.index(self.unknown)
        return ids

    def decode(self, ids) -> str:
        """The text of ids [n]."""
        return "".join(self._letters[i] for i in check_ids(ids, len(self._letters), "CharacterTokenizer.decode").tolist())

    def get_config(self) -> dict:
        return {"characters": "".join(self._letters), "unknown": self.unknown}
