"""What all tokenizers have in common: checks of texts and ids, and their files."""

from __future__ import annotations

import numpy as np

__all__ = ["Tokenizer", "check_ids", "check_text", "check_texts"]


class Tokenizer:
    """A tokenizer with a config of plain data: it is saved as JSON, and a file can do nothing but hold that data."""

    def get_config(self) -> dict:
        """The constructor's arguments as plain data."""
        raise NotImplementedError(f"{type(self).__name__} must define get_config()")

    def save(self, filepath, overwrite=True) -> None:
        """Write the tokenizer into a JSON file, whole or not at all; tokenizers.load() reads it."""
        from brisknet.tokenizers.files import save

        save(self, filepath, overwrite)

    @classmethod
    def load(cls, filepath):
        """The tokenizer of such a file; ValueError where it holds something else."""
        from brisknet.tokenizers.files import load

        found = load(filepath)
        if not isinstance(found, cls):
            raise ValueError(f"{str(filepath)!r} holds a {type(found).__name__}, a {cls.__name__} was expected")
        return found

    @classmethod
    def from_config(cls, config: dict):
        """A tokenizer from get_config()'s dict."""
        return cls(**config)


def check_text(text, owner: str) -> str:
    """The text; TypeError for anything but a str."""
    if not isinstance(text, str):
        raise TypeError(f"{owner}: one text, a str, expected, got a {type(text).__name__}")
    return str(text)


def check_texts(texts, owner: str) -> list[str]:
    """One text or several as a list; TypeError for anything else."""
    return [check_text(t, owner) for t in ([texts] if isinstance(texts, str) else texts)]


def check_ids(ids, size: int, owner: str) -> np.ndarray:
    """Ids [n] as int64; TypeError for other than integers, ValueError for another rank and for ids of no token."""
    array = np.asarray(ids)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{owner}: integer ids expected, got {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{owner}: the ids of one text, shape (ids,), expected, got shape {array.shape}")
    outside = np.flatnonzero((array < 0) | (array >= size))
    if len(outside):
        raise ValueError(f"{owner}: ids from 0 to {size - 1} expected, got {array[outside[0]]} at position {outside[0]}")
    return array.astype(np.int64)
