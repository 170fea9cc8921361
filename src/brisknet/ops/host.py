"""Functions of arrays only: shapes of results that depend on values, decompositions of matrices, Fourier transforms.

They have no kernel and no gradient, so tensors of a traced step are refused with the ways out.
"""

from __future__ import annotations

import functools

import numpy as np

from brisknet.ops.dispatch import _layer_graph, is_symbolic
from brisknet.variables import Variable

__all__ = [
    "bincount", "cholesky", "cholesky_inverse", "det", "eig", "eigh", "gcd", "histogram", "i0", "inv", "lcm", "logdet", "lstsq",
    "lu_factor", "matrix_rank", "nanargmax", "nanargmin", "nanmedian", "nanpercentile", "nanquantile", "nextafter", "nonzero",
    "pinv", "qr", "select", "slogdet", "solve", "solve_triangular", "svd", "unique", "unravel_index",
]  # fmt: skip


def arrays_only(fn):
    """Decorator: symbolic tensors among the arguments are refused, lists and variables become arrays."""

    @functools.wraps(fn)
    def call(*args, **kwargs):
        for x in (*args, *kwargs.values()):
            if is_symbolic(x) and not hasattr(x, "tolist") or any(isinstance(x, cls) for cls, _, _ in _layer_graph):
                raise TypeError(
                    f"ops.{fn.__name__} computes known arrays only: it has no kernel and no gradient, so a traced step can't "
                    "hold it. Compute it before the step, or run the model with run_eagerly=True"
                )
        return fn(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})

    return call


def _plain(x):
    if isinstance(x, Variable) or hasattr(x, "_value"):
        return np.asarray(x)
    return x


@arrays_only
def nonzero(x):
    """A tuple of int32 index arrays, one an axis, of what is not 0."""
    return tuple(i.astype(np.int32) for i in np.nonzero(x))


@arrays_only
def unique(
    x, sorted=True, return_index=False, return_inverse=False, return_counts=False, axis=None, size=None, fill_value=None
):
    """The different elements of x (parts along axis), in order, with what NumPy's unique returns besides.

    size   that many of them: cut, or filled up with fill_value (None: the first of them)
    """
    found = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis)
    values, index, inverse, counts = found
    if size is not None:
        along = 0 if axis is None else axis
        values = np.take(values, np.minimum(np.arange(size), values.shape[along] - 1), axis=along)
        n = len(index)
        if size > n:
            fill = np.take(values, [0], axis=along) if fill_value is None else np.asarray(fill_value, values.dtype)
            keep = np.arange(size) < n
            values = np.where(keep if axis is None else keep.reshape([-1 if i == along % values.ndim else 1 for i in range(values.ndim)]), values, fill)
            index = np.concatenate([index, np.repeat(index[:1], size - n)])
            counts = np.concatenate([counts, np.zeros(size - n, counts.dtype)])
        index, counts = index[:size], counts[:size]
    more = [v.astype(np.int32) for v, wanted in ((index, return_index), (inverse, return_inverse), (counts, return_counts)) if wanted]
    return (values, *more) if more else values


@arrays_only
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each of 0, 1, ... is in the int x, or the sum of its weights; of a matrix, row by row."""
    if sparse:
        raise ValueError("bincount: sparse=True is not supported, brisknet has dense tensors only")
    x = np.asarray(x)
    size = max(int(x.max(initial=-1)) + 1, minlength)
    dtype = np.int32 if weights is None else np.asarray(weights).dtype
    if x.ndim == 1:
        return np.bincount(x, weights, size).astype(dtype)
    rows = [np.bincount(r, None if weights is None else np.asarray(weights)[i], size) for i, r in enumerate(x)]
    return np.stack(rows).astype(dtype)


@arrays_only
def histogram(x, bins=10, range=None):
    """(counts, edges of the bins), as in NumPy, both floats."""
    counts, edges = np.histogram(x, bins, range)
    dtype = np.asarray(x).dtype if np.asarray(x).dtype.kind == "f" else np.float32
    return counts.astype(dtype), edges.astype(dtype)


@arrays_only
def unravel_index(indices, shape):
    """The index of each axis of a flat index into `shape`."""
    return tuple(i.astype(np.int32) for i in np.unravel_index(indices, shape))


@arrays_only
def select(condlist, choicelist, default=0):
    """Of the choices the one whose condition is the first that is true, as in NumPy."""
    return np.select([np.asarray(c) for c in condlist], [np.asarray(c) for c in choicelist], default)


@arrays_only
def gcd(x1, x2):
    """The greatest common divisor of integers."""
    return np.gcd(x1, x2)


@arrays_only
def lcm(x1, x2):
    """The least common multiple of integers."""
    return np.lcm(x1, x2)


@arrays_only
def nextafter(x1, x2):
    """The next float after x1 in the direction of x2."""
    return np.nextafter(x1, x2)


@arrays_only
def i0(x):
    """The modified Bessel function of the first kind and order 0."""
    x = np.asarray(x)
    return np.i0(x).astype(x.dtype if x.dtype.kind == "f" else np.float32)


def _of_nan(name):
    function = getattr(np, name)

    if name.startswith("nanarg"):
        def call(x, axis=None, keepdims=False):
            return np.asarray(function(x, axis=axis, keepdims=keepdims), np.int32)
    elif name == "nanmedian":
        def call(x, axis=None, keepdims=False):
            return function(x, axis=axis, keepdims=keepdims)
    else:
        def call(x, q, axis=None, method="linear", keepdims=False):
            return function(x, q, axis=axis, method=method, keepdims=keepdims)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"NumPy's {name}: what is not NaN counts."
    return arrays_only(call)


nanargmax, nanargmin, nanmedian, nanpercentile, nanquantile = map(
    _of_nan, ("nanargmax", "nanargmin", "nanmedian", "nanpercentile", "nanquantile")
)


# ---- matrices -----------------------------------------------------------------------------------------------------------------
@arrays_only
def cholesky(x, upper=False):
    """The lower triangle L with L L^T = x, or its transpose."""
    out = np.linalg.cholesky(x)
    return np.swapaxes(out, -1, -2) if upper else out


@arrays_only
def cholesky_inverse(x, upper=False):
    """The inverse of a matrix from its Cholesky factor x."""
    x = np.asarray(x)
    y = np.linalg.inv(x)
    return np.matmul(y, np.swapaxes(y, -1, -2)) if upper else np.matmul(np.swapaxes(y, -1, -2), y)


@arrays_only
def det(x):
    """The determinant."""
    return np.linalg.det(x)


@arrays_only
def inv(x):
    """The inverse of a matrix."""
    return np.linalg.inv(x)


@arrays_only
def pinv(x, rcond=None):
    """The pseudo-inverse of a matrix."""
    return np.linalg.pinv(x) if rcond is None else np.linalg.pinv(x, rcond)


@arrays_only
def logdet(x):
    """The logarithm of the determinant of a positive definite matrix."""
    return np.linalg.slogdet(x)[1]


@arrays_only
def slogdet(x):
    """(sign, logarithm of the absolute value) of the determinant."""
    return tuple(np.linalg.slogdet(x))


@arrays_only
def eig(x):
    """(eigenvalues, eigenvectors) of a matrix."""
    return tuple(np.linalg.eig(x))


@arrays_only
def eigh(x):
    """(eigenvalues, eigenvectors) of a symmetric matrix."""
    return tuple(np.linalg.eigh(x))


@arrays_only
def qr(x, mode="reduced"):
    """(Q, R) with Q R = x; mode "reduced" or "complete"."""
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete', got {mode!r}")
    return tuple(np.linalg.qr(x, mode))


@arrays_only
def svd(x, full_matrices=True, compute_uv=True):
    """(U, singular values, V^T) of a matrix, or the values alone."""
    out = np.linalg.svd(x, full_matrices, compute_uv)
    return tuple(out) if compute_uv else out


@arrays_only
def solve(a, b):
    """x with a x = b."""
    a, b = np.asarray(a), np.asarray(b)
    if b.ndim == a.ndim - 1:
        return np.linalg.solve(a, b[..., None])[..., 0]
    return np.linalg.solve(a, b)


@arrays_only
def solve_triangular(a, b, lower=False):
    """x with a x = b for a triangular a; what is on its other side is not read."""
    return solve.__wrapped__(np.tril(a) if lower else np.triu(a), b)


@arrays_only
def lstsq(a, b, rcond=None):
    """x that makes |a x - b| smallest."""
    return np.linalg.lstsq(a, b, rcond)[0]


@arrays_only
def matrix_rank(x, tol=None):
    """How many singular values of a matrix are larger than tol."""
    return np.asarray(np.linalg.matrix_rank(x, tol), np.int32)


@arrays_only
def lu_factor(x):
    """(L and U in one matrix, int32 pivots): Gaussian elimination in which row i was exchanged with row pivots[i]."""
    x = np.array(x)
    flat = x.reshape(-1, *x.shape[-2:])
    n = min(flat.shape[-2:])
    pivots = np.zeros((len(flat), n), np.int32)
    for a, p in zip(flat, pivots, strict=True):
        for k in range(n):
            p[k] = k + np.argmax(np.abs(a[k:, k]))
            a[[k, p[k]]] = a[[p[k], k]]
            if a[k, k] != 0:
                a[k + 1 :, k] /= a[k, k]
                a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return flat.reshape(x.shape), pivots.reshape(*x.shape[:-2], n)
