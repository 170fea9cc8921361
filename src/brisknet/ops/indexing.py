"""Taking at indices and its opposite: take, take_along_axis, segment_sum and its kin, running sums, the order of rows."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import apply, cast, dtype_of, is_float
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["collect", "cumulate", "order", "take_at"]


# ---- take: x [outer, n, inner] at index [m], or [outer, m, inner] ----------------------------------------------------------
def _is_int32(index, op):
    if index != "int32":
        raise TypeError(f"{op}: int32 indices expected, got {index}")


def _take_infer(shapes, dtypes, attrs):
    _is_int32(dtypes[1], "take")
    (outer, _, inner), index = shapes
    return (((outer, index[1] if attrs["along"] else index[0], inner), dtypes[0]),)


def _places(index, n, wrap):
    """(indices from 0, which of them are in range)."""
    at = np.where(index < 0, index + n, index) if wrap else np.asarray(index)
    inside = (at >= 0) & (at < n)
    return np.where(inside, at, 0), inside


def _take_reference(x, index, wrap, along):
    x = np.asarray(x)
    missing = np.asarray(np.nan if x.dtype.kind == "f" else False if x.dtype == bool else np.iinfo(x.dtype).min, x.dtype)
    at, inside = _places(index, x.shape[1], wrap)
    if not x.shape[1]:
        shape = (x.shape[0], index.shape[1] if along else index.shape[0], x.shape[2])
        return np.full(shape, missing)
    if along:
        return np.where(inside, np.take_along_axis(x, at, axis=1), missing)
    return np.where(inside[:, None], x[:, at], missing)


def _take_vjp(node, grads):
    n = node.inputs[0].shape[1]
    return collect(grads[0], node.inputs[1], n, "sum", node.attrs["wrap"], node.attrs["along"]), None


_INDEX = np.array([3, 0, -1, 3, 2], np.int32)
_ALONG = np.array([[[0, -1, 2], [1, 1, 0]], [[2, 0, 0], [2, 1, -3]]], np.int32)
_OUT = np.array([1, 4, -1, 0, 1], np.int32)
register(
    OpSpec(
        "take",
        _take_infer,
        _take_reference,
        _take_vjp,
        (
            Sample(((2, 4, 3), _INDEX), {"wrap": True, "along": False}),
            Sample(((1, 4, 1), _INDEX), {"wrap": True, "along": False}),
            Sample(((2, 3, 3), _ALONG), {"wrap": True, "along": True}),
            Sample((np.arange(8, dtype=np.int32).reshape(1, 4, 2), _OUT), {"wrap": False, "along": False}, wrt=()),
            Sample(((2, 4, 20), _OUT), {"wrap": False, "along": False}, wrt=()),
        ),
    )
)


def take_at(x, index, wrap=True, along=False):
    """out[o, k, i] = x[o, index[k], i], or with `along` x[o, index[o, k, i], i]; NaN (or the smallest integer) at indices
    out of range. With wrap, negative indices count from the end."""
    return apply("take", (x, index), wrap=bool(wrap), along=bool(along))


# ---- collect: the other way ---------------------------------------------------------------------------------------------
def _collect_infer(shapes, dtypes, attrs):
    _is_int32(dtypes[1], "collect")
    (outer, _, inner), _ = shapes
    return (((outer, attrs["n"], inner), dtypes[0]),)


_JOIN = {"sum": np.add, "max": np.maximum, "min": np.minimum, "prod": np.multiply}
COLLECTED = tuple(_JOIN)  # the order of the kernel's codes


def _empty(kind, dtype):
    if kind in ("sum", "prod"):
        return int(kind == "prod")
    if dtype.kind == "f":
        return -np.inf if kind == "max" else np.inf
    limits = np.iinfo(dtype)
    return limits.min if kind == "max" else limits.max


def _collect_reference(g, index, n, kind, wrap, along):
    g = np.asarray(g)
    out = np.full((g.shape[0], n, g.shape[2]), _empty(kind, g.dtype), g.dtype)
    at, inside = _places(index, n, wrap)
    if along:
        o, _, i = np.indices(g.shape)
        _JOIN[kind].at(out, (o[inside], at[inside], i[inside]), g[inside])
    else:
        _JOIN[kind].at(out, (slice(None), at[inside]), g[:, inside])
    return out


def _collect_vjp(node, grads):
    x, index = node.inputs
    a = node.attrs

    def back(t):
        inside = take_at(t, index, a["wrap"], a["along"])
        return ew.where(_in_range(index, a), inside, ew.zeros_of(t))

    g = grads[0]
    if a["kind"] == "sum":
        return back(g), None
    if a["kind"] == "prod":
        return ew.divide(back(ew.multiply(g, node.outputs[0])), x), None
    hits = cast(ew.equal(x, back(node.outputs[0])), x.dtype)  # ties share the gradient evenly
    count = collect(hits, index, a["n"], "sum", a["wrap"], a["along"])
    return ew.multiply(hits, back(ew.divide(g, ew.maximum(count, 1.0)))), None


def _in_range(index, attrs):
    from brisknet.ops.shape import reshape

    n = attrs["n"]
    low = ew.greater_equal(index, -n if attrs["wrap"] else 0)
    inside = ew.logical_and(low, ew.less(index, n))
    return inside if attrs["along"] else reshape(inside, (1, index.shape[0], 1))


def _far(shape):
    n = int(np.prod(shape))
    return (np.random.default_rng(4).permutation(n).reshape(shape) + 1.0) / 4.0


_ATTRS = {"n": 4, "kind": "sum", "wrap": True, "along": False}
register(
    OpSpec(
        "collect",
        _collect_infer,
        _collect_reference,
        _collect_vjp,
        (
            Sample(((2, 5, 3), _INDEX), _ATTRS),
            Sample(((2, 2, 3), _ALONG), {**_ATTRS, "n": 3, "along": True}),
            Sample(((1, 5, 3), _OUT), {**_ATTRS, "wrap": False}),
            *(Sample((_far((2, 5, 3)), _OUT), {**_ATTRS, "n": 2, "wrap": False, "kind": k}) for k in ("max", "min", "prod")),
            Sample((np.arange(5, dtype=np.int32).reshape(1, 5, 1), _OUT), {**_ATTRS, "wrap": False}, wrt=()),
            Sample((np.arange(5, dtype=np.int32).reshape(1, 5, 1), _OUT), {**_ATTRS, "kind": "max", "wrap": False}, wrt=()),
        ),
    )
)


def collect(x, index, n: int, kind="sum", wrap=False, along=False):
    """out [outer, n, inner]: the sum (max, min, prod) of all x[o, k, i] whose index[k] is the row; others are left out."""
    return apply("collect", (x, index), n=int(n), kind=kind, wrap=bool(wrap), along=bool(along))


# ---- running sums and products of x [outer, n, inner] along the middle axis ---------------------------------------------------
def _cumulate_reference(x, product, back):
    x = np.asarray(x)
    x = x[:, ::-1] if back else x
    out = (np.cumprod if product else np.cumsum)(x, axis=1, dtype=x.dtype)
    return np.ascontiguousarray(out[:, ::-1] if back else out)


def _cumulate_vjp(node, grads):
    product, back = node.attrs["product"], node.attrs["back"]
    if not product:
        return (cumulate(grads[0], False, not back),)
    return (ew.divide(cumulate(ew.multiply(grads[0], node.outputs[0]), False, not back), node.inputs[0]),)


register(
    OpSpec(
        "cumulate",
        lambda s, d, a: ((s[0], d[0]),),
        _cumulate_reference,
        _cumulate_vjp,
        (
            *(Sample(((2, 5, 3),), {"product": p, "back": b}) for p in (False, True) for b in (False, True)),
            Sample((np.arange(6, dtype=np.int32).reshape(2, 3, 1),), {"product": False, "back": False}, wrt=()),
            Sample(((1, 1, 1),), {"product": False, "back": True}),
        ),
    )
)


def cumulate(x, product=False, back=False):
    """Running sums (or products) along the middle of three axes, from its end with `back`."""
    return apply("cumulate", (x,), product=bool(product), back=bool(back))


# ---- the order of rows --------------------------------------------------------------------------------------------------
def _argsort_reference(x, down):
    x = np.asarray(x)
    if down:
        x = -x if is_float(x.dtype.name) else ~x  # of integers: the reverse order, without overflow
    return np.argsort(x, axis=-1, kind="stable").astype(np.int32)


_TIES = np.array([[3.0, -1.0, np.nan, 3.0, 2.0, -1.0, np.inf], [0.0, -0.0, 1.0, -np.inf, 1.0, 5.0, 4.0]], np.float32)
register(
    OpSpec(
        "argsort",
        lambda s, d, a: ((s[0], "int32"),),
        _argsort_reference,
        lambda n, g: (None,),
        (
            *(Sample((_TIES,), {"down": d}, wrt=()) for d in (False, True)),
            *(Sample((np.array([[4, -2, 4, 0, -(2**31), 7]], np.int32),), {"down": d}, wrt=()) for d in (False, True)),
            Sample(((3, 33),), {"down": False}, wrt=()),
            Sample(((2, 1),), {"down": True}, wrt=()),
        ),
    )
)  # fmt: skip


def order(x, down=False):
    """int32 indices that sort the last axis; equals keep their order, NaN is last either way."""
    return apply("argsort", (cast(x, "int32") if dtype_of(x) == "bool" else x,), down=bool(down))
