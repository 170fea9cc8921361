"""Moving data by compositions: splits, stacks, flips, rolls, repeats, diagonals and triangles."""

from __future__ import annotations

import builtins

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import composite, dtype_of, number_array
from brisknet.ops.gather import getitem, plain, take
from brisknet.ops.indexing import collect
from brisknet.ops.reduction import normalize_axes
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.ops.shape import broadcast_to, concatenate, expand_dims, reshape, transpose

__all__ = [
    "append", "array_split", "depth_to_space", "diag", "diagflat", "diagonal", "dsplit", "dstack", "flip", "fliplr", "flipud",
    "hsplit", "hstack", "moveaxis", "ravel", "repeat", "roll", "rot90", "space_to_depth", "split", "swapaxes", "tile",
    "trace", "tril", "triu", "unstack", "vsplit", "vstack",
]  # fmt: skip


def _whole(ndim):
    return [builtins.slice(None)] * ndim


def _along(x, axis, key):
    return getitem(x, (*_whole(axis), key))


@composite
def swapaxes(x, axis1, axis2):
    """x with two axes exchanged."""
    x = number_array(x)
    axes = list(range(len(x.shape)))
    (a,), (b,) = (normalize_axes(v, len(axes), "swapaxes") for v in (axis1, axis2))
    axes[a], axes[b] = b, a
    return transpose(x, axes)


@composite
def moveaxis(x, source, destination):
    """x with the axes of `source` at the places of `destination`; the others keep their order."""
    x = number_array(x)
    ndim = len(x.shape)
    source, destination = ([v] if isinstance(v, (int, np.integer)) else list(v) for v in (source, destination))
    if len(source) != len(destination):
        raise ValueError(f"moveaxis: as many sources as destinations expected, got {source} and {destination}")
    for v in (*source, *destination):
        normalize_axes(v, ndim, "moveaxis")
    source, destination = [v % ndim for v in source], [v % ndim for v in destination]
    axes = [i for i in range(ndim) if i not in source]
    for to, frm in sorted(zip(destination, source, strict=True)):
        axes.insert(to, frm)
    return transpose(x, axes)


@composite
def ravel(x):
    """x flattened to one axis."""
    return reshape(number_array(x), (-1,))


# ---- parts and wholes -------------------------------------------------------------------------------------------------------
def _parts(x, edges, axis):
    edges = [0, *edges, x.shape[axis]]
    return [_along(x, axis, builtins.slice(a, max(a, b))) for a, b in zip(edges, edges[1:], strict=False)]


@composite
def split(x, indices_or_sections, axis=0):
    """x in equal sections along axis, or cut at a list of indices. A list of tensors."""
    x = number_array(x)
    (axis,) = normalize_axes(axis, len(x.shape), "split")
    if not isinstance(indices_or_sections, (int, np.integer)):
        return _parts(x, [int(i) for i in indices_or_sections], axis)
    n = x.shape[axis]
    if indices_or_sections < 1 or n % indices_or_sections:
        raise ValueError(f"split: axis {axis} of size {n} can't be split into {indices_or_sections} equal sections; see array_split")
    size = n // indices_or_sections
    return _parts(x, [i * size for i in range(1, indices_or_sections)], axis)


@composite
def array_split(x, indices_or_sections, axis=0):
    """As split, but sections may differ by one: the first ones are the larger."""
    x = number_array(x)
    (axis,) = normalize_axes(axis, len(x.shape), "array_split")
    if not isinstance(indices_or_sections, (int, np.integer)):
        return _parts(x, [int(i) for i in indices_or_sections], axis)
    size, more = divmod(x.shape[axis], indices_or_sections)
    return _parts(x, [i * size + min(i, more) for i in range(1, indices_or_sections)], axis)


@composite
def hsplit(x, indices_or_sections):
    """split along the second axis (of vectors the first)."""
    return split(x, indices_or_sections, axis=min(1, len(x.shape) - 1))


@composite
def vsplit(x, indices_or_sections):
    """split along the first axis."""
    return split(x, indices_or_sections, axis=0)


@composite
def dsplit(x, indices_or_sections):
    """split along the third axis."""
    return split(x, indices_or_sections, axis=2)


@composite
def unstack(x, num=None, axis=0):
    """The list of x's parts along an axis, which is dropped."""
    x = number_array(x)
    (axis,) = normalize_axes(axis, len(x.shape), "unstack")
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"unstack: axis {axis} has {x.shape[axis]} parts, got num={num}")
    return [_along(x, axis, i) for i in range(x.shape[axis])]


