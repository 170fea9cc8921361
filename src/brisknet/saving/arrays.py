"""Named arrays in files: NumPy's .npz, and HDF5 as Keras writes it where h5py is installed."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np

from brisknet.saving.files import atomic_write

__all__ = ["CONFIG", "check_name", "read_arrays", "write_arrays", "write_h5"]

# What the config of a whole model is called, beside its arrays.
CONFIG = "config.json"
_WEIGHTS_IN_KERAS = "model.weights.h5"
_BROKEN = (ValueError, OSError, EOFError, KeyError, TypeError, AttributeError, RuntimeError, zipfile.BadZipFile)


def check_name(path) -> str:
    """The ending of a file's name that tells its form; ValueError for another."""
    name = os.fspath(path)
    endings = (".npz", ".h5", ".hdf5", ".keras")
    found = [e for e in endings if isinstance(name, str) and name.endswith(e)]
    if not found:
        raise ValueError(f"weights are kept in files named ....npz, or ....weights.h5 with h5py; got {name!r}")
    return found[0]


def _h5py():
    try:
        import h5py
    except ImportError:
        raise ImportError(
            "files in HDF5 need h5py: pip install brisknet[h5]; or use a file named ....npz, which needs NumPy only"
        ) from None
    return h5py


def write_arrays(path, arrays: dict, overwrite: bool = True) -> None:
    """Write named arrays into a .npz or .h5 file, whole or not at all."""
    ending = check_name(path)
    if ending == ".keras":
        raise ValueError(f"a .keras file holds a whole model: use model.save({os.fspath(path)!r}), or name the weights ....npz")
    if ending != ".npz":
        _h5py()
    with atomic_write(path, overwrite) as file:
        if ending == ".npz":
            np.savez(file, **arrays)
        else:
            write_h5(file, arrays)


def write_h5(file, arrays: dict) -> None:
    """Write named arrays into an open file, as HDF5."""
    with _h5py().File(file, "w") as h5:
        for name, array in arrays.items():
            h5[name] = array


def read_arrays(path) -> dict[str, np.ndarray]:
    """The named arrays of such a file, or of a .keras; FileNotFoundError, or ValueError where it is none."""
    ending = check_name(path)
    if ending != ".npz":
        _h5py()
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r} to load from")
    try:
        if ending == ".npz":
            with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:  # np.load leaves a broken one open
                return {name: file[name] for name in file.files}
        if ending == ".keras":
            with zipfile.ZipFile(path) as archive:
                return _read_h5(io.BytesIO(archive.read(_WEIGHTS_IN_KERAS)))
        return _read_h5(path)
    except _BROKEN as error:
        raise ValueError(f"{os.fspath(path)!r} is no readable file of weights: {error}") from None


def _read_h5(file) -> dict[str, np.ndarray]:
    h5py, found = _h5py(), {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with h5py.File(file, "r") as h5:
        h5.visititems(collect)
    return found
