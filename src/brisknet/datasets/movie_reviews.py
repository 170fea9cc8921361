"""2,000 film reviews, half of them in favour and half against. Pang and Lee 2004, polarity data set 2.0.

The reviews are not part of the package. They are looked for in the folder BRISKNET_DATA (review_polarity.tar.gz), then in the
cache directory, and are downloaded into that from Cornell University where they are in neither.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np

from brisknet.datasets import files

__all__ = ["CLASSES", "load_data", "load_texts"]

URL = "https://www.cs.cornell.edu/people/pabo/movie-review-data/review_polarity.tar.gz"
SHA256 = "fc0dccc2671af5db3c5d8f81f77a1ebfec953ecdd422334062df61ede36b2179"
NAME = "review_polarity.tar.gz"
CLASSES = ("neg", "pos")
_EACH = 1000  # reviews in a class


def load_data(test_split=0.2, seed=113, download=True):
    """(x_train, y_train), (x_test, y_test): texts, as arrays of str objects, and 0 or 1 (in favour), int64.

    test_split   the share of each class that is held out
    seed         of the order of the reviews
    download     False: never use the network; FileNotFoundError where the reviews are not on this machine

    OSError where they are not there and can't be downloaded; it says where to put them.
    """
    texts, labels = load_texts(download)
    parts = [files.split_rows(texts[labels == k], labels[labels == k], test_split, seed + k) for k in (0, 1)]
    (x, y), test = ([np.concatenate([part[i][j] for part in parts]) for j in (0, 1)] for i in (0, 1))
    order = np.random.RandomState(seed + 2).permutation(len(x))
    return (x[order], y[order]), tuple(test)


def load_texts(download=True):
    """(texts, labels): all 2,000 reviews in the order of the archive, those against (0) before those in favour (1)."""
    return _read(files.fetched("the film reviews are", NAME, URL, SHA256, download))


def _read(path: Path):
    """The texts of the archive, which is read and never unpacked; ValueError where it is damaged or another one."""
    found: dict[str, list] = {name: [] for name in CLASSES}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in sorted(archive.getmembers(), key=lambda m: m.name):
                parts = member.name.split("/")
                if member.isfile() and member.name.endswith(".txt") and len(parts) > 1 and parts[-2] in found:
                    found[parts[-2]].append(archive.extractfile(member).read().decode("latin-1"))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{str(path)!r} is not a whole archive of film reviews ({error}): fetch it again from {URL}") from error
    sizes = {name: len(texts) for name, texts in found.items()}
    if sizes != dict.fromkeys(CLASSES, _EACH):
        raise ValueError(f"{str(path)!r}: {_EACH} reviews in each of the folders {CLASSES} expected, got {sizes}")
    texts = np.array([t for name in CLASSES for t in found[name]], object)
    return texts, np.repeat(np.arange(2), _EACH)
