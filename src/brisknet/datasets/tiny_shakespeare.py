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
    return files.fetched("Tiny Shakespeare is", NAME, URL, SHA256, download).read_text("utf-8")