@composite
def hstack(xs):
    """The tensors of xs joined along the second axis (vectors along the first)."""
    xs = [number_array(x) for x in xs]
    return concatenate([reshape(x, (1,)) if not x.shape else x for x in xs], axis=0 if len(xs[0].shape) < 2 else 1)


@composite
def vstack(xs):
    """The tensors of xs joined along the first axis; vectors are rows."""
    xs = [number_array(x) for x in xs]
    return concatenate([reshape(x, (1, -1)) if len(x.shape) < 2 else x for x in xs], axis=0)


@composite
def dstack(xs):
    """The tensors of xs joined along the third axis."""
    out = []
    for x in map(number_array, xs):
        shape = tuple(x.shape)
        out.append(reshape(x, (1, *(shape or (1,)), 1)) if len(shape) < 2 else expand_dims(x, 2) if len(shape) == 2 else x)
    return concatenate(out, axis=2)


@composite
def append(x1, x2, axis=None):
    """x2 behind x1 along axis; both flattened where it is None."""
    x1, x2 = number_array(x1), number_array(x2)
    return concatenate([ravel(x1), ravel(x2)], axis=0) if axis is None else concatenate([x1, x2], axis=axis)


# ---- flips, rolls, repeats --------------------------------------------------------------------------------------------------
@composite
def flip(x, axis=None):
    """x in reverse order along axis (None: all)."""
    x = number_array(x)
    axes = normalize_axes(axis, len(x.shape), "flip")
    return getitem(x, tuple(builtins.slice(None, None, -1 if i in axes else None) for i in range(len(x.shape))))


@composite
def fliplr(x):
    """x in reverse order along its second axis."""
    return flip(x, 1)


@composite
def flipud(x):
    """x in reverse order along its first axis."""
    return flip(x, 0)


@composite
def rot90(array, k=1, axes=(0, 1)):
    """The array turned by k quarters in the plane of two axes, from the first towards the second."""
    x = number_array(array)
    a, b = axes
    if len(axes) != 2 or a % len(x.shape) == b % len(x.shape):
        raise ValueError(f"rot90: two different axes expected, got {axes}")
    k %= 4
    if k == 2:
        return flip(flip(x, a), b)
    if k == 0:
        return x
    return swapaxes(flip(x, b), a, b) if k == 1 else flip(swapaxes(x, a, b), b)


@composite
def roll(x, shift, axis=None):
    """x shifted around along axis (None: flattened); several axes take a shift each."""
    x = number_array(x)
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, 0), tuple(x.shape))
    axes = [axis] if isinstance(axis, (int, np.integer)) else list(axis)
    shifts = [shift] * len(axes) if isinstance(shift, (int, np.integer)) else list(shift)
    for a, s in zip(axes, shifts, strict=True):
        (a,) = normalize_axes(a, len(x.shape), "roll")
        cut = (-int(s)) % max(x.shape[a], 1)
        if cut:
            parts = _along(x, a, builtins.slice(cut, None)), _along(x, a, builtins.slice(0, cut))
            x = concatenate(parts, axis=a)
    return x


@composite
def repeat(x, repeats, axis=None):
    """Each element of x repeated along axis (None: of x flattened); repeats may be one number, or one for each element."""
    x, times = number_array(x), plain(repeats)
    if times is None:
        raise TypeError("repeat: repeats must be known while a step is traced, for the shape depends on them")
    x, axis = (reshape(x, (-1,)), 0) if axis is None else (x, axis)
    (axis,) = normalize_axes(axis, len(x.shape), "repeat")
    shape = tuple(x.shape)
    if times.size > 1:
        return take(x, np.repeat(np.arange(shape[axis], dtype=np.int32), times), axis=axis)
    n = int(times.reshape(-1)[0])
    wide = broadcast_to(expand_dims(x, axis + 1), (*shape[: axis + 1], n, *shape[axis + 1 :]))
    return reshape(wide, (*shape[:axis], shape[axis] * n, *shape[axis + 1 :]))


@composite
def tile(x, repeats):
    """x repeated as a whole: repeats holds a number for each axis."""
    x = number_array(x)
    repeats = [int(repeats)] if isinstance(repeats, (int, np.integer)) else [int(r) for r in repeats]
    shape = [1] * (len(repeats) - len(x.shape)) + list(x.shape)
    repeats = [1] * (len(shape) - len(repeats)) + repeats
    thin = [d for n in shape for d in (1, n)]
    wide = [d for r, n in zip(repeats, shape, strict=True) for d in (r, n)]
    return reshape(broadcast_to(reshape(x, thin), wide), [r * n for r, n in zip(repeats, shape, strict=True)])


