"""Arithmetic on traced tensors: operators and the methods an ndarray has."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.ops import dispatch, elementwise, linalg, reduction, shape


def _install() -> None:
    binary = {
        "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply,
        "truediv": elementwise.divide, "pow": elementwise.power, "matmul": linalg.matmul,
    }  # fmt: skip
    for name, fn in binary.items():
        setattr(Tensor, f"__{name}__", lambda self, other, fn=fn: fn(self, other))
        setattr(Tensor, f"__r{name}__", lambda self, other, fn=fn: fn(other, self))
    compare = {
        "eq": elementwise.equal, "ne": elementwise.not_equal, "lt": elementwise.less, "le": elementwise.less_equal,
        "gt": elementwise.greater, "ge": elementwise.greater_equal,
    }  # fmt: skip
    for name, fn in compare.items():
        if name not in ("eq", "ne"):  # == stays identity, so that tensors can be dictionary keys
            setattr(Tensor, f"__{name}__", lambda self, other, fn=fn: fn(self, other))
    Tensor.__neg__ = lambda self: elementwise.negative(self)
    Tensor.__abs__ = lambda self: elementwise.abs(self)
    Tensor.__getitem__ = shape.getitem
    Tensor.reshape = lambda self, *s: shape.reshape(self, s[0] if len(s) == 1 and not isinstance(s[0], int) else s)
    Tensor.astype = lambda self, dtype: dispatch.cast(self, np.dtype(dtype).name)
    Tensor.T = property(lambda self: shape.transpose(self))
    for fn in (reduction.sum, reduction.mean, reduction.max, reduction.min, reduction.prod):
        setattr(Tensor, fn.__name__, lambda self, axis=None, keepdims=False, fn=fn: fn(self, axis, keepdims))


_install()
