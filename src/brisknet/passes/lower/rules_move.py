"""Ops that move data: shapes, transposes, slices, rows."""

from __future__ import annotations

from brisknet.passes.lower.builder import padded_size, size_of
from brisknet.passes.lower.plan import Ref
from brisknet.passes.lower.rules_elementwise import broadcast_strides, float32, merged

RULES: dict = {}


def copy_strided(b, source: Ref, target: Ref, dims, source_strides, target_strides) -> None:
    """Copy an array of `dims`; strides are in elements. More than four dimensions are cut into several instructions."""
    dims, (si, so) = merged(dims, [list(source_strides), list(target_strides)])
    if len(dims) > 4:
        for i in range(dims[0]):
            inner = Ref(source.base, source.offset + 4 * i * si[0]), Ref(target.base, target.offset + 4 * i * so[0])
            copy_strided(b, *inner, dims[1:], si[1:], so[1:])
        return
    pad = 4 - len(dims)
    dims, si, so = [1] * pad + dims, [0] * pad + si, [0] * pad + so
    if dims[0] == dims[1] == 1 and dims[2] > 1:  # units are made of the outer two
        order = (0, 2, 1, 3)
        dims, si, so = ([v[i] for i in order] for v in (dims, si, so))
    b.emit("copy_strided", (source, target), (*dims, *si, *so), writes=(1,))


def row_strides(shape) -> list[int]:
    """Element strides of a C-ordered array, size-one dimensions included."""
    out, step = [], 1
    for d in reversed(shape):
        out.append(step)
        step *= d
    return out[::-1]


def transposed(b, ref: Ref, shape, order):
    """(ref, shape) of an array with its axes permuted."""
    strides = row_strides(shape)
    new = tuple(shape[i] for i in order)
    target = b.new(4 * size_of(shape))
    copy_strided(b, ref, target, new, [strides[i] for i in order], row_strides(new))
    return target, new


def _reshape(b, node):
    x, y = node.inputs[0], node.outputs[0]
    if b.layout(x) == "lanes" and y.shape[:1] == x.shape[:1]:  # an image's elements keep their order
        b.alias(y, b.lanes(x), "lanes")
    else:
        b.alias(y, b.row(x))


def _transpose(b, node):
    x = node.inputs[0]
    strides, order = row_strides(x.shape), node.attrs["axes"]
    y = node.outputs[0]
    copy_strided(b, b.row(x), b.out(y), y.shape, [strides[i] for i in order], row_strides(y.shape))


def _broadcast_to(b, node):
    x, y = node.inputs[0], node.outputs[0]
    copy_strided(b, b.row(x), b.out(y), y.shape, broadcast_strides(x.shape, y.shape), row_strides(y.shape))


def _concatenate(b, node):
    y, axis = node.outputs[0], node.attrs["axis"]
    target, start = b.out(y), 0
    inner = size_of(y.shape[axis + 1 :])
    for t in node.inputs:
        piece = Ref(target.base, target.offset + 4 * start * inner)
        outer, chunk = size_of(t.shape[:axis]), t.shape[axis] * inner
        copy_strided(b, b.row(t), piece, (outer, chunk), (chunk, 1), (y.shape[axis] * inner, 1))
        start += t.shape[axis]


def _window(slices, shape):
    """(element offset, strides) of a slice of a C-ordered array."""
    offset, strides = 0, []
    for (start, stop, step), d, stride in zip(slices, shape, row_strides(shape), strict=True):
        first = slice(start, stop, step).indices(d)[0]
        offset += first * stride
        strides.append(stride * step)
    return offset, strides


def _slice(b, node):
    x, y = node.inputs[0], node.outputs[0]
    offset, strides = _window(node.attrs["slices"], x.shape)
    source = b.row(x)
    copy_strided(b, Ref(source.base, source.offset + 4 * offset), b.out(y), y.shape, strides, row_strides(y.shape))


def _slice_grad(b, node):
    g, y = node.inputs[0], node.outputs[0]
    offset, strides = _window(node.attrs["slices"], y.shape)
    source, target = b.row(g), b.out(y)
    b.emit("fill", (target,), (size_of(y.shape),), (0.0,), writes=(0,))
    copy_strided(b, source, Ref(target.base, target.offset + 4 * offset), g.shape, row_strides(g.shape), strides)


def _assign(b, node):
    """A variable gets its new value here, in place, before an update goes on from it."""
    x, y, v = node.inputs[0], node.outputs[0], node.attrs["variable"]
    if v is None:
        return b.alias(y, b.row(x))
    b.variable(v)
    layout = b.plan.layouts[v]
    source = b.as_layout(x, layout)
    n = padded_size(v.shape) if layout == "panel" else size_of(v.shape)
    b.emit("copy_bytes", (source, b.update_place(y, v)), (4 * n,), writes=(1,))


def _same(b, node):
    b.alias(node.outputs[0], b.row(node.inputs[0]))


def _one_hot(b, node):
    x, y = node.inputs[0], node.outputs[0]
    b.emit("one_hot", (b.row(x), b.out(y)), (size_of(x.shape), node.attrs["depth"]), writes=(1,))


# ---- rows ---------------------------------------------------------------------------------------------------------------
def rows(kernel: str, *parameters):
    def rule(b, node):
        x, y = node.inputs[0], node.outputs[0]
        float32(*node.inputs)
        refs = [b.row(t) for t in node.inputs]
        n = x.shape[-1]
        b.emit(kernel, (*refs, b.out(y)), (size_of(x.shape) // max(n, 1), n), writes=(len(refs),))

    return rule


RULES.update({
    "reshape": _reshape, "transpose": _transpose, "broadcast_to": _broadcast_to, "concatenate": _concatenate,
    "assign": _assign, "stop_gradient": _same, "slice": _slice, "slice_grad": _slice_grad, "one_hot": _one_hot,
})  # fmt: skip
