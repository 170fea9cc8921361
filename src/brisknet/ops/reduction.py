"""Reductions over axes, argmax, one_hot."""

from __future__ import annotations

import builtins

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.ops.dispatch import apply, cast, composite, dtype_of, floatx, is_float
from brisknet.ops.elementwise import as_floats, as_numbers, divide, equal, maximum, minimum, multiply, negative
from brisknet.ops.registry import OpSpec, Sample, register
from brisknet.ops.shape import broadcast_to, reshape


def normalize_axes(axis, ndim: int, op: str) -> tuple[int, ...]:
    """axis (None, int or ints, negative allowed) as a sorted tuple of distinct axes; ValueError names the op."""
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, (int, np.integer)) else tuple(axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ValueError(f"{op}: axis {a} is out of range for a tensor of rank {ndim}")
    axes = tuple(sorted({int(a) % ndim for a in axes}))
    return axes


def reduced_shape(shape, axes, keepdims) -> tuple:
    if keepdims:
        return tuple(1 if i in axes else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in axes)


def _infer(shapes, dtypes, attrs):
    return ((reduced_shape(shapes[0], attrs["axes"], attrs["keepdims"]), dtypes[0]),)


def _spread(g, node):
    """The gradient of a reduction back over the axes that were reduced."""
    shape = node.inputs[0].shape
    return broadcast_to(reshape(g, reduced_shape(shape, node.attrs["axes"], True)), shape)


def _extreme_vjp(node, grads):
    # Ties share the gradient evenly, as in Keras on TensorFlow and JAX.
    x, y = node.inputs[0], _spread(node.outputs[0], node)
    hits = cast(equal(x, y), x.dtype)
    count = sum(hits, axis=node.attrs["axes"], keepdims=True)
    return (multiply(_spread(grads[0], node), divide(hits, count)),)


def _prod_vjp(node, grads):
    return (divide(_spread(multiply(grads[0], node.outputs[0]), node), node.inputs[0]),)


def _samples(draw=None):
    cases = (((3, 5), (0,)), ((3, 5), (1,)), ((3, 5), (0, 1)), ((2, 3, 4), (1,)), ((2, 3, 4), (0, 2)), ((40,), (0,)))
    return tuple(
        Sample((draw(s) if draw else s,), {"axes": a, "keepdims": k}) for s, a in cases for k in (False, True)
    )


def _spaced(shape):  # distinct values well apart: no ties within the finite-difference step, none near zero
    n = int(np.prod(shape))
    return (np.random.default_rng(3).permutation(n).reshape(shape) + 1.0) / 4.0


def _reference(fn):
    return lambda x, axes, keepdims: np.asarray(fn(x, axis=axes, keepdims=keepdims), np.asarray(x).dtype)


register(OpSpec("reduce_sum", _infer, _reference(np.sum), lambda n, g: (_spread(g[0], n),), _samples(), form="reduction"))
register(
    OpSpec(
        "reduce_mean",
        _infer,
        _reference(np.mean),
        lambda n, g: (_spread(multiply(g[0], float(n.outputs[0].size) / builtins.max(n.inputs[0].size, 1)), n),),
        _samples(),
        form="reduction",
    )
)
register(OpSpec("reduce_max", _infer, _reference(np.max), _extreme_vjp, _samples(_spaced), form="reduction"))
register(OpSpec("reduce_min", _infer, _reference(np.min), _extreme_vjp, _samples(_spaced), form="reduction"))
register(OpSpec("reduce_prod", _infer, _reference(np.prod), _prod_vjp, _samples(_spaced), form="reduction"))


def _reduce(op, x, axis, keepdims):
    axes = normalize_axes(axis, len(x.shape), op)
    if isinstance(x, Tensor) and builtins.all(x.shape[a] == 1 for a in axes):  # one value each, as for one output
        return reshape(x, reduced_shape(x.shape, axes, keepdims))
    return apply(op, (x,), axes=axes, keepdims=bool(keepdims))


def sum(x, axis=None, keepdims=False):
    """Sum of x over axis (None: all); bools count as int32."""
    return _reduce("reduce_sum", as_numbers(x), axis, keepdims)


def mean(x, axis=None, keepdims=False):
    """Mean of x over axis (None: all), a float."""
    return _reduce("reduce_mean", as_floats(x), axis, keepdims)


def max(x, axis=None, keepdims=False, initial=None):
    """Largest element of x over axis (None: all), and at least `initial` if given; NaN wins."""
    return _extreme("reduce_max", x, axis, keepdims, initial)


def min(x, axis=None, keepdims=False, initial=None):
    """Smallest element of x over axis (None: all), and at most `initial` if given; NaN wins."""
    return _extreme("reduce_min", x, axis, keepdims, initial)


def _extreme(op, x, axis, keepdims, initial):
    bools = dtype_of(x) == "bool"
    out = _reduce(op, as_numbers(x), axis, keepdims)
    out = cast(out, "bool") if bools else out
    return out if initial is None else (maximum if op == "reduce_max" else minimum)(out, initial)


def prod(x, axis=None, keepdims=False, dtype=None):
    """Product of x over axis (None: all)."""
    x = as_numbers(x)
    return _reduce("reduce_prod", x if dtype is None else cast(x, dtype), axis, keepdims)


register(
    OpSpec(
        "argmax",
        lambda s, d, a: ((s[0][:-1], "int32"),),
        lambda x: np.argmax(x, axis=-1).astype(np.int32),
        None,
        (Sample(((3, 5),), wrt=()), Sample(((17,),), wrt=())),
        form="rows",
    )
)


@composite
def argmax(x, axis=None, keepdims=False):
    """int32 index of the largest element along axis (None: of all, flattened); the first of equals, NaN counts as largest."""
    return _arg_extreme(as_numbers(x), axis, keepdims, lowest=False)


@composite
def argmin(x, axis=None, keepdims=False):
    """int32 index of the smallest element along axis (None: of all, flattened); the first of equals, NaN counts as smallest."""
    return _arg_extreme(as_numbers(x), axis, keepdims, lowest=True)


def _arg_extreme(x, axis, keepdims, lowest):
    from brisknet.ops.indexing import order

    shape = tuple(x.shape)
    rows, axes = _axis_last(x, axis, "argmin" if lowest else "argmax")
    if is_float(dtype_of(x)):
        out = apply("argmax", (negative(rows) if lowest else rows,))
    else:  # exact for all integers: the first of them in order
        out = order(rows, down=not lowest)[..., 0]
    return reshape(out, reduced_shape(shape, axes, True)) if keepdims else out


def _axis_last(x, axis, op):
    """(x with `axis` last, or flattened where it is None; the axes that this takes)."""
    from brisknet.ops.shape import transpose

    ndim = len(x.shape)
    axes = normalize_axes(axis, ndim, op)
    if axis is None:
        return reshape(x, (-1,)), axes
    (axis,) = axes
    return transpose(x, [i for i in range(ndim) if i != axis] + [axis]) if axis != ndim - 1 else x, axes


def _one_hot_reference(x, depth, dtype):
    x = np.asarray(x)
    return (x[..., None] == np.arange(depth, dtype=x.dtype)).astype(dtype)


register(
    OpSpec(
        "one_hot",
        lambda s, d, a: (((*s[0], a["depth"]), a["dtype"]),),
        _one_hot_reference,
        lambda n, g: (None,),
        (Sample((np.array([[0, 2], [3, 9]], np.int32),), {"depth": 4, "dtype": "float32"}, wrt=()),),
    )
)


def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at each index of the int x along a new axis of num_classes; an index out of range gives zeros.

    dtype   None: the default float type. sparse=True is refused: brisknet has dense tensors only.
    """
    from brisknet.ops.shape import moved

    if sparse:
        raise ValueError("one_hot: sparse=True is not supported, brisknet has dense tensors only")
    dtype = dtype or floatx()
    made = dtype if is_float(dtype) else "float32"
    out = cast(apply("one_hot", (cast(x, "int32"),), depth=int(num_classes), dtype=made), dtype)
    return moved(out, -1, axis)
