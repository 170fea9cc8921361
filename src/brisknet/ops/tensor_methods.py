"""Arithmetic on traced tensors, symbolic tensors of the layer graph and variables: operators, the methods that an ndarray has,
and NumPy's functions (numpy_protocol.py)."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.ops import arithmetic, dispatch, elementwise, functions, gather, linalg, moving, numpy_protocol, reduction, shape, sorting
from brisknet.ops import statistics as stats
from brisknet.variables import Variable

BINARY = {
    "add": elementwise.add, "sub": elementwise.subtract, "mul": elementwise.multiply, "truediv": elementwise.divide,
    "pow": elementwise.power, "matmul": linalg.matmul, "floordiv": arithmetic.floor_divide, "mod": arithmetic.mod,
    "and": arithmetic.bitwise_and, "or": arithmetic.bitwise_or, "xor": arithmetic.bitwise_xor,
    "lshift": arithmetic.bitwise_left_shift, "rshift": arithmetic.bitwise_right_shift,
    "divmod": lambda a, b: (arithmetic.floor_divide(a, b), arithmetic.mod(a, b)),
}  # fmt: skip
COMPARE = {
    "lt": elementwise.less, "le": elementwise.less_equal, "gt": elementwise.greater, "ge": elementwise.greater_equal,
}  # fmt: skip
UNARY = {"neg": elementwise.negative, "abs": elementwise.abs, "invert": functions.bitwise_not, "pos": lambda x: x}
METHODS = {
    "all": stats.all, "any": stats.any, "argmax": reduction.argmax, "argmin": reduction.argmin, "argsort": sorting.argsort,
    "clip": elementwise.clip, "conj": functions.conj, "cumprod": sorting.cumprod, "cumsum": sorting.cumsum,
    "diagonal": moving.diagonal, "max": reduction.max, "mean": reduction.mean, "min": reduction.min,
    "prod": reduction.prod, "ptp": stats.ptp, "ravel": moving.ravel, "flatten": moving.ravel,
    "repeat": moving.repeat, "round": elementwise.round, "squeeze": shape.squeeze, "std": stats.std,
    "sum": reduction.sum, "swapaxes": moving.swapaxes, "take": gather.take, "trace": moving.trace, "var": stats.var,
}  # fmt: skip


def _several(s):
    """The sizes of reshape(2, 3) and of reshape((2, 3)), and so for axes."""
    return s[0] if len(s) == 1 and not isinstance(s[0], (int, np.integer)) else s


def _set_item(self, key, value):
    raise TypeError(
        "a tensor can't be changed in place, its values come later: make another with ops.where, ops.slice_update or "
        "ops.scatter_update, or compute with known arrays"
    )


def install(cls) -> None:
    """Give a class of symbolic tensors operators, methods and NumPy's functions. == stays identity: tensors can be keys."""
    for name, fn in BINARY.items():
        setattr(cls, f"__{name}__", lambda self, other, fn=fn: fn(self, other))
        setattr(cls, f"__r{name}__", lambda self, other, fn=fn: fn(other, self))
    for name, fn in COMPARE.items():
        setattr(cls, f"__{name}__", lambda self, other, fn=fn: fn(self, other))
    for name, fn in UNARY.items():
        setattr(cls, f"__{name}__", lambda self, fn=fn: fn(self))
    for name, fn in METHODS.items():
        setattr(cls, name, lambda self, *args, fn=fn, **kwargs: fn(self, *args, **kwargs))
    cls.reshape = lambda self, *s: shape.reshape(self, _several(s))
    cls.transpose = lambda self, *axes: shape.transpose(self, _several(axes) or None)
    cls.dot = lambda self, other: _dot(self, other)
    cls.astype = lambda self, dtype: dispatch.cast(self, np.dtype(dtype).name)
    cls.T = property(lambda self: shape.transpose(self))
    cls.__round__ = lambda self, decimals=0: elementwise.round(self, decimals or 0)
    cls.__setitem__ = _set_item
    cls.__array_ufunc__ = numpy_protocol.array_ufunc
    cls.__array_function__ = numpy_protocol.array_function


def _dot(a, b):
    from brisknet.ops.einsum import dot

    return dot(a, b)


def _install_variable() -> None:
    """Variables compute with what they hold: the array outside of tracing, a tensor inside."""

    def binary(name):
        def method(self, other):
            return getattr(self.value, name)(other.value if isinstance(other, Variable) else other)

        return method

    for op in ("floordiv", "mod"):
        for name in (f"__{op}__", f"__r{op}__"):
            setattr(Variable, name, binary(name))
    Variable.__array_ufunc__ = numpy_protocol.array_ufunc
    Variable.__array_function__ = numpy_protocol.array_function


install(Tensor)
Tensor.__getitem__ = gather.getitem
_install_variable()
