"""The one way that files are written: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

__all__ = ["atomic_write"]


@contextlib.contextmanager
def atomic_write(path, overwrite: bool = True):
    """A binary file to write into, which becomes `path` once the block has ended well; after an error nothing has changed.

    The directory of `path` is made where it is missing. FileExistsError where the file is there and overwrite is
    False.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a directory; give the path of a file")
    if not overwrite and target.exists():
        raise FileExistsError(f"{str(path)!r} is there already; give overwrite=True to replace it, or another path")
    if target.is_symlink():
        target = target.resolve()  # the file behind the link is replaced, not the link
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.parent / f".{target.name}.{secrets.token_hex(6)}.part"
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            os.chmod(partial, stat.S_IMODE(target.stat().st_mode))
        os.replace(partial, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise

