"""How a call of an op finds its way: onto a traced graph, onto the layer graph, or to NumPy at once."""

from __future__ import annotations

import functools

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.graph.trace import current_graph, record, traced_floatx
from brisknet.ops.registry import get_op
from brisknet.variables import Variable

__all__ = [
    "apply", "composite", "dtype_of", "float_array", "is_float", "is_symbolic", "match_floats",
    "number_array",
]  # fmt: skip

# Set by layers/keras_tensor.py when it is imported: (class, function that makes a layer-graph node of an op call, function
# that makes one of a call of a composite).
_layer_graph: list = []


def is_symbolic(x) -> bool:
    """True for a traced tensor, and while a step is being traced for a variable and for an array that a tape watches."""
    graph = current_graph()
    if isinstance(x, Tensor):
        return graph is not None or not x.known
    return graph is not None and (isinstance(x, Variable) or id(x) in graph.watched)


def apply(op: str, inputs, **attrs):
    """Call op `op`: one value where it has one output, else a tuple.

    Symbolic inputs record a node; KerasTensors make a node of the layer graph; arrays are computed at once by the
    op's NumPy reference.
    """
    for cls, call, _ in _layer_graph:
        if any(isinstance(x, cls) for x in inputs):
            return call(op, inputs, attrs)
    if any(is_symbolic(x) for x in inputs):
        out = record(op, inputs, attrs)
    else:
        with np.errstate(all="ignore"):  # infinities and NaN come without warnings, as from a program
            out = get_op(op).reference(*[_value(x) for x in inputs], **attrs)
        if not isinstance(out, tuple):
            return out
    return out[0] if len(out) == 1 else out


def composite(fn):
    """Decorator of a function that is made of ops: on symbolic tensors of the layer graph it becomes one layer there.

    Functions that ask for sizes of their inputs need it, because sizes may be open in the layer graph.
    """

    @functools.wraps(fn)
    def call(*args, **kwargs):
        for cls, _, make in _layer_graph:
            if _holds(cls, args) or _holds(cls, kwargs.values()):
                return make(fn.__name__, args, kwargs)
        return fn(*args, **kwargs)

    return call


def _holds(cls, values) -> bool:
    return any(isinstance(x, cls) or (isinstance(x, (list, tuple)) and _holds(cls, x)) for x in values)


def _value(x):
    if isinstance(x, Tensor):
        return np.asarray(x)
    return x.value if isinstance(x, Variable) else x


def dtype_of(x) -> str:
    """The dtype name of a tensor, variable or array."""
    dtype = getattr(x, "dtype", None)
    if dtype is None:
        return np.asarray(x).dtype.name
    return dtype if isinstance(dtype, str) else np.dtype(dtype).name


def is_float(dtype: str) -> bool:
    return dtype.startswith("float")


def floatx() -> str:
    from brisknet import config

    return traced_floatx() or config.floatx()


def float_array(x):
    """Arrays and numbers as float arrays of the default float type; tensors and variables as they are."""
    if hasattr(x, "_keras_history") or isinstance(x, (Tensor, Variable)):
        return x
    x = np.asarray(x)
    return x if x.dtype in (np.float32, np.float64) else x.astype(floatx())


def number_array(x):
    """Lists and numbers as arrays: floats of the default float type, integers int32; all else as it is."""
    if hasattr(x, "shape"):
        return x
    x = np.asarray(x)
    return x.astype(floatx()) if x.dtype.kind == "f" else x.astype("int32") if x.dtype.kind in "iu" else x


def match_floats(a, b):
    """The two operands of a binary op with one dtype: Python numbers take the other's, ints meet floats as floats."""
    wa, wb = isinstance(a, (bool, int, float)), isinstance(b, (bool, int, float))
    if wa and wb and (isinstance(a, np.generic) or isinstance(b, np.generic)):  # np.float64 is a float, too
        return np.asarray(a), np.asarray(b)
    if wa and wb:
        dtype = floatx() if float in (type(a), type(b)) else "bool" if bool is type(a) is type(b) else "int32"
        return np.asarray(a, dtype), np.asarray(b, dtype)
    if wa or wb:
        number, other = (a, b) if wa else (b, a)
        dtype = dtype_of(other)
        if isinstance(number, float) and not is_float(dtype):
            dtype = floatx()
            other = cast(other, dtype)
        elif dtype == "bool" and not isinstance(number, bool):
            dtype = "int32"
            other = cast(other, dtype)
        number = np.asarray(number, dtype)
        return (number, other) if wa else (other, number)
    a = a if hasattr(a, "dtype") else np.asarray(a)
    b = b if hasattr(b, "dtype") else np.asarray(b)
    da, db = dtype_of(a), dtype_of(b)
    if da == db:
        return a, b
    # An array constant next to a traced tensor or a variable takes that one's type among floats or integers.
    sa, sb = _weak_array(a), _weak_array(b)
    if sa != sb and is_float(da) == is_float(db) and "bool" not in (da, db):
        target = db if sa else da  # NumPy's own default is 64 bits wide
    elif is_float(da) != is_float(db):
        target = da if is_float(da) else db
    else:
        target = np.promote_types(da, db).name
    return cast(a, target), cast(b, target)


def _weak_array(x) -> bool:
    return isinstance(x, np.ndarray) and not is_symbolic(x)


def cast(x, dtype):
    """x with another dtype; x itself where it has that dtype already."""
    dtype = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if dtype_of(x) == dtype:
        return x
    if np.isscalar(x) or (isinstance(x, np.ndarray) and not is_symbolic(x)):
        return np.asarray(x).astype(dtype)
    return apply("cast", (x,), dtype=dtype)