# ---- diagonals and triangles --------------------------------------------------------------------------------------------------
@composite
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The elements [i, i + offset] of two axes, as a last axis in their place."""
    x = number_array(x)
    ndim = len(x.shape)
    if ndim < 2:
        raise ValueError(f"diagonal: a tensor of rank >= 2 expected, got shape {tuple(x.shape)}")
    (a,), (b,) = (normalize_axes(v, ndim, "diagonal") for v in (axis1, axis2))
    x = transpose(x, [*(i for i in range(ndim) if i not in (a, b)), a, b])
    rows, columns = x.shape[-2:]
    at = np.diagonal(np.arange(rows * columns, dtype=np.int32).reshape(rows, columns), offset)
    return take(reshape(x, (*x.shape[:-2], rows * columns)), at, axis=-1)


@composite
def diag(x, k=0):
    """A matrix with the vector x on its k-th diagonal; of a matrix its k-th diagonal."""
    x = number_array(x)
    if len(x.shape) == 2:
        return diagonal(x, k)
    if len(x.shape) != 1:
        raise ValueError(f"diag: a vector or a matrix expected, got shape {tuple(x.shape)}")
    n = x.shape[0] + abs(k)
    at = np.diagonal(np.arange(n * n, dtype=np.int32).reshape(n, n), k)
    return reshape(collect(reshape(x, (1, -1, 1)), np.ascontiguousarray(at), n * n), (n, n))


@composite
def diagflat(x, k=0):
    """A matrix with the flattened x on its k-th diagonal."""
    return diag(ravel(x), k)


@composite
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of diagonal(x, offset, axis1, axis2)."""
    return reduce_sum(diagonal(x, offset, axis1, axis2), axis=-1)


def _triangle(x, mask):
    x = number_array(x)
    if len(x.shape) < 2:
        raise ValueError(f"tril, triu: a tensor of rank >= 2 expected, got shape {tuple(x.shape)}")
    return ew.where(mask(x.shape[-2], x.shape[-1]), x, np.zeros((), dtype_of(x)))


@composite
def tril(x, k=0):
    """x with zeros above the k-th diagonal of its last two axes."""
    return _triangle(x, lambda n, m: np.tri(n, m, k, dtype=bool))


@composite
def triu(x, k=0):
    """x with zeros below the k-th diagonal of its last two axes."""
    return _triangle(x, lambda n, m: ~np.tri(n, m, k - 1, dtype=bool))


# ---- images ---------------------------------------------------------------------------------------------------------------
def _image_axes(x, data_format, name):
    if data_format not in ("channels_last", "channels_first") or len(x.shape) != 4:
        raise ValueError(
            f"{name}: images of rank 4 and a data_format channels_last or channels_first expected, got shape {tuple(x.shape)} "
            f"and {data_format!r}"
        )
    return data_format == "channels_first"


@composite
def depth_to_space(x, block_size, data_format="channels_last"):
    """[N, H, W, C] -> [N, H b, W b, C / b^2]: channels become blocks of pixels."""
    x, b = number_array(x), int(block_size)
    first = _image_axes(x, data_format, "depth_to_space")
    n, h, w, c = (x.shape[i] for i in ((0, 2, 3, 1) if first else (0, 1, 2, 3)))
    if c % (b * b):
        raise ValueError(f"depth_to_space: the number of channels must be divisible by block_size^2 = {b * b}, got {c}")
    if first:
        y = transpose(reshape(x, (n, b, b, c // (b * b), h, w)), (0, 3, 4, 1, 5, 2))
        return reshape(y, (n, c // (b * b), h * b, w * b))
    y = transpose(reshape(x, (n, h, w, b, b, c // (b * b))), (0, 1, 3, 2, 4, 5))
    return reshape(y, (n, h * b, w * b, c // (b * b)))


@composite
def space_to_depth(x, block_size, data_format="channels_last"):
    """[N, H, W, C] -> [N, H / b, W / b, C b^2]: blocks of pixels become channels."""
    x, b = number_array(x), int(block_size)
    first = _image_axes(x, data_format, "space_to_depth")
    n, h, w, c = (x.shape[i] for i in ((0, 2, 3, 1) if first else (0, 1, 2, 3)))
    if h % b or w % b:
        raise ValueError(f"space_to_depth: height and width must be divisible by block_size {b}, got {h} and {w}")
    if first:
        y = transpose(reshape(x, (n, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
        return reshape(y, (n, c * b * b, h // b, w // b))
    y = transpose(reshape(x, (n, h // b, b, w // b, b, c)), (0, 1, 3, 2, 4, 5))
    return reshape(y, (n, h // b, w // b, c * b * b))
