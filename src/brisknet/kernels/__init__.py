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

__all__ = [
    "activation", "activation_grad", "adadelta_update", "adagrad_update", "adam_update", "dense_backward", "dense_forward",
    "dropout", "matmul", "pack_weights", "reference", "rmsprop_update", "sgd_update", "softmax", "softmax_cross_entropy",
]  # fmt: skip


def _native():
    try:
        return sys.modules.get("brisknet.kernels.native") or importlib.import_module("brisknet.kernels.native")
    except ModuleNotFoundError as e:
        if e.name != "brisknet.kernels.native":
            raise
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


activation = _chosen("activation")
activation_grad = _chosen("activation_grad")
adadelta_update = _chosen("adadelta_update")
adagrad_update = _chosen("adagrad_update")
adam_update = _chosen("adam_update")
dense_backward = _chosen("dense_backward")
dense_forward = _chosen("dense_forward")
dropout = _chosen("dropout")
matmul = _chosen("matmul")
pack_weights = _chosen("pack_weights")
rmsprop_update = _chosen("rmsprop_update")
sgd_update = _chosen("sgd_update")
softmax = _chosen("softmax")
softmax_cross_entropy = _chosen("softmax_cross_entropy")


def __getattr__(name: str):
    if name == "native":
        return _native()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
