"""Products of vectors, matrices and tensors, by compositions."""

from __future__ import annotations


import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import composite, number_array
from brisknet.ops.einsum import tensordot
from brisknet.ops.gather import getitem
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.ops.shape import moved, reshape, stack

__all__ = ["correlate", "cdist", "cross", "inner", "kron", "outer", "vander", "vdot"]


@composite
def inner(x1, x2):
    """Sums over the last axes of both; with a number the product."""
    a, b = number_array(x1), number_array(x2)
    return tensordot(a, b, axes=([-1], [-1])) if a.shape and b.shape else ew.multiply(a, b)


@composite
def outer(x1, x2):
    """[m, n]: the products of all elements of x1 with all of x2, both flattened."""
    return ew.multiply(reshape(number_array(x1), (-1, 1)), reshape(number_array(x2), (1, -1)))


@composite
def vdot(x1, x2):
    """The sum of products of all elements, both flattened."""
    return tensordot(reshape(number_array(x1), (-1,)), reshape(number_array(x2), (-1,)), axes=1)


@composite
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors of 3 (or 2) elements along an axis, as in NumPy."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moved(number_array(x1), axisa, -1), moved(number_array(x2), axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not set(sizes) <= {2, 3}:
        raise ValueError(f"cross: vectors of 2 or 3 elements expected, got sizes {sizes[0]} and {sizes[1]}")
    a, b = ([getitem(v, (..., i)) for i in range(n)] for v, n in ((a, sizes[0]), (b, sizes[1])))
    third = ew.subtract(ew.multiply(a[0], b[1]), ew.multiply(a[1], b[0]))
    if sizes == (2, 2):
        return third
    a, b = (v if len(v) == 3 else [*v, ew.multiply(v[0], 0)] for v in (a, b))
    first = ew.subtract(ew.multiply(a[1], b[2]), ew.multiply(a[2], b[1]))
    second = ew.subtract(ew.multiply(a[2], b[0]), ew.multiply(a[0], b[2]))
    return moved(stack([first, second, third], axis=-1), -1, axisc)


@composite
def kron(x1, x2):
    """The Kronecker product: every element of x1 times the whole of x2."""
    a, b = number_array(x1), number_array(x2)
    n = max(len(a.shape), len(b.shape))
    sa, sb = ([1] * (n - len(v.shape)) + list(v.shape) for v in (a, b))
    a = reshape(a, [d for size in sa for d in (size, 1)])
    b = reshape(b, [d for size in sb for d in (1, size)])
    return reshape(ew.multiply(a, b), [p * q for p, q in zip(sa, sb, strict=True)])


@composite
def vander(x, N=None, increasing=False):
    """[n, N]: the powers of the vector x, from high to low unless increasing; N None is the length of x."""
    x = number_array(x)
    if len(x.shape) != 1:
        raise ValueError(f"vander: a vector expected, got shape {tuple(x.shape)}")
    powers = np.arange(x.shape[0] if N is None else N)
    columns, one = [], ew.add(ew.multiply(x, 0), 1)
    for _ in powers:
        columns.append(one)
        one = ew.multiply(one, x)
    return stack(columns if increasing else columns[::-1], axis=-1)


@composite
def cdist(x, y):
    """[..., m, n]: Euclidean distances between the rows of x [..., m, d] and of y [..., n, d]."""
    x, y = ew.as_floats(x), ew.as_floats(y)
    apart = ew.subtract(getitem(x, (..., slice(None), None, slice(None))), getitem(y, (..., None, slice(None), slice(None))))
    return ew.sqrt(reduce_sum(ew.square(apart), axis=-1))


@composite
def correlate(x1, x2, mode="valid"):
    """The cross-correlation of two vectors; mode "valid", "same" or "full", as in NumPy."""
    a, b = ew.as_numbers(x1), ew.as_numbers(x2)
    n, m = a.shape[0], b.shape[0]
    if mode not in ("valid", "same", "full") or len(a.shape) != 1 or len(b.shape) != 1:
        raise ValueError(f"correlate: two vectors and mode 'valid', 'same' or 'full' expected, got mode {mode!r}")
    if n < m:  # the same with the roles exchanged, backwards
        return getitem(correlate(b, a, mode), (slice(None, None, -1),))
    from brisknet.ops.shape import pad

    total = n + m - 1
    wide = pad(a, [(m - 1, m - 1)])
    at = np.arange(total)[:, None] + np.arange(m)
    full = reduce_sum(ew.multiply(getitem(wide, (at,)), b), axis=-1)
    if mode == "full":
        return full
    start, size = ((m - 1, n - m + 1) if mode == "valid" else ((m - 1) // 2, n))
    return getitem(full, (slice(start, start + size),))
