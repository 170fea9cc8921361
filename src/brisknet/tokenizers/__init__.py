"""Tokenizers: texts as ids and back. Characters, byte pairs, and files of the `tokenizers` library (extra `tokenizers`)."""

from brisknet.tokenizers.byte_pair import BytePairTokenizer
from brisknet.tokenizers.character import CharacterTokenizer
from brisknet.tokenizers.files import load
from brisknet.tokenizers.library import LibraryTokenizer

__all__ = ["BytePairTokenizer", "CharacterTokenizer", "LibraryTokenizer", "load"]
