"""Tokenizers as JSON files. A file names one of the classes here and holds its arguments; it can't do anything else."""

from __future__ import annotations

import json

from brisknet.saving.files import atomic_write
from brisknet.tokenizers.byte_pair import BytePairTokenizer
from brisknet.tokenizers.character import CharacterTokenizer

__all__ = ["load", "save"]

FORMAT = "brisknet.tokenizer"
CLASSES = {c.__name__: c for c in (BytePairTokenizer, CharacterTokenizer)}


def save(tokenizer, filepath, overwrite=True) -> None:
    """Write a tokenizer into a file. FileExistsError with overwrite=False where it is there already."""
    written = {"format": FORMAT, "version": 1, "class_name": type(tokenizer).__name__, "config": tokenizer.get_config()}
    with atomic_write(filepath, overwrite) as file:
        file.write(json.dumps(written).encode("ascii"))


def load(filepath):
    """The tokenizer that a file holds; ValueError where it is no such file."""
    try:
        with open(filepath, "rb") as file:
            found = json.loads(file.read().decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"{str(filepath)!r} is not a file of a tokenizer: JSON expected ({error})") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("version") != 1:
        raise ValueError(
            f"{str(filepath)!r} is not a file of a tokenizer of brisknet; tokenizer.json files of the `tokenizers` library are "
            "read by tokenizers.LibraryTokenizer.load()"
        )
    cls, config = CLASSES.get(found.get("class_name")), found.get("config")
    if cls is None or not isinstance(config, dict):
        raise ValueError(f"{str(filepath)!r}: one of {sorted(CLASSES)} with a config expected, got {found.get('class_name')!r}")
    try:
        return cls.from_config(config)
    except TypeError as error:
        raise ValueError(f"{str(filepath)!r} holds a config that {cls.__name__} does not take ({error})") from None
