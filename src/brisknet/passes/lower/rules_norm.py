"""Batch normalisation of x [outer, channels, inner], and normalisation of x [B, S, C, T] within groups of channels."""

from __future__ import annotations

from brisknet.passes.lower.rules_elementwise import float32

RULES: dict = {}


def _split(b, rest, attrs):
    """(gamma, beta) operands, None where the layer has none."""
    rest = list(rest)
    gamma = b.row(rest.pop(0)) if attrs["scale"] else None
    return gamma, b.row(rest.pop(0)) if attrs["center"] else None


def _bn_stats(b, node):
    x = node.inputs[0]
    float32(x)
    mean, var = (b.out(t) for t in node.outputs)
    b.emit("bn_stats", (b.row(x), mean, var), x.shape, writes=(1, 2))


def _batch_norm(b, node):
    x = node.inputs[0]
    float32(*node.inputs)
    gamma, beta = _split(b, node.inputs[1:], node.attrs)
    outs = (b.out(t) for t in node.outputs)
    b.emit("batch_norm", (b.row(x), gamma, beta, *outs), x.shape, (node.attrs["epsilon"],), writes=(3, 4, 5))


def _bn_apply(b, node):
    x, mean, var = node.inputs[:3]
    float32(*node.inputs)
    gamma, beta = _split(b, node.inputs[3:], node.attrs)
    refs = b.row(x), b.row(mean), b.row(var), gamma, beta
    b.emit("bn_apply", (*refs, b.out(node.outputs[0])), x.shape, (node.attrs["epsilon"],), writes=(5,))


def _bn_grad_sums(b, node):
    float32(*node.inputs)
    refs = [b.row(t) for t in node.inputs]
    outs = [b.out(t) for t in node.outputs]
    b.emit("bn_grad_sums", (*refs, *outs), node.inputs[1].shape, (node.attrs["epsilon"],), writes=(4, 5))


def _bn_grad_x(b, node):
    float32(*node.inputs)
    refs = [b.row(t) for t in node.inputs]
    refs += [None] * (7 - len(refs))
    b.emit("bn_grad_x", (*refs, b.out(node.outputs[0])), node.inputs[1].shape, (node.attrs["epsilon"],), writes=(7,))


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
    "bn_grad_x": _bn_grad_x,
})  # fmt: skip
