"""Losses, dropout and random draws."""

from __future__ import annotations

from brisknet.ops.loss import POINTWISE_KINDS, SUMMED
from brisknet.passes.lower.builder import padded_size, size_of
from brisknet.passes.lower.plan import BLOCK, HEAD_ELEMENTS, NULL, Ref, Segment, Table, Unsupported
from brisknet.passes.lower.rules_elementwise import float32

RULES: dict = {}


# ---- heads --------------------------------------------------------------------------------------------------------------
def _head(b, node, kernel, kind, floats_of):
    pred, target, *weights = node.inputs
    loss, slope = node.outputs
    float32(pred, *weights)
    rows, cols = pred.shape
    units = max(-(-rows // max(HEAD_ELEMENTS // max(cols, 1), 1)), 1)
    by_row = kernel != "pointwise_head" or node.attrs["kind"] in SUMMED
    count = rows if by_row else pred.size
    scale = 1.0 / max(count, 1)
    refs = b.row(pred), b.row(target), b.row(weights[0]) if weights else None
    total, partials = b.out(loss), b.new(8 * units)
    # With one unit the kernel writes the loss itself.
    b.emit(kernel, (*refs, total, b.out(slope), partials), (rows, cols, kind, units), (floats_of, scale), writes=(3, 4, 5))
    if units > 1:
        b.emit("sum_partials", (partials, total), (units,), (scale, 0.0), writes=(1,))


def _pointwise_head(b, node):
    float32(node.inputs[1])
    _head(b, node, "pointwise_head", POINTWISE_KINDS.index(node.attrs["kind"]), node.attrs.get("parameter", 0.0))


def _class_head(kernel):
    def rule(b, node):
        wanted = "int32" if node.attrs["sparse"] else "float32"
        if node.inputs[1].dtype != wanted:
            raise Unsupported(f"{kernel} with targets of dtype {node.inputs[1].dtype}")
        _head(b, node, kernel, int(node.attrs["sparse"]), node.attrs.get("smoothing", 0.0))

    return rule


RULES.update({
    "pointwise_head": _pointwise_head, "xent_head": _class_head("xent_head"), "cce_head": _class_head("cce_head"),
})  # fmt: skip


def _ctc_head(b, node):
    logits, labels = node.inputs
    loss, slope = node.outputs
    float32(logits)
    if labels.dtype != "int32":
        raise Unsupported(f"ctc_head with labels of dtype {labels.dtype}")
    rows, frames, classes = logits.shape
    n = labels.shape[1]
    width = -(-(n + 2) // 16) * 16 + 16  # one vector of any instruction set more than is used
    work = b.new(4 * rows * (2 * (frames + 1) + 6) * width)
    refs = b.row(logits), b.row(labels), b.out(loss), b.out(slope), work
    b.emit("ctc_head", refs, (rows, frames * classes, frames, classes, n, width), writes=(2, 3, 4))


RULES["ctc_head"] = _ctc_head


# ---- sums over parameters -----------------------------------------------------------------------------------------------
def _any_layout(b, t):
    """(ref, elements) of a tensor as it lies; the padding of panels is zero."""
    layout = b.layout(t)
    return b.as_layout(t, layout), padded_size(t.shape) if layout == "panel" else size_of(t.shape)


def block_sums(b, tensors, l1, l2, out, finish=None):
    """out = sum over tensors of l1 |p| + l2 p^2, or what sum_partials makes of it with the floats of `finish`."""
    segments, units = [], 0
    for t in tensors:
        ref, n = _any_layout(b, t)
        segments.append(Segment(ref, NULL, (), n, l1=l1, l2=l2))
        units += -(-n // BLOCK)
    partials = b.new(8 * units)
    b.emit("block_sums", (Ref(Table(segments)), out, partials), (len(segments), units), writes=(1, 2))
    if units > 1 or finish:
        b.emit("sum_partials", (partials, out), (units,), finish or (1.0, 0.0), writes=(1,))


def _penalty(b, node):
    float32(node.inputs[0])
    block_sums(b, node.inputs, node.attrs["l1"], node.attrs["l2"], b.out(node.outputs[0]))


def _global_norm(b, node):
    float32(*node.inputs)
    block_sums(b, node.inputs, 0.0, 1.0, b.out(node.outputs[0]), (1.0, node.attrs["clip"]))


def _clip_norm(b, node):
    g, y = node.inputs[0], node.outputs[0]
    float32(g)
    factor = b.new(4)
    block_sums(b, node.inputs, 0.0, 1.0, factor, (1.0, node.attrs["clip"]))
    ref, n = _any_layout(b, g)
    b.emit("multiply", (ref, factor, b.out(y, b.layout(g))), (n, n, 0, 1, 0, 0), writes=(2,))


RULES.update({"l1l2_penalty": _penalty, "global_norm": _global_norm, "clip_norm": _clip_norm})


# ---- random numbers -----------------------------------------------------------------------------------------------------
def _dropout(b, node):
    x, step = node.inputs
    float32(x)
    rate = node.attrs["rate"]
    ints = (x.size, node.attrs["key"], round(rate * 65536))
    b.emit("dropout", (b.row(x), b.out(node.outputs[0]), b.row(step)), ints, (1.0 / (1.0 - rate),), writes=(1,))


def _draw(kernel, first, second):
    def rule(b, node):
        y = node.outputs[0]
        float32(y)
        floats = first(node.attrs), second(node.attrs)
        b.emit(kernel, (b.out(y), b.row(node.inputs[0])), (y.size, node.attrs["key"]), floats, writes=(0,))

    return rule


RULES["dropout"] = _dropout
RULES["random_uniform"] = _draw("random_uniform", lambda a: a["low"], lambda a: a["high"] - a["low"])
RULES["random_normal"] = _draw("random_normal", lambda a: a["mean"], lambda a: a["stddev"])
