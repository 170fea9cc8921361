"""Ops that move data: reshape, transpose, broadcast_to, concatenate, slice, pad."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import apply, composite, dtype_of
from brisknet.ops.registry import OpSpec, Sample, register


def _as_array(x):
    return x if hasattr(x, "shape") else np.asarray(x)


# ---- reshape --------------------------------------------------------------------------------------------------------
def resolve_shape(old: tuple, new, op: str = "reshape") -> tuple:
    """`new` with its one -1 filled in from the size of `old`; ValueError where the sizes do not agree."""
    new = tuple(int(d) for d in new)
    size = int(np.prod(old, dtype=np.int64))
    if new.count(-1) > 1:
        raise ValueError(f"{op}: at most one dimension of newshape may be -1, got {new}")
    if -1 in new:
        known = int(np.prod([d for d in new if d != -1], dtype=np.int64))
        if known == 0 or size % known:
            raise ValueError(f"{op}: a tensor of shape {old} ({size} elements) does not fit newshape {new}")
        new = tuple(size // known if d == -1 else d for d in new)
    if int(np.prod(new, dtype=np.int64)) != size:
        raise ValueError(f"{op}: a tensor of shape {old} ({size} elements) does not fit newshape {new}")
    return new


register(
    OpSpec(
        "reshape",
        lambda s, d, a: ((resolve_shape(s[0], a["shape"]), d[0]),),
        lambda x, shape: np.reshape(x, shape),
        lambda n, g: (reshape(g[0], n.inputs[0].shape),),
        (Sample(((3, 4),), {"shape": (2, 6)}), Sample(((1, 1),), {"shape": ()})),
    )
)


def reshape(x, newshape):
    """x with another shape and the same elements in order; one dimension may be -1."""
    x = _as_array(x)
    newshape = (newshape,) if isinstance(newshape, (int, np.integer)) else newshape
    if not hasattr(x, "_keras_history"):
        newshape = resolve_shape(tuple(x.shape), newshape)
        if newshape == tuple(x.shape):
            return x
    return apply("reshape", (x,), shape=tuple(newshape))


@composite
def expand_dims(x, axis):
    """x with a new dimension of 1 at axis, or at each of several."""
    x = _as_array(x)
    shape, ndim = tuple(x.shape), len(x.shape)
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    if any(not -ndim - len(axes) <= a < ndim + len(axes) for a in axes):
        raise ValueError(f"expand_dims: axis {axis} is out of range for a tensor of rank {ndim}")
    for a in sorted(a % (ndim + len(axes)) for a in axes):
        shape = (*shape[:a], 1, *shape[a:])
    return reshape(x, shape)


@composite
def squeeze(x, axis=None):
    """x without its dimensions of 1 (all, or those in axis); ValueError where one is larger."""
    x = _as_array(x)
    axes = [i for i, d in enumerate(x.shape) if d == 1] if axis is None else np.atleast_1d(axis) % len(x.shape)
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(f"squeeze: axis {a} of shape {tuple(x.shape)} is {x.shape[a]}, not 1")
    return reshape(x, tuple(d for i, d in enumerate(x.shape) if i not in axes))


# ---- transpose ------------------------------------------------------------------------------------------------------
register(
    OpSpec(
        "transpose",
        lambda s, d, a: ((tuple(s[0][i] for i in a["axes"]), d[0]),),
        lambda x, axes: np.ascontiguousarray(np.transpose(x, axes)),
        lambda n, g: (transpose(g[0], np.argsort(n.attrs["axes"])),),
        (
            Sample(((3, 5),), {"axes": (1, 0)}),
            Sample(((2, 3, 4),), {"axes": (2, 0, 1)}),
            Sample(((2, 3, 4, 5),), {"axes": (0, 2, 1, 3)}),
        ),
    )
)


def transpose(x, axes=None):
    """x with its axes permuted (None: reversed)."""
    x = _as_array(x)
    ndim = len(x.shape)
    axes = tuple(range(ndim))[::-1] if axes is None else tuple(int(a) % ndim for a in axes)
    if sorted(axes) != list(range(ndim)):
        raise ValueError(f"transpose: axes must be a permutation of 0..{ndim - 1}, got {axes}")
    return x if axes == tuple(range(ndim)) else apply("transpose", (x,), axes=axes)


# ---- broadcast_to ---------------------------------------------------------------------------------------------------
def _broadcast_to_infer(shapes, dtypes, attrs):
    if np.broadcast_shapes(shapes[0], attrs["shape"]) != tuple(attrs["shape"]):
        raise ValueError(f"broadcast_to: shape {shapes[0]} can't be broadcast to {attrs['shape']}")
    return ((tuple(attrs["shape"]), dtypes[0]),)


def _broadcast_to_vjp(node, grads):
    from brisknet.ops.elementwise import unbroadcast

    return (unbroadcast(grads[0], node.inputs[0].shape),)


register(
    OpSpec(
        "broadcast_to",
        _broadcast_to_infer,
        lambda x, shape: np.ascontiguousarray(np.broadcast_to(x, shape)),
        _broadcast_to_vjp,
        (Sample(((3, 1),), {"shape": (2, 3, 4)}), Sample(((),), {"shape": (5,)})),
    )
)


def broadcast_to(x, shape):
    """x repeated to `shape`, by NumPy's rules."""
    x = _as_array(x)
    shape = tuple(int(d) for d in shape)
    return x if tuple(x.shape) == shape else apply("broadcast_to", (x,), shape=shape)


