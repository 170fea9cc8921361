"""New arrays: zeros, ones, ranges, diagonals, triangles. What depends on no tensor is an array, computed at once."""

from __future__ import annotations

import numpy as np

from brisknet.graph.trace import as_tensor
from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import cast, composite, dtype_of, floatx, is_symbolic, number_array
from brisknet.ops.shape import broadcast_to, reshape

__all__ = [
    "arange", "array", "bartlett", "blackman", "convert_to_numpy", "convert_to_tensor", "copy", "empty", "empty_like", "eye",
    "full", "full_like", "geomspace", "hamming", "hanning", "identity", "is_tensor", "kaiser", "linspace", "logspace", "meshgrid",
    "ones", "ones_like", "tri", "zeros", "zeros_like",
]  # fmt: skip


def _sizes(shape) -> tuple:
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(d is None for d in shape):
        raise ValueError(f"a shape of known sizes expected, got {shape}: take it with ops.shape inside of a layer's call()")
    return tuple(int(d) for d in shape)


def zeros(shape, dtype=None):
    """An array of zeros; dtype None is the default float type."""
    return np.zeros(_sizes(shape), dtype or floatx())


def ones(shape, dtype=None):
    """An array of ones; dtype None is the default float type."""
    return np.ones(_sizes(shape), dtype or floatx())


def empty(shape, dtype=None):
    """An array of any values (zeros); dtype None is the default float type."""
    return zeros(shape, dtype)


def full(shape, fill_value, dtype=None):
    """The fill value, broadcast to a shape; dtype None is the default float type."""
    return broadcast_to(cast(number_array(fill_value), dtype or floatx()), _sizes(shape))


@composite
def zeros_like(x, dtype=None):
    """Zeros of x's shape, and of x's dtype unless one is given."""
    return full_like(x, 0, dtype)


@composite
def ones_like(x, dtype=None):
    """Ones of x's shape, and of x's dtype unless one is given."""
    return full_like(x, 1, dtype)


@composite
def empty_like(x, dtype=None):
    """Any values (zeros) of x's shape, and of x's dtype unless one is given."""
    return full_like(x, 0, dtype)


@composite
def full_like(x, fill_value, dtype=None):
    """The fill value in x's shape, and of x's dtype unless one is given."""
    x = number_array(x)
    dtype = dtype or dtype_of(x)
    if is_symbolic(fill_value):
        return broadcast_to(cast(fill_value, dtype), tuple(x.shape))
    filled = np.broadcast_to(np.asarray(fill_value, dtype), tuple(x.shape)).copy()
    return as_tensor(filled) if is_symbolic(x) else filled


def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, ... below stop (or 0, 1, ... below start); integers give int32, else the default float type."""
    values = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = floatx() if any(isinstance(v, (float, np.floating)) for v in values) else "int32"
    if stop is None:
        start, stop = 0, start
    return np.arange(start, stop, 1 if step is None else step, dtype=dtype)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """num evenly spaced numbers from start to stop."""
    out = np.linspace(start, stop, num, endpoint, retstep, axis=axis)
    values, step = out if retstep else (out, None)
    values = values.astype(dtype or floatx())
    return (values, step) if retstep else values


def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """num numbers from base**start to base**stop, evenly spaced in their logarithms."""
    return np.logspace(start, stop, num, endpoint, base, axis=axis).astype(dtype or floatx())


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """num numbers from start to stop, evenly spaced in their logarithms."""
    return np.geomspace(start, stop, num, endpoint, axis=axis).astype(dtype or floatx())


def eye(N, M=None, k=0, dtype=None):
    """[N, M] with ones on the k-th diagonal; M None is N."""
    return np.eye(N, M, k, dtype=dtype or floatx())


def identity(n, dtype=None):
    """[n, n] with ones on the diagonal."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=None):
    """[N, M] with ones on and below the k-th diagonal; M None is N."""
    return np.tri(N, M, k, dtype=dtype or floatx())


def _window(name):
    def call(x):
        return getattr(np, name)(int(x)).astype(floatx())

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"The {name} window of x points."
    return call


bartlett, blackman, hamming, hanning = map(_window, ("bartlett", "blackman", "hamming", "hanning"))


def kaiser(x, beta):
    """The Kaiser window of x points."""
    return np.kaiser(int(x), beta).astype(floatx())


@composite
def meshgrid(*x, indexing="xy"):
    """Coordinate arrays of vectors, as in NumPy: indexing "xy" or "ij". A list."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    xs = [reshape(number_array(v), (-1,)) for v in x]
    places = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        places[:2] = [1, 0]
    sizes = [0] * len(xs)
    for v, place in zip(xs, places, strict=True):
        sizes[place] = v.shape[0]
    return [
        broadcast_to(reshape(v, [-1 if i == place else 1 for i in range(len(xs))]), sizes)
        for v, place in zip(xs, places, strict=True)
    ]


# ---- conversions ------------------------------------------------------------------------------------------------------------
def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """x as what ops compute with: tensors, variables' values and arrays as they are, lists and numbers as arrays."""
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported, brisknet has dense tensors only")
    x = getattr(x, "value", x) if type(x).__name__ == "Variable" else x
    x = number_array(x)
    return x if dtype is None else cast(x, dtype)


def array(x, dtype=None):
    """x as a tensor: see convert_to_tensor."""
    return convert_to_tensor(x, dtype)


def convert_to_numpy(x):
    """x as a NumPy array; TypeError for a tensor of a step that is being traced."""
    return np.asarray(x)


def is_tensor(x):
    """Whether ops take x for a tensor: an array, a traced tensor or a symbolic one, but no list or number."""
    return hasattr(x, "shape") and hasattr(x, "dtype")


def copy(x):
    """x with the same values: a new array; tensors never change, so a tensor is its own copy."""
    return np.array(x) if isinstance(x, np.ndarray) else ew.cast(x, dtype_of(x))
