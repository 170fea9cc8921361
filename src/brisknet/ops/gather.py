"""Indexing: take, take_along_axis, x[key], slice and slice_update, scatter and scatter_update, segment_sum and its kin."""

from __future__ import annotations

import builtins
import math

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import apply, cast, composite, dtype_of, is_float, is_symbolic, number_array
from brisknet.ops.indexing import collect, take_at
from brisknet.ops.reduction import normalize_axes
from brisknet.ops.shape import broadcast_to, reshape, transpose
from brisknet.variables import Variable

__all__ = [
    "get_item", "scatter", "scatter_update", "segment_max", "segment_min", "segment_prod", "segment_sum", "slice",
    "slice_update", "take", "take_along_axis",
]  # fmt: skip


def plain(x):
    """The values of a constant as an array, None for a tensor whose values come later."""
    if isinstance(x, Variable):
        return None if is_symbolic(x) else x.array()
    return None if is_symbolic(x) else np.asarray(x)


def int_index(x, n: int, op: str):
    """x as int32 indices of an axis of size n: known ones are checked, and no float is an index."""
    known = plain(x)
    if known is None:
        if is_float(x.dtype) or x.dtype == "bool":
            raise TypeError(f"{op}: integer indices expected, got a tensor of dtype {x.dtype}; use ops.cast")
        return cast(x, "int32")
    if known.size and known.dtype.kind not in "iu":
        raise TypeError(f"{op}: integer indices expected, got an array of dtype {known.dtype}; use ops.cast")
    if known.size and (known.min() < -n or known.max() >= n):
        worst = known.max() if known.max() >= n else known.min()
        raise IndexError(f"{op}: index {int(worst)} is out of range for an axis of size {n}")
    return known.astype(np.int32)


def _three(shape, axis):
    """(elements before the axis, its size, elements after it)."""
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])


@composite
def take(x, indices, axis=None):
    """x at integer indices along axis (None: of x flattened): the axis is replaced by the shape of the indices.

    Negative indices count from the end. IndexError for known indices out of range; where they come from a tensor, what is
    out of range gives NaN (the smallest integer for integers).
    """
    x = number_array(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    shape = tuple(x.shape)
    (axis,) = normalize_axes(int(axis), len(shape), "take")
    index = int_index(indices, shape[axis], "take")
    out = take_at(reshape(x, _three(shape, axis)), reshape(index, (-1,)))
    return reshape(out, (*shape[:axis], *index.shape, *shape[axis + 1 :]))


@composite
def take_along_axis(x, indices, axis=None):
    """out[..., i, ...] = x[..., indices[..., i, ...], ...] along axis (None: of both flattened); other axes broadcast."""
    x = number_array(x)
    if axis is None:
        x, indices, axis = reshape(x, (-1,)), reshape(number_array(indices), (-1,)), 0
    ndim = len(x.shape)
    (axis,) = normalize_axes(int(axis), ndim, "take_along_axis")
    index = int_index(indices, x.shape[axis], "take_along_axis")
    if len(index.shape) != ndim:
        raise ValueError(f"take_along_axis: indices of rank {ndim} expected, as x has, got shape {tuple(index.shape)}")
    rest = ew.broadcast_shape(_without(x.shape, axis), _without(index.shape, axis), ("x", "indices"))
    x = broadcast_to(x, (*rest[:axis], x.shape[axis], *rest[axis:]))
    index = broadcast_to(index, (*rest[:axis], index.shape[axis], *rest[axis:]))
    out = take_at(reshape(x, _three(x.shape, axis)), reshape(index, _three(index.shape, axis)), along=True)
    return reshape(out, index.shape)


def _without(shape, axis):
    return (*shape[:axis], *shape[axis + 1 :])


# ---- x[key] ---------------------------------------------------------------------------------------------------------------
@composite
def get_item(x, key):
    """x[key], as in NumPy: ints, slices (any step), None, ... and integer arrays or tensors; bool arrays of known values."""
    if isinstance(key, list) and not builtins.all(isinstance(k, (int, np.integer)) for k in key):
        key = tuple(key)  # as it comes back from a file
    return getitem(number_array(x), key)


def getitem(x, key):
    """x[key] of a tensor or array; IndexError or TypeError says what can't be an index."""
    key = _spelled_out(x, key if isinstance(key, tuple) else (key,))
    if builtins.any(_is_array(k) for k in key):
        return _advanced(x, key)
    return _basic(x, key)


def _is_array(k) -> bool:
    return isinstance(k, (Tensor, Variable, np.ndarray))


def _spelled_out(x, key) -> tuple:
    """The key with one entry for each axis (and for each None): "..." replaced, lists as arrays, masks as indices."""
    out = []
    for k in key:
        if isinstance(k, (list, np.ndarray)) and not isinstance(k, np.integer):
            k = np.asarray(k, None if np.size(k) else np.int32)
            if k.dtype == bool:
                out += list(np.nonzero(k))
                continue
        elif isinstance(k, (bool, np.bool_)) or not (
            k is None or k is Ellipsis or isinstance(k, (int, np.integer, builtins.slice)) or _is_array(k)
        ):
            raise TypeError(f"a symbolic tensor is indexed by ints, slices, None, ... and integer arrays, got {k!r}; use ops.take")
        out.append(k)
    used, ndim = len([k for k in out if k is not None and k is not Ellipsis]), len(x.shape)
    if used > ndim:
        raise IndexError(f"{used} indices for a tensor of rank {ndim}")
    dots = [i for i, k in enumerate(out) if k is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can have one ellipsis ('...') only")
    at = dots[0] if dots else len(out)
    return (*out[:at], *[builtins.slice(None)] * (ndim - used), *out[at + 1 :])


def _basic(x, key):
    slices, shape, axis = [], [], 0
    for k in key:
        if k is None:
            shape.append(1)
            continue
        d = x.shape[axis]
        if isinstance(k, builtins.slice):
            start, stop, step = k.indices(d)
            slices.append((start, None if stop < 0 else stop, step))
            shape.append(len(range(start, stop, step)))
        else:
            if not -d <= k < d:
                raise IndexError(f"index {k} is out of range for axis {axis} of size {d}")
            slices.append((int(k) % d, int(k) % d + 1, 1))
        axis += 1
    whole = builtins.all(s == (0, d, 1) for s, d in zip(slices, x.shape, strict=True))
    out = x if whole else apply("slice", (x,), slices=tuple(slices))
    return reshape(out, tuple(shape))


def _advanced(x, key):
    """Integer arrays among the indices: axes that they take become one, at which a single take() is made."""
    chosen = [i for i, k in enumerate(key) if _is_array(k) or isinstance(k, (int, np.integer))]
    whole = builtins.slice(None)
    x = _basic(x, tuple(whole if i in chosen else k for i, k in enumerate(key)))
    sizes = [x.shape[i] for i in chosen]
    index, shape = _linear([key[i] for i in chosen], sizes, "x[...]")
    together = chosen == list(range(chosen[0], chosen[-1] + 1))
    at = chosen[0] if together else 0
    others = [i for i in range(len(x.shape)) if i not in chosen]
    x = transpose(x, [*others[:at], *chosen, *others[at:]])
    before, after = x.shape[:at], x.shape[at + len(chosen) :]
    out = take_at(reshape(x, (math.prod(before), math.prod(sizes), math.prod(after))), index)
    return reshape(out, (*before, *shape, *after))


def _linear(indices, sizes, op):
    """(flat int32 index into axes of these sizes seen as one, the shape that the indices broadcast to). What is out of range
    in one axis is out of range of all."""
    indices = [int_index(k, n, op) for k, n in zip(indices, sizes, strict=True)]
    if len(indices) == 1:
        return reshape(indices[0], (-1,)), tuple(indices[0].shape)
    total, linear, inside = math.prod(sizes), None, None
    for k, n in zip(indices, sizes, strict=True):
        k = ew.where(ew.less(k, 0), ew.add(k, n), k)
        fits = ew.logical_and(ew.greater_equal(k, 0), ew.less(k, n))
        linear = k if linear is None else ew.add(ew.multiply(linear, n), k)
        inside = fits if inside is None else ew.logical_and(inside, fits)
    linear = cast(ew.where(inside, linear, total), "int32")
    return reshape(linear, (-1,)), tuple(linear.shape)


# ---- slices whose start may be a tensor ---------------------------------------------------------------------------------------
def _starts(start_indices, ndim, op):
    known = plain(start_indices)
    starts = [int(s) for s in known.reshape(-1)] if known is not None else [start_indices[i] for i in range(len(start_indices))]
    if len(starts) != ndim:
        raise ValueError(f"{op}: start_indices needs one entry for each of {ndim} axes, got {len(starts)}")
    return starts, known is not None


@composite
def slice(inputs, start_indices, shape):
    """The block of inputs of this shape that begins at start_indices (known, or a tensor: then kept within inputs)."""
    inputs = number_array(inputs)
    starts, known = _starts(start_indices, len(inputs.shape), "slice")
    shape = [d - (s if known else 0) if n == -1 else int(n) for n, d, s in zip(shape, inputs.shape, starts, strict=True)]
    if known:
        for s, n, d in zip(starts, shape, inputs.shape, strict=True):
            if s < 0 or n < 0 or s + n > d:
                raise ValueError(f"slice: start {starts} and shape {shape} don't fit into shape {tuple(inputs.shape)}")
        return getitem(inputs, tuple(builtins.slice(s, s + n) for s, n in zip(starts, shape, strict=True)))
    for axis, (s, n) in enumerate(zip(starts, shape, strict=True)):
        first = ew.minimum(ew.maximum(cast(s, "int32"), 0), inputs.shape[axis] - n)
        inputs = take(inputs, ew.add(np.arange(n, dtype=np.int32), first), axis=axis)
    return inputs


@composite
def slice_update(inputs, start_indices, updates):
    """inputs with the block that begins at start_indices replaced by updates."""
    inputs, updates = number_array(inputs), number_array(updates)
    starts, known = _starts(start_indices, len(inputs.shape), "slice_update")
    updates = cast(updates, dtype_of(inputs))
    inside = None
    for axis, s in enumerate(starts):
        d, n = inputs.shape[axis], updates.shape[axis]
        if n > d or (known and not 0 <= s <= d - n):
            raise ValueError(
                f"slice_update: updates of shape {tuple(updates.shape)} at {starts} don't fit into shape {tuple(inputs.shape)}"
            )
        if not known:
            s = ew.minimum(ew.maximum(cast(s, "int32"), 0), d - n)
        place = ew.subtract(np.arange(d, dtype=np.int32), s)
        fits = ew.logical_and(ew.greater_equal(place, 0), ew.less(place, n))
        fits = reshape(fits, [d if i == axis else 1 for i in range(len(starts))])
        inside = fits if inside is None else ew.logical_and(inside, fits)
        updates = take(updates, ew.minimum(ew.maximum(place, 0), n - 1), axis=axis)
    return updates if inside is None else ew.where(inside, updates, inputs)


# ---- scatter ----------------------------------------------------------------------------------------------------------------
def _scattered(shape, indices, values, op):
    """(flat index, values [1, m, inner], places, inner) of indices [..., k] into the first k axes of `shape`."""
    indices = number_array(indices)
    k = indices.shape[-1]
    if k > len(shape):
        raise ValueError(f"{op}: indices of shape {tuple(indices.shape)} index {k} axes, got shape {tuple(shape)}")
    wanted = (*indices.shape[:-1], *shape[k:])
    values = broadcast_to(number_array(values), wanted)
    index, _ = _linear([getitem(indices, (Ellipsis, i)) for i in range(k)], shape[:k], op)
    inner = math.prod(shape[k:])
    return index, reshape(values, (1, index.shape[0], inner)), math.prod(shape[:k]), inner


@composite
def scatter(indices, values, shape):
    """Zeros of this shape with the values added at indices [n, k] of the first k axes."""
    shape = tuple(int(d) for d in shape)
    index, values, places, _ = _scattered(shape, indices, values, "scatter")
    return reshape(collect(values, index, places, wrap=True), shape)


@composite
def scatter_update(inputs, indices, updates, reduction=None):
    """inputs with updates put at indices [n, k] of the first k axes; the last of several at one place stays.

    reduction   "add", "mul", "max" or "min": joined with what is there instead
    """
    inputs = number_array(inputs)
    shape, kinds = tuple(inputs.shape), {"add": "sum", "mul": "prod", "max": "max", "min": "min"}
    if reduction is not None and reduction not in kinds:
        raise ValueError(f"scatter_update: reduction must be one of {tuple(kinds)} or None, got {reduction!r}")
    index, updates, places, inner = _scattered(shape, indices, cast(number_array(updates), dtype_of(inputs)), "scatter_update")
    flat = reshape(inputs, (1, places, inner))
    if reduction is not None:
        join = {"add": ew.add, "mul": ew.multiply, "max": ew.maximum, "min": ew.minimum}[reduction]
        return reshape(join(flat, collect(updates, index, places, kinds[reduction], wrap=True)), shape)
    number = np.arange(index.shape[0], dtype=np.int32).reshape(1, -1, 1)
    last = collect(number, index, places, "max", wrap=True)  # which update stays in each place; below 0 where none goes
    chosen = take_at(updates, ew.maximum(reshape(last, (-1,)), 0))
    return reshape(ew.where(ew.greater_equal(last, 0), chosen, flat), shape)


# ---- segments ---------------------------------------------------------------------------------------------------------------
def _segments(name, kind):
    def call(data, segment_ids, num_segments=None, sorted=False):
        data, known = number_array(data), plain(segment_ids)
        if num_segments is None:
            if known is None:
                raise ValueError(f"{name}: give num_segments, for the segment_ids are not known while a step is traced")
            num_segments = int(known.max()) + 1 if known.size else 0
        if len(segment_ids.shape if known is None else known.shape) != 1:
            raise ValueError(f"{name}: segment_ids of rank 1 expected, got {segment_ids!r}")
        shape = tuple(data.shape)
        out = collect(reshape(data, (1, *_three(shape, 0)[1:])), cast(segment_ids, "int32"), num_segments, kind)
        return reshape(out, (int(num_segments), *shape[1:]))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = (
        f"The {kind} of the rows of data that have the same id in segment_ids, which need not be sorted: row i of\n"
        "    num_segments holds those of id i. Rows with other ids are left out."
    )
    return composite(call)


segment_sum = _segments("segment_sum", "sum")
segment_max = _segments("segment_max", "max")
segment_min = _segments("segment_min", "min")
segment_prod = _segments("segment_prod", "prod")