# ---- concatenate ----------------------------------------------------------------------------------------------------
def _concatenate_infer(shapes, dtypes, attrs):
    axis, first = attrs["axis"], shapes[0]
    for s in shapes[1:]:
        if len(s) != len(first) or any(a != b for i, (a, b) in enumerate(zip(s, first, strict=True)) if i != axis):
            raise ValueError(f"concatenate: shapes must agree but for axis {axis}, got {list(shapes)}")
    if len(set(dtypes)) > 1:
        raise TypeError(f"concatenate: one dtype expected, got {sorted(set(dtypes))}")
    total = sum(s[axis] for s in shapes)
    return (((*first[:axis], total, *first[axis + 1 :]), dtypes[0]),)


def _concatenate_vjp(node, grads):
    axis, start, out = node.attrs["axis"], 0, []
    for t in node.inputs:
        stop = start + t.shape[axis]
        out.append(slice_along(grads[0], axis, start, stop))
        start = stop
    return tuple(out)


register(
    OpSpec(
        "concatenate",
        _concatenate_infer,
        lambda *xs, axis: np.concatenate(xs, axis=axis),
        _concatenate_vjp,
        (
            Sample(((2, 3), (2, 5)), {"axis": 1}),
            Sample(((2, 3), (4, 3), (1, 3)), {"axis": 0}),
            Sample(((2, 3, 4), (2, 1, 4)), {"axis": 1}),
        ),
    )
)


def concatenate(xs, axis=0):
    """The tensors of xs joined along axis; all other dimensions must agree."""
    xs = _of_one_dtype([_as_array(x) for x in xs])
    if not xs:
        raise ValueError("concatenate: at least one tensor expected, got an empty list")
    ndim = len(xs[0].shape)
    if not -ndim <= axis < ndim:
        raise ValueError(f"concatenate: axis {axis} is out of range for tensors of rank {ndim}")
    return xs[0] if len(xs) == 1 else apply("concatenate", tuple(xs), axis=axis % ndim)


def _of_one_dtype(xs) -> list:
    """All with one dtype: floats win over integers, integers over bools, and tensors over arrays."""
    from brisknet.ops.dispatch import cast, match_floats

    if len({dtype_of(x) for x in xs}) < 2:
        return xs
    common = xs[0]
    for x in xs[1:]:
        common = match_floats(common, x)[0]
    return [cast(x, dtype_of(common)) for x in xs]


def stack(x, axis=0):
    """The tensors of the list x, all of one shape, joined along a new axis."""
    xs = [_as_array(one) for one in x]
    shapes = {tuple(one.shape) for one in xs}
    if len(shapes) != 1:
        raise ValueError(f"stack: tensors of one shape expected, got the shapes {sorted(shapes, key=str)}")
    return concatenate([expand_dims(one, axis) for one in xs], axis)


def moved(x, source: int, destination: int):
    """x with one axis at another place."""
    ndim = len(x.shape)
    for axis in (source, destination):
        if not -ndim <= axis < ndim:
            raise ValueError(f"axis {axis} is out of range for a tensor of rank {ndim}")
    axes = [i for i in range(ndim) if i != source % ndim]
    axes.insert(destination % ndim, source % ndim)
    return transpose(x, axes)


