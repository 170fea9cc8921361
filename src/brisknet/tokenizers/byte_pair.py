"""BytePairTokenizer."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from brisknet.tokenizers.base import Tokenizer, check_ids, check_text, check_texts
from brisknet.tokenizers.merges import learn_merges, merged, split_words
from brisknet.utils.counts import check_count

__all__ = ["BytePairTokenizer"]

KEPT = 1 << 16  # words whose tokens are remembered


class BytePairTokenizer(Tokenizer):
    """Frequent runs of bytes are tokens: ids 0 to 255 are the bytes, the next ones merges of two tokens, the last ones special.

    merges           [(a, b), ...]: token 256 + i is token a followed by token b; otherwise train() learns them
    special_tokens   texts such as "<|end|>" that are one token each, where encode() is asked to look for them

    Every text, in any script, is encoded, and decode(encode(text)) is that text.
    """

    def __init__(self, merges=(), special_tokens=()):
        self._bytes = [bytes([i]) for i in range(256)]
        self._ranks: dict[tuple[int, int], int] = {}
        self._add(merges)
        specials = [special_tokens] if isinstance(special_tokens, str) else list(special_tokens)
        if any(not isinstance(t, str) or not t for t in specials) or len(set(specials)) != len(specials):
            raise ValueError(f"BytePairTokenizer: special_tokens must be different texts, got {special_tokens!r}")
        self.special_tokens = specials

    def _add(self, merges) -> None:
        """Take the merges; ValueError for tokens that are not there yet."""
        made, ranks = self._bytes[:256], {}
        for i, pair in enumerate(merges):
            fits = isinstance(pair, (list, tuple)) and len(pair) == 2 and all(type(t) is int and 0 <= t < len(made) for t in pair)
            if not fits or tuple(pair) in ranks:
                raise ValueError(
                    f"BytePairTokenizer: merges must be different pairs of ids below their own, here {len(made)}, got {pair!r} "
                    f"at position {i}"
                )
            ranks[tuple(pair)] = i
            made.append(made[pair[0]] + made[pair[1]])
        self._bytes, self._ranks, self._words = made, ranks, {}

    @property
    def merges(self) -> list[tuple[int, int]]:
        """The pairs of tokens that are merged, in order."""
        return list(self._ranks)

    def train(self, texts, vocabulary_size: int, min_frequency=2) -> BytePairTokenizer:
        """Learn merges from one text or several, until there are vocabulary_size tokens or no pair occurs min_frequency times.

        Pairs are merged inside words only: letters, digits or signs with the space before them. Returns self. ValueError for
        a vocabulary_size below that of the bytes and special tokens.
        """
        owner = "BytePairTokenizer.train"
        least = 256 + len(self.special_tokens)
        check_count(vocabulary_size, f"{owner}: vocabulary_size", least=least)
        check_count(min_frequency, f"{owner}: min_frequency")
        words = Counter()
        for text in check_texts(texts, owner):
            words.update(split_words(text))
        self._add(learn_merges(Counter({_bytes_of(w): n for w, n in words.items()}), vocabulary_size - least, min_frequency))
        return self

    def vocabulary_size(self) -> int:
        """The number of tokens: bytes, merges and special ones."""
        return len(self._bytes) + len(self.special_tokens)

    def get_vocabulary(self) -> list:
        """The tokens by id: bytes objects, then the special ones as str."""
        return [*self._bytes, *self.special_tokens]

    def token_id(self, special_token: str) -> int:
        """The id of a special token; ValueError for any other text."""
        if special_token not in self.special_tokens:
            raise ValueError(f"BytePairTokenizer: one of the special tokens {self.special_tokens} expected, got {special_token!r}")
        return len(self._bytes) + self.special_tokens.index(special_token)

    def encode(self, text: str, special=False) -> np.ndarray:
        """The ids of a text, int32 [tokens]. special=True: the special tokens in it are one id each, else text like any other."""
        text = check_text(text, "BytePairTokenizer.encode")
        if not special or not self.special_tokens:
            return np.array(self._encoded(text), np.int32)
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        out: list[int] = []
        for part in re.split(f"({'|'.join(map(re.escape, longest_first))})", text):
            out += [self.token_id(part)] if part in self.special_tokens else self._encoded(part)
        return np.array(out, np.int32)

    def _encoded(self, text: str) -> list[int]:
        out: list[int] = []
        for word in split_words(text):
            ids = self._words.get(word)
            if ids is None:
                ids = merged(_bytes_of(word), self._ranks)
                if len(self._words) < KEPT:
                    self._words[word] = ids
            out += ids
        return out

    def decode(self, ids) -> str:
        """The text of ids [n]; bytes that are no whole character (a cut text) become U+FFFD."""
        ids = check_ids(ids, self.vocabulary_size(), "BytePairTokenizer.decode").tolist()
        special = [t.encode("utf-8", "surrogatepass") for t in self.special_tokens]
        raw = b"".join(self._bytes[i] if i < len(self._bytes) else special[i - len(self._bytes)] for i in ids)
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return raw.decode("utf-8", "replace")

    def get_config(self) -> dict:
        return {"merges": [list(pair) for pair in self._ranks], "special_tokens": self.special_tokens}


def _bytes_of(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")
