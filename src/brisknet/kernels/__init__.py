"""The hot kernels, callable on arrays by hand, in two implementations with one signature.

`brisknet.kernels.native` (compiled) and `brisknet.kernels.reference` (NumPy) hold the same functions. Those of this module
call the implementation that brisknet.config.backend() names at the time of the call; where a fraction of a microsecond
counts, take the functions of `native` itself.

    from brisknet import kernels
    packed = kernels.pack_weights(w)                       # once for many calls
    y = kernels.dense_forward(x, packed, b, "relu")
    dx, dw, db = kernels.dense_backward(dy, x, packed, y, "relu")
    kernels.adam_update(w, dw, m, v, iterations=0)
"""

from __future__ import annotations

import functools
import importlib
import sys

from brisknet import config
from brisknet.kernels import reference

__all__ = ["reference", *(name for name in reference.__all__ if name != "PackedWeights")]


def _native():
    try:
        return sys.modules.get("brisknet.kernels.native") or importlib.import_module("brisknet.kernels.native")
    except ModuleNotFoundError as e:
        raise ImportError(
            "brisknet.kernels.native is not in this installation (it was built with BRISKNET_NO_EXT=1 or without a C "
            "compiler): reinstall brisknet with a compiler present, or use brisknet.kernels.reference"
        ) from e


def _chosen(name: str):
    """The function of that name in the implementation in use, whichever it is when it is called."""
    specification = getattr(reference, name)

    @functools.wraps(specification)
    def kernel(*args, **kwargs):
        module = _native() if config.backend() == "native" else reference
        return getattr(module, name)(*args, **kwargs)

    kernel.__module__ = __name__
    return kernel


for _name in reference.__all__:
    if _name != "PackedWeights":
        globals()[_name] = _chosen(_name)


def __getattr__(name: str):
    if name == "native":
        return _native()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
