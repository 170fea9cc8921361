"""NumPy's functions on tensors and variables: np.tanh(x), np.where(c, x, y), np.einsum(...) record ops.

NumPy asks __array_ufunc__ for its element-wise functions (and for operators whose left side is an array) and
__array_function__ for all others.
"""

from __future__ import annotations

import dis
import inspect
import sys

import numpy as np

from brisknet.variables import Variable

__all__ = ["array_function", "array_ufunc"]

# NumPy's name -> the name in brisknet.ops, where the two differ.
UFUNCS = {"invert": "bitwise_not", "remainder": "mod", "rint": "round", "conjugate": "conj", "degrees": "rad2deg", "radians": "deg2rad"}
PLAIN_UFUNCS = {
    "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "bitwise_and", "bitwise_or",
    "bitwise_xor", "cbrt", "ceil", "cos", "cosh", "deg2rad", "divide", "equal", "exp", "exp2", "expm1", "fabs", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "greater", "greater_equal", "heaviside", "hypot", "isfinite", "isinf", "isnan", "ldexp",
    "left_shift", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logical_and", "logical_not",
    "logical_or", "logical_xor", "matmul", "maximum", "minimum", "multiply", "negative", "not_equal", "power", "rad2deg",
    "reciprocal", "right_shift", "sign", "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
}  # fmt: skip
# ufunc.reduce and ufunc.accumulate
REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any"}
RUNNING = {"add": "cumsum", "multiply": "cumprod"}

# Functions of arrays; those of C have no signature to ask for, so their arguments stand here.
ARGUMENTS = {
    "concatenate": ("xs", "axis"), "where": ("condition", "x1", "x2"), "dot": ("x1", "x2"), "inner": ("x1", "x2"),
    "vdot": ("x1", "x2"), "bincount": ("x", "weights", "minlength"), "empty_like": ("x", "dtype"),
    "zeros_like": ("x", "dtype"), "ones_like": ("x", "dtype"), "full_like": ("x", "fill_value", "dtype"),
    "einsum": None, "meshgrid": None, "hstack": ("xs",), "vstack": ("xs",), "dstack": ("xs",), "column_stack": ("xs",),
}  # fmt: skip
FUNCTIONS = {
    "all", "allclose", "amax", "amin", "any", "append", "argmax", "argmin", "argpartition", "argsort", "array_equal",
    "array_split", "average", "broadcast_to", "clip", "concatenate", "copy", "corrcoef", "correlate", "count_nonzero", "cross",
    "cumprod", "cumsum", "diag", "diagflat", "diagonal", "diff", "dot", "dsplit", "dstack", "einsum", "empty_like",
    "expand_dims", "flip", "fliplr", "flipud", "full_like", "hsplit", "hstack", "inner", "isclose", "isin", "kron", "max",
    "mean", "median", "meshgrid", "min", "moveaxis", "nan_to_num", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin",
    "nanprod", "nanstd", "nansum", "nanvar", "ndim", "norm", "ones_like", "outer", "pad", "percentile", "prod", "ptp",
    "quantile", "ravel", "repeat", "reshape", "roll", "rot90", "round", "searchsorted", "shape", "size", "sort", "split",
    "squeeze", "stack", "std", "sum", "swapaxes", "take", "take_along_axis", "tensordot", "tile", "trace", "transpose",
    "trapezoid", "tril", "triu", "unstack", "vander", "var", "vdot", "vsplit", "vstack", "where", "zeros_like", "digitize",
    "imag", "real", "angle", "sinc", "isreal",
}  # fmt: skip
FUNCTION_NAMES = {"around": "round", "round_": "round", "trapz": "trapezoid", "permute_dims": "transpose", "concat": "concatenate",
                  "matrix_transpose": "swapaxes", "isneginf": "isneginf", "isposinf": "isposinf"}  # fmt: skip
# Where an argument is called otherwise: (function or "*", NumPy's) -> ours.
RENAMED = {
    ("*", "a"): "x", ("*", "arr"): "x", ("*", "array"): "x", ("*", "ary"): "x", ("*", "m"): "x", ("*", "v"): "x", ("*", "p"): "x",
    ("*", "b"): "x2", ("*", "tup"): "xs", ("*", "arrays"): "xs", ("stack", "arrays"): "x", ("*", "a_min"): "x_min",
    ("*", "a_max"): "x_max", ("*", "min"): "x_min", ("*", "max"): "x_max", ("*", "A"): "x", ("*", "reps"): "repeats",
    ("searchsorted", "a"): "sorted_sequence", ("searchsorted", "v"): "values",
    ("reshape", "shape"): "newshape", ("reshape", "newshape"): "newshape", ("diff", "a"): "a", ("rot90", "m"): "array",
    ("isin", "element"): "x1", ("isin", "test_elements"): "x2", ("append", "arr"): "x1", ("append", "values"): "x2",
    ("correlate", "a"): "x1", ("correlate", "v"): "x2", ("corrcoef", "x"): "x",
    ("array_equal", "a1"): "x1", ("array_equal", "a2"): "x2",
}  # fmt: skip
FIRST = {"allclose", "cross", "isclose", "kron", "outer", "tensordot", "dot", "inner", "vdot"}  # functions of x1 and x2
# Arguments that change nothing, whatever they are; every other one that ops don't have must be left at its default.
HARMLESS = {"optimize", "order", "kind", "overwrite_input", "casting", "copy", "subok", "device", "like", "stable"}
WAYS_OUT = "compute with functions of brisknet.ops, or run with run_eagerly=True and np.asarray(...), which has no gradient"


def _ops():
    from brisknet import ops

    return ops


def _unknown(name: str):
    import difflib

    known = sorted(PLAIN_UFUNCS | set(UFUNCS) | FUNCTIONS)
    near = difflib.get_close_matches(name, known, 3)
    hint = f" (near: {', '.join(near)})" if near else ""
    return TypeError(
        f"np.{name} can't be traced: brisknet records {len(known)} functions of NumPy, np.{name} is not among them{hint}; {WAYS_OUT}. "
        "Their names are those of brisknet.ops"
    )


def _in_place(name: str):
    return TypeError(
        f"np.{name} was asked to write its result into an array (out=...), but the values of tensors come later: leave out= "
        "away, or write x = x + y"
    )


def _by_operator(inputs, out) -> bool:
    """Whether array_ufunc()'s caller has written x += y, x being an array: then x becomes the tensor that is returned."""
    if len(out) != 1 or out[0] is not inputs[0]:
        return False
    frame = sys._getframe(2)  # of the code that has called NumPy: the operator, and np.add(x, y, out=x), ask for the same
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "BINARY_OP"


def _read(x):
    """Variables as their values; everything nested in lists and tuples too."""
    if isinstance(x, Variable):
        return x.value
    return type(x)(map(_read, x)) if type(x) in (list, tuple) else x


def _has_tensor(x) -> bool:
    from brisknet.graph.ir import Tensor

    if isinstance(x, (list, tuple)):
        return any(map(_has_tensor, x))
    return isinstance(x, Tensor) or hasattr(x, "_keras_history")


