"""Why a function could not be traced, in terms of the user's own code."""

from __future__ import annotations

import contextlib
import linecache
import os

__all__ = ["explained"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@contextlib.contextmanager
def explained(function):
    """Within: the tracing of a function. An error about a tensor without a value tells the line and what to do."""
    try:
        yield
    except TypeError as error:
        if "symbolic tensor" not in str(error):
            raise
        raise TypeError(
            f"function {function.name!r} can't be compiled: {_line_of(error)}{error}. As a last resort run it without "
            f"compiling, {function.name}.run_eagerly = True, or put NumPy code into brisknet.ops.host_call"
        ) from error


def _line_of(error) -> str:
    """The innermost line of the traceback that is not this package's."""
    found, tb = "", error.__traceback__
    while tb is not None:
        code, line = tb.tb_frame.f_code, tb.tb_lineno
        if not os.path.abspath(code.co_filename).startswith(_PACKAGE + os.sep):
            text = linecache.getline(code.co_filename, line).strip()
            found = f"line {line} of {os.path.basename(code.co_filename)}" + (f", `{text}`" if text else "") + ": "
        tb = tb.tb_next
    return found