# ---- slice and pad --------------------------------------------------------------------------------------------------
def _slice_infer(shapes, dtypes, attrs):
    dims = []
    for d, (start, stop, step) in zip(shapes[0], attrs["slices"], strict=True):
        dims.append(len(range(*slice(start, stop, step).indices(d))))
    return ((tuple(dims), dtypes[0]),)


def _slice_reference(x, slices):
    return np.ascontiguousarray(np.asarray(x)[tuple(slice(*s) for s in slices)])


def _slice_vjp(node, grads):
    return (apply("slice_grad", (grads[0],), slices=node.attrs["slices"], shape=node.inputs[0].shape),)


def _slice_grad_reference(g, slices, shape):
    out = np.zeros(shape, np.asarray(g).dtype)
    out[tuple(slice(*s) for s in slices)] = g
    return out


def _slice_samples(shape_attr):
    cases = (((5, 6), ((1, 4, 1), (0, 6, 2))), ((7,), ((2, 7, 1),)), ((3, 4, 5), ((0, 3, 1), (1, 2, 1), (4, 0, -2))))
    if not shape_attr:
        return tuple(Sample((s,), {"slices": c}) for s, c in cases)
    out = []
    for s, c in cases:
        (small, _), = _slice_infer((s,), ("float64",), {"slices": c})
        out.append(Sample((small,), {"slices": c, "shape": s}))
    return tuple(out)


register(OpSpec("slice", _slice_infer, _slice_reference, _slice_vjp, _slice_samples(False)))
register(
    OpSpec(  # y = x[slices]  ->  dx = zeros; dx[slices] = dy
        "slice_grad",
        lambda s, d, a: ((tuple(a["shape"]), d[0]),),
        _slice_grad_reference,
        lambda n, g: (apply("slice", (g[0],), slices=n.attrs["slices"]),),
        _slice_samples(True),
    )
)


def slice_along(x, axis: int, start: int, stop: int, step: int = 1):
    """x[..., start:stop:step, ...] along one axis."""
    slices = tuple((start, stop, step) if i == axis else (0, d, 1) for i, d in enumerate(x.shape))
    return apply("slice", (x,), slices=slices)


def pad(x, pad_width, mode="constant", constant_values=None):
    """x with more elements around it: pad_width holds (before, after) for each axis, or is one such pair or number for all.

    mode   "constant" (0, or constant_values), "edge", "reflect", "symmetric" or "wrap", as in NumPy
    """
    x = _as_array(x)
    ndim = len(x.shape)
    widths = _pad_widths(pad_width, ndim)
    if widths is None:
        raise ValueError(f"pad: pad_width needs one (before, after) >= 0 per axis of {tuple(x.shape)}, got {pad_width}")
    if mode != "constant":
        if constant_values is not None:
            raise ValueError(f"pad: constant_values goes with mode 'constant' only, got mode {mode!r}")
        return _pad_by_index(x, widths, mode)
    shape = tuple(d + a + b for d, (a, b) in zip(x.shape, widths, strict=True))
    slices = tuple((a, a + d, 1) for d, (a, _) in zip(x.shape, widths, strict=True))
    if not constant_values:
        return apply("slice_grad", (x,), slices=slices, shape=shape)
    from brisknet.ops.elementwise import add, subtract

    return add(apply("slice_grad", (subtract(x, constant_values),), slices=slices, shape=shape), constant_values)


def _pad_widths(pad_width, ndim):
    if isinstance(pad_width, (int, np.integer)):
        pad_width = (pad_width, pad_width)
    if len(pad_width) in (1, 2) and all(isinstance(w, (int, np.integer)) for w in pad_width):
        pad_width = [(pad_width[0], pad_width[-1])] * ndim
    elif len(pad_width) == 1:
        pad_width = list(pad_width) * ndim
    widths = tuple((int(a), int(b)) for a, b in pad_width)
    return widths if len(widths) == ndim and all(a >= 0 and b >= 0 for a, b in widths) else None


def _pad_by_index(x, widths, mode):
    from brisknet.ops.gather import take

    if mode not in ("edge", "reflect", "symmetric", "wrap"):
        raise ValueError(f"pad: mode must be constant, edge, reflect, symmetric or wrap, got {mode!r}")
    for axis, width in enumerate(widths):
        if any(width):
            x = take(x, np.pad(np.arange(x.shape[axis], dtype=np.int32), width, mode=mode), axis=axis)
    return x