# ---- element-wise functions -------------------------------------------------------------------------------------------------
def array_ufunc(self, ufunc, method, *inputs, **kwargs):
    """NumPy's hook for element-wise functions and operators."""
    inputs = [_read(x) for x in inputs]
    name, out = ufunc.__name__, kwargs.pop("out", None)
    if not any(map(_has_tensor, inputs)) and not _has_tensor(out or ()):
        if any(isinstance(x, Variable) for x in out or ()):
            raise _in_place(name)
        return getattr(ufunc, method)(*inputs, **kwargs, **({} if out is None else {"out": out}))
    if out is not None and any(o is not None for o in out) and not _by_operator(inputs, out):
        raise _in_place(name)
    axis, keepdims = kwargs.pop("axis", 0 if method != "__call__" else None), kwargs.pop("keepdims", False)
    dtype = kwargs.pop("dtype", None)
    left = [k for k, v in kwargs.items() if k not in HARMLESS and v is not None and not (k == "where" and v is True)]
    if left:
        raise TypeError(f"np.{name}: the argument {left[0]!r} can't be traced; {WAYS_OUT}")
    ops = _ops()
    if method == "reduce" and name in REDUCTIONS:
        result = getattr(ops, REDUCTIONS[name])(inputs[0], axis=axis, keepdims=keepdims)
    elif method == "accumulate" and name in RUNNING:
        result = getattr(ops, RUNNING[name])(inputs[0], axis=axis)
    elif method == "outer" and name == "multiply":
        result = ops.multiply(ops.reshape(inputs[0], (*ops.shape(inputs[0]), *[1] * ops.ndim(inputs[1]))), inputs[1])
    elif method == "__call__" and name == "divmod":
        result = ops.floor_divide(*inputs), ops.mod(*inputs)
    elif method == "__call__" and name == "positive":
        result = inputs[0]
    elif method == "__call__" and (name in PLAIN_UFUNCS or name in UFUNCS):
        result = getattr(ops, UFUNCS.get(name, name))(*inputs)
    else:
        raise _unknown(name if method == "__call__" else f"{name}.{method}")
    return result if dtype is None else ops.cast(result, np.dtype(dtype).name)


# ---- all other functions ------------------------------------------------------------------------------------------------------
def array_function(self, func, types, args, kwargs):
    """NumPy's hook for all other functions."""
    name = func.__name__
    args, kwargs = tuple(map(_read, args)), {k: _read(v) for k, v in kwargs.items()}
    if not any(map(_has_tensor, (*args, *kwargs.values()))):
        return func(*args, **kwargs)
    ours = FUNCTION_NAMES.get(name, name)
    if ours not in FUNCTIONS and name not in FUNCTION_NAMES:
        raise _unknown(name if func.__module__ in ("numpy", None) else f"{func.__module__.removeprefix('numpy.')}.{name}")
    if kwargs.get("out") is not None:
        raise _in_place(name)
    return _call(ours, func, args, kwargs)


def _call(name, func, args, kwargs):
    ops = _ops()
    function = getattr(ops, name)
    if name in ("einsum", "meshgrid"):
        known = inspect.signature(function).parameters
        return function(*args, **{k: v for k, v in kwargs.items() if k in known and k not in HARMLESS})
    if func.__name__ == "matrix_transpose":
        return function(*args, -1, -2)
    given = _given(name, func, args, kwargs)
    wanted = inspect.signature(function).parameters
    dtype = given.pop("dtype", None) if "dtype" not in wanted else None
    extra = [k for k in given if k not in wanted]
    if extra:
        raise TypeError(f"np.{func.__name__}: the argument {extra[0]!r} can't be traced; {WAYS_OUT}")
    out = function(**given)
    return out if dtype is None else ops.cast(out, np.dtype(dtype).name)


def _given(name, func, args, kwargs) -> dict:
    """{our name: value} of the arguments that differ from NumPy's defaults."""
    if name in ARGUMENTS:
        given = {**dict(zip(ARGUMENTS[name], args, strict=False)), **kwargs}
        return {k: v for k, v in given.items() if k not in HARMLESS and not (k == "dtype" and v is None)}
    parameters = inspect.signature(func).parameters
    bound = inspect.signature(func).bind(*args, **kwargs).arguments
    given = {}
    for key, value in bound.items():
        default = parameters[key].default
        if key in HARMLESS or value is np._NoValue or value is default or (value is None and default is np._NoValue):
            continue
        if name in FIRST and key in ("a", "b"):
            ours = {"a": "x1", "b": "x2"}[key]
        else:
            ours = RENAMED.get((name, key)) or RENAMED.get(("*", key), key)
        if ours == "dtype" and value is not None:
            value = np.dtype(value).name
        if not (name != "clip" and ours in ("x_min", "x_max")):
            given[ours] = value
    return given
