"""Where data files lie, how they are read, checked and downloaded."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import tempfile
import zlib
from importlib import resources
from pathlib import Path

import numpy as np

__all__ = ["cache_directory", "data_directory", "download", "fetched", "read_idx", "read_table", "sha256", "split_rows"]

# Element types of the IDX format, by the third byte of the magic number; values are big-endian.
_IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CHUNK = 1 << 18


def data_directory() -> Path | None:
    """The folder that BRISKNET_DATA names, or None where it is not set; NotADirectoryError where it is no folder."""
    name = os.environ.get("BRISKNET_DATA", "").strip()
    if not name:
        return None
    path = Path(name).expanduser()
    if not path.is_dir():
        raise NotADirectoryError(
            f"BRISKNET_DATA names {str(path)!r}, which is not a directory: set it to the folder of your data files, "
            "or unset it"
        )
    return path


def cache_directory() -> Path:
    """Where downloads are kept: BRISKNET_CACHE, else brisknet in XDG_CACHE_HOME, else ~/.cache/brisknet."""
    own = os.environ.get("BRISKNET_CACHE", "").strip()
    if own:
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "brisknet"


def fetched(what: str, name: str, url: str, checksum: str, download_missing: bool) -> Path:
    """The file `name`: in the folder BRISKNET_DATA, or else in the cache, into which it is downloaded where it is in neither.

    FileNotFoundError where that is not wanted; the messages say where to put the file.
    """
    folder = data_directory()
    if folder is not None and (folder / name).is_file():
        return folder / name
    kept = cache_directory() / name
    if not kept.is_file() or sha256(kept) != checksum:
        if not download_missing:
            raise FileNotFoundError(
                f"{what} not on this machine: put the file from {url} into {str(kept.parent)!r} as {name!r}, or into the folder that "
                "BRISKNET_DATA names"
            )
        download(url, kept, checksum)
    return kept


def sha256(path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(url: str, target: Path, checksum: str, advice: str = "", timeout: float = 30.0) -> Path:
    """Fetch url into the file `target`, which appears only whole and with the right SHA-256 checksum.

    OSError where the network or the disk fails, saying where the file can be put by hand (`advice` is added to it);
    ValueError where what came is another file.
    """
    import http.client
    import urllib.request

    by_hand = f"Or fetch {url} on another machine and put it into {str(target.parent)!r} as {target.name!r}. {advice}"
    partial = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        # A file of our own beside the target: two processes may download at once, and replacing is atomic.
        handle, partial = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=timeout) as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != checksum:
            raise ValueError(
                f"{url} gave a file with SHA-256 {digest.hexdigest()}, but {checksum} was expected: the download was "
                f"cut short or altered on its way; try again. {by_hand}".rstrip()
            )
        os.replace(partial, target)
        partial = None
    except (OSError, http.client.HTTPException) as error:
        raise OSError(
            f"could not download {url} to {str(target)!r} ({error}): check the network connection (proxies are taken "
            f"from https_proxy). {by_hand}".rstrip()
        ) from error
    finally:
        if partial is not None:
            with contextlib.suppress(OSError):
                os.unlink(partial)
    return target


def read_idx(path) -> np.ndarray:
    """The array of an IDX file, plain or gzip-compressed; ValueError where the file is damaged or of another kind."""
    raw = Path(path).read_bytes()
    try:
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{str(path)!r} is not a whole gzip file ({error}): fetch it again") from error
    kind, rank = (raw[2], raw[3]) if len(raw) >= 4 and raw[:2] == b"\0\0" else (0, 0)
    start = 4 + 4 * rank
    if kind not in _IDX_TYPES or rank == 0 or len(raw) < start:
        raise ValueError(
            f"{str(path)!r} is not an IDX file: it starts with {raw[:4].hex() or 'nothing'}, 0000 and the codes of "
            "type and rank were expected"
        )
    shape = tuple(int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank))
    dtype = np.dtype(_IDX_TYPES[kind])
    wanted = dtype.itemsize
    for size in shape:
        wanted *= size
    if len(raw) - start != wanted:
        raise ValueError(
            f"{str(path)!r} is damaged: {wanted} bytes of data expected for shape {shape}, got {len(raw) - start}"
        )
    values = np.frombuffer(raw, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))  # a copy of its own, writable, in this machine's byte order


def read_table(name: str, dtype, skip_rows: int = 0) -> np.ndarray:
    """The rows of a comma-separated table that comes with the package, as [rows, columns] of dtype."""
    packed = resources.files("brisknet.datasets").joinpath(name).read_bytes()
    lines = gzip.decompress(packed).decode("ascii").splitlines()[skip_rows:]
    return np.array([line.split(",") for line in lines], dtype=np.float64).astype(dtype)


def split_rows(x, y, test_split: float, seed: int):
    """(x_train, y_train), (x_test, y_test): rows shuffled by the seed, the last part held out, as Keras does it.

    ValueError unless 0 <= test_split < 1.
    """
    if isinstance(test_split, bool) or not isinstance(test_split, (int, float)) or not 0 <= test_split < 1:
        raise ValueError(f"test_split: a number >= 0 and < 1 expected, the share to hold out, got {test_split!r}")
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    x, y = x[order], y[order]
    cut = int(len(x) * (1 - test_split))
    return (x[:cut].copy(), y[:cut].copy()), (x[cut:].copy(), y[cut:].copy())
