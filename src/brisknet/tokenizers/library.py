"""LibraryTokenizer: tokenizers of the `tokenizers` library, for the vocabularies of published models."""

from __future__ import annotations

import numpy as np

from brisknet.tokenizers.base import check_ids, check_text

__all__ = ["LibraryTokenizer"]


class LibraryTokenizer:
    """A tokenizers.Tokenizer with encode() and decode() as the others here have them. Needs the extra `tokenizers`.

    tokenizer   the library's object, trained or loaded there; load(path) reads its tokenizer.json files
    """

    def __init__(self, tokenizer):
        if not isinstance(tokenizer, _library().Tokenizer):
            raise TypeError(f"LibraryTokenizer: a tokenizers.Tokenizer expected, got a {type(tokenizer).__name__}")
        self.tokenizer = tokenizer

    @classmethod
    def load(cls, filepath):
        """The tokenizer of a tokenizer.json file; ValueError where it can't be read."""
        library = _library()
        try:
            return cls(library.Tokenizer.from_file(str(filepath)))
        except Exception as error:  # the library raises bare Exceptions
            raise ValueError(f"{str(filepath)!r} can't be read as a tokenizer.json ({error})") from None

    def save(self, filepath) -> None:
        """Write the library's tokenizer.json."""
        from brisknet.saving.files import atomic_write

        with atomic_write(filepath) as file:
            file.write(self.tokenizer.to_str(pretty=False).encode("utf-8"))

    def vocabulary_size(self) -> int:
        """The number of tokens, added ones included."""
        return self.tokenizer.get_vocab_size()

    def encode(self, text: str, special=False) -> np.ndarray:
        """The ids of a text, int32 [tokens]; special=True adds those of the model's template, such as its beginning and end."""
        text = check_text(text, "LibraryTokenizer.encode")
        return np.array(self.tokenizer.encode(text, add_special_tokens=special).ids, np.int32)

    def decode(self, ids, special=False) -> str:
        """The text of ids [n]; special=True keeps special tokens in it."""
        ids = check_ids(ids, self.vocabulary_size(), "LibraryTokenizer.decode").tolist()
        return self.tokenizer.decode(ids, skip_special_tokens=not special)


def _library():
    try:
        import tokenizers
    except ImportError:
        raise ImportError("LibraryTokenizer needs the `tokenizers` library: pip install brisknet[tokenizers]") from None
    return tokenizers
