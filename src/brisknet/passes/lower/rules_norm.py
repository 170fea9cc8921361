"""Batch normalisation of x [outer, channels, inner], and normalisation of x [B, S, C, T] within groups of channels."""

from __future__ import annotations

from brisknet.passes.lower.builder import size_of
from brisknet.passes.lower.rules_elementwise import activation_code, float32
from brisknet.passes.norms import many_rows
from brisknet.variables import PANEL

RULES: dict = {}

UNIT = 16384  # elements in a unit of a pass over rows, about


def _split(b, rest, attrs):
    """(gamma, beta) operands, None where the layer has none."""
    rest = list(rest)
    gamma = b.row(rest.pop(0)) if attrs["scale"] else None
    return gamma, b.row(rest.pop(0)) if attrs["center"] else None


def _images(*flat) -> int:
    """How many images [N, ..., C] the rows of tensors [rows, C, 1] are; 0 where they are none."""
    shapes = [t.node.inputs[0].shape for t in flat if t.node.op == "reshape"]
    return next((s[0] for s in shapes if len(s) > 2 and s[-1] == flat[0].shape[1]), 0)


def _shards(x, images: int) -> int:
    """Into how many shards rows are summed, by shapes alone: images, where they are large enough."""
    rows = x.shape[0]
    return images if 4 <= images <= 512 and rows >= 48 * images else max(1, min(64, rows // 256))


def _units(x, images: int) -> int:
    """Units of a pass over rows: equal parts of images, or of everything."""
    per = max(1, size_of(x.shape) // max(images, 1) // UNIT)
    return max(images, 1) * per


def _activation(attrs, name):
    return activation_code(attrs.get(name, "linear")), attrs.get("alpha", 0.0)


def _bn_stats(b, node):
    x = node.inputs[0]
    float32(x)
    mean, var = (b.out(t) for t in node.outputs)
    if not many_rows(x.shape):
        b.emit("bn_stats", (b.row(x), mean, var), x.shape, writes=(1, 2))
        return
    rows, channels, _ = x.shape
    images = _images(x)
    shards = _shards(x, images)
    parts = b.new(4 * 2 * shards * _padded(channels))
    b.emit("bn_moments", (b.row(x), parts), (rows, channels, shards), writes=(1,),
           images=images if shards == images else 0, sliced=(0, 1))  # fmt: skip
    b.emit("bn_merge", (parts, mean, var), (rows, channels, shards), writes=(1, 2))


def _padded(channels: int) -> int:
    return -(-channels // PANEL) * PANEL


def _batch_norm(b, node):
    x = node.inputs[0]
    float32(*node.inputs)
    gamma, beta = _split(b, node.inputs[1:], node.attrs)
    outs = (b.out(t) for t in node.outputs)
    b.emit("batch_norm", (b.row(x), gamma, beta, *outs), x.shape, (node.attrs["epsilon"],), writes=(3, 4, 5))


def _bn_apply(b, node):
    x, mean, var = node.inputs[:3]
    float32(*node.inputs)
    summand = node.attrs.get("summand", False)
    gamma, beta = _split(b, node.inputs[3 : len(node.inputs) - summand], node.attrs)
    refs = b.row(x), b.row(mean), b.row(var), gamma, beta
    epsilon = node.attrs["epsilon"]
    if x.shape[2] != 1:
        b.emit("bn_apply", (*refs, b.out(node.outputs[0])), x.shape, (epsilon,), writes=(5,))
        return
    other = b.row(node.inputs[-1]) if summand else None
    act, alpha = _activation(node.attrs, "activation")
    images = _images(x, *node.inputs[3:][-1:] if summand else ())
    ints = (*x.shape[:2], _units(x, images), act)
    b.emit("bn_rows", (*refs, other, b.out(node.outputs[0])), ints, (epsilon, alpha), writes=(6,), images=images, sliced=(0, 5, 6))


def _grad_inputs(b, node):
    """([row of every input but the stored output], the stored output or None, (act, alpha))."""
    float32(*node.inputs)
    refs = [b.row(t) for t in node.inputs]
    stored = refs.pop() if "kind" in node.attrs else None
    return refs, stored, _activation(node.attrs, "kind")


def _bn_grad_sums(b, node):
    dy, x = node.inputs[:2]
    refs, stored, (act, alpha) = _grad_inputs(b, node)
    outs = [b.out(t) for t in node.outputs]
    epsilon = node.attrs["epsilon"]
    if not many_rows(x.shape) and stored is None:
        b.emit("bn_grad_sums", (*refs, *outs), x.shape, (epsilon,), writes=(4, 5))
        return
    rows, channels, _ = x.shape
    images = _images(x, dy)
    shards = _shards(x, images)
    parts = b.new(4 * 2 * shards * _padded(channels))
    b.emit("bn_grad_moments", (*refs, stored, parts), (rows, channels, shards, act), (epsilon, alpha), writes=(5,),
           images=images if shards == images else 0, sliced=(0, 1, 4, 5))  # fmt: skip
    b.emit("shard_sum", (parts, *outs), (shards, 1, channels), writes=(1, 2))


def _bn_grad_x(b, node):
    dy, x = node.inputs[:2]
    refs, stored, (act, alpha) = _grad_inputs(b, node)
    refs += [None] * (7 - len(refs))
    epsilon = node.attrs["epsilon"]
    if not many_rows(x.shape) and stored is None:
        b.emit("bn_grad_x", (*refs, b.out(node.outputs[0])), x.shape, (epsilon,), writes=(7,))
        return
    images = _images(x, dy)
    ints = (*x.shape[:2], _units(x, images), act)
    b.emit("bn_grad_rows", (*refs, stored, b.out(node.outputs[0])), ints, (epsilon, alpha), writes=(8,), images=images,
           sliced=(0, 1, 7, 8))  # fmt: skip


def _group_norm(b, node):
    x = node.inputs[0]
    float32(*node.inputs)
    gamma, beta = _split(b, node.inputs[1:], node.attrs)
    outs = [b.out(t) for t in node.outputs]
    ints = (*x.shape, node.attrs["groups"], int(node.attrs["rms"]))
    b.emit("group_norm", (b.row(x), gamma, beta, *outs), ints, (node.attrs["epsilon"],), writes=(3, 4, 5))


def _group_norm_grad_x(b, node):
    float32(*node.inputs)
    refs = [b.row(t) for t in node.inputs]
    refs += [None] * (5 - len(refs))
    ints = (*node.inputs[1].shape, node.attrs["groups"], int(node.attrs["rms"]))
    b.emit("group_norm_grad_x", (*refs, b.out(node.outputs[0])), ints, writes=(5,))


def _group_norm_grad_sums(b, node):
    float32(*node.inputs)
    refs = [b.row(t) for t in node.inputs]
    outs = [b.out(t) for t in node.outputs]
    ints = (*node.inputs[1].shape, node.attrs["groups"], 0)
    b.emit("group_norm_grad_sums", (*refs, *outs), ints, writes=(4, 5))


RULES.update({
    "group_norm": _group_norm, "group_norm_grad_x": _group_norm_grad_x, "group_norm_grad_sums": _group_norm_grad_sums,
    "bn_stats": _bn_stats, "batch_norm": _batch_norm, "bn_apply": _bn_apply, "bn_grad_sums": _bn_grad_sums,
    "bn_grad_x": _bn_grad_x, "bn_rows": _bn_apply,
})  # fmt: skip
