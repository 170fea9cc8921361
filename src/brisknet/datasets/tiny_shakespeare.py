"""Tiny Shakespeare: 1.1 million characters of his plays, as Karpathy's char-rnn has them. The text is in the public domain.

The text is not part of the package. It is looked for in the folder BRISKNET_DATA (tinyshakespeare.txt), then in the cache
directory, and is downloaded into that from char-rnn's repository where it is in neither.
"""

from __future__ import annotations

from brisknet.datasets import files

__all__ = ["load_text"]

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
NAME = "tinyshakespeare.txt"


def load_text(download=True) -> str:
    """The whole text.

    download    False: never use the network; FileNotFoundError where the text is not on this machine
    OSError where it is not there and can't be downloaded; it says where to put it.
    """
    folder = files.data_directory()
    if folder is not None and (folder / NAME).is_file():
        return (folder / NAME).read_text("utf-8")
    kept = files.cache_directory() / NAME
    if not kept.is_file() or files.sha256(kept) != SHA256:
        if not download:
            raise FileNotFoundError(
                f"Tiny Shakespeare is not on this machine: put the file from {URL} into {str(kept.parent)!r} as {NAME!r}, "
                "or into the folder that BRISKNET_DATA names"
            )
        files.download(URL, kept, SHA256)
    return kept.read_text("utf-8")
