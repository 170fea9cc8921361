"""MNIST: 70,000 images of handwritten digits, 28 x 28 pixels. LeCun, Cortes and Burges; CC BY-SA 3.0.

The images are not part of the package. They are looked for, in this order:

1. in the folder BRISKNET_DATA: the four files of the original distribution (train-images-idx3-ubyte.gz,
   train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz; plain or compressed, also with
   "mnist-" before the name), or mnist.npz;
2. in the cache directory: the file mnist.npz, whose checksum must be right;
3. on the network: mnist.npz is downloaded into the cache directory, from where Keras has it.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from brisknet.datasets import files

__all__ = ["load_data", "load_test"]

URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
_IDX_NAMES = {"x": "images-idx3-ubyte", "y": "labels-idx1-ubyte"}
_ROWS = {"train": 60_000, "test": 10_000}


def load_data(path="mnist.npz"):
    """(x_train, y_train), (x_test, y_test), as keras.datasets.mnist.load_data() gives them, all uint8.

    path    name of the file in the cache directory; an absolute path is taken as it is

    x_train is [60000, 28, 28], y_train [60000], x_test [10000, 28, 28], y_test [10000]; pixels go from 0 to 255.
    OSError where the files are not there and can't be downloaded; it says what is missing and where to put it.
    """
    train, test = _load(("train", "test"), path, True)
    return train, test


def load_test(path="mnist.npz", download=True):
    """(x, y): the 10,000 test images [10000, 28, 28] and their labels [10000], uint8.

    For programs that are content with them: only the two t10k files have to be in BRISKNET_DATA.

    path        name of the file in the cache directory; an absolute path is taken as it is
    download    False: never use the network; FileNotFoundError where the images are not on this machine
    """
    return _load(("test",), path, download)[0]


def _load(parts, path, download):
    """[(x, y)] of each of `parts`, from the first place that has all of them."""
    folder = files.data_directory()
    missing = []
    if folder is not None:
        found, missing = _idx_paths(folder, parts)
        if not missing:
            return [_read_idx_part(found, part) for part in parts]
        if (folder / "mnist.npz").is_file():
            return _read_npz(folder / "mnist.npz", parts)
    target = Path(path) if os.path.isabs(path) else files.cache_directory() / path
    advice = _advice(folder, parts, missing)
    if target.is_file():
        if files.sha256(target) == SHA256:
            return _read_npz(target, parts)
        advice += f" (There is a file {str(target)!r}, but its checksum is wrong: it is damaged or another file.)"
    if not download:
        raise FileNotFoundError(
            f"MNIST is not on this machine: no mnist.npz with the right checksum at {str(target)!r}, and download=False "
            f"was given. Fetch {URL} and put it there. {advice}"
        )
    return _read_npz(files.download(URL, target, SHA256, advice), parts)


def _advice(folder, parts, missing) -> str:
    """What is lacking in BRISKNET_DATA, and what would do."""
    if folder is None:
        return "Or set BRISKNET_DATA to a folder with the files of the original distribution (*-ubyte.gz)."
    text = f"In BRISKNET_DATA ({str(folder)!r}) there is no mnist.npz, and of the original files are missing: "
    text += ", ".join(missing) + "."
    if "train" in parts and not any(name.startswith("t10k") for name in missing):
        text += " The t10k files are there: mnist.load_test() gives their 10,000 test images without the others."
    return text


def _idx_paths(folder: Path, parts):
    """({(part, "x" or "y"): path}, [names that are missing]) of the original files in a folder."""
    found, missing = {}, []
    for part in parts:
        for key, tail in _IDX_NAMES.items():
            name = f"{'train' if part == 'train' else 't10k'}-{tail}"
            paths = [folder / (front + name + end) for front in ("", "mnist-") for end in (".gz", "")]
            paths = [p for p in paths if p.is_file()]
            if paths:
                found[part, key] = paths[0]
            else:
                missing.append(name + ".gz")
    return found, missing


def _read_idx_part(found, part):
    return _checked(*(files.read_idx(found[part, key]) for key in "xy"), part, found[part, "x"])


def _read_npz(path: Path, parts):
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{str(path)!r} is not an .npz archive: the file is damaged or of another kind")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = [(archive[f"x_{part}"], archive[f"y_{part}"]) for part in parts]
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{str(path)!r}: arrays x_train, y_train, x_test and y_test expected ({error})") from error
    return [_checked(x, y, part, path) for (x, y), part in zip(arrays, parts, strict=True)]


def _checked(x, y, part, path):
    """(x, y), or a ValueError that says how the file differs from MNIST."""
    rows = _ROWS[part]
    if x.shape != (rows, 28, 28) or y.shape != (rows,) or x.dtype != np.uint8 or y.dtype != np.uint8 or y.max() > 9:
        raise ValueError(
            f"{str(path)!r}: uint8 images {(rows, 28, 28)} and labels {(rows,)} of 0 to 9 expected for the {part} part of "
            f"MNIST, got {x.dtype} {x.shape} and {y.dtype} {y.shape}"
        )
    return x, y
