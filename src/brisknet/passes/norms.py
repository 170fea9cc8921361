"""Batch normalisation of many rows in parts: statistics in shards of rows, then a pass over rows that can do more.

    batch_norm                                 -> bn_stats, bn_apply
    act(bn_apply(x) + s), act(bn_apply(x))     -> bn_rows
    bn_grad_sums, bn_grad_x of act_grad(dy, y) -> the same of dy and y, where nothing else wants the product

Few rows stay one instruction.
"""

from __future__ import annotations

from brisknet.graph.ir import Graph, Node
from brisknet.ops.registry import get_op
from brisknet.passes.simplify import eliminate_dead, rewrite

__all__ = ["fuse_norms", "many_rows"]

_ACTIVATIONS = ("relu", "leaky_relu", "elu", "sigmoid", "tanh")
LEAST_ROWS, LEAST_ELEMENTS = 512, 65536


def many_rows(shape) -> bool:
    """Whether x [rows, C, 1] is worked on in shards of rows."""
    rows, channels, inner = shape
    return inner == 1 and rows >= LEAST_ROWS and rows * channels >= LEAST_ELEMENTS


def fuse_norms(graph: Graph) -> Graph:
    """Split batch normalisations of many rows, and fuse what surrounds them."""
    if not any(n.op in ("batch_norm", "bn_apply", "bn_grad_x") for n in graph.nodes):
        return graph
    for step in (_split, _fuse_activation, _fuse_sum, _fuse_act_grad):
        uses: dict = {}
        for node in graph.nodes:
            for t in node.inputs:
                uses.setdefault(t, []).append(node)
        for t in graph.results():
            uses.setdefault(t, []).append(None)
        nodes, replaced = [], {}
        for node in graph.nodes:
            node.inputs = tuple(replaced.get(t, t) for t in node.inputs)
            nodes += step(node, uses, replaced) or (node,)
        graph.nodes = nodes
        rewrite(graph, replaced)
        eliminate_dead(graph)
    return graph


def _node(like: Node, op: str, inputs, attrs) -> Node:
    specs = get_op(op).infer(tuple(t.shape for t in inputs), tuple(t.dtype for t in inputs), attrs)
    return Node(op, inputs, attrs, specs, like.scope)


def _split(node, uses, replaced):
    if node.op != "batch_norm" or not many_rows(node.inputs[0].shape):
        return None
    x, *parameters = node.inputs
    stats = _node(node, "bn_stats", (x,), {})
    applied = _node(node, "bn_apply", (x, *stats.outputs, *parameters), node.attrs)
    replaced.update(zip(node.outputs, (*applied.outputs, *stats.outputs), strict=True))
    return stats, applied


# ---- forward ------------------------------------------------------------------------------------------------------------
def _applied(t, uses):
    """The bn_apply that makes t, seen through reshapes, where nothing else reads what it makes."""
    while t.node.op == "reshape" and len(uses.get(t, ())) == 1:
        t = t.node.inputs[0]
    if t.node.op != "bn_apply" or len(uses.get(t, ())) != 1 or t.shape[2] != 1:
        return None
    return t.node


def _rows(node, norm, other, activation, alpha, replaced):
    """The nodes that stand for `node`: a pass over the rows of norm's input, and reshapes."""
    made, ins = [], norm.inputs
    if other is not None:
        flat = other.node.inputs[0] if other.node.op == "reshape" else other
        if flat.shape != ins[0].shape:
            made.append(_node(node, "reshape", (other,), {"shape": ins[0].shape}))
            flat = made[-1].outputs[0]
        ins = (*ins, flat)
    attrs = {**norm.attrs, "summand": other is not None, "activation": activation, "alpha": alpha}
    made.append(_node(norm, "bn_rows", ins, attrs))
    made.append(_node(node, "reshape", made[-1].outputs, {"shape": node.outputs[0].shape}))
    replaced[node.outputs[0]] = made[-1].outputs[0]
    return made


def _with_summand(node, uses):
    """(bn_apply, summand) where node adds the two, the one that is ready last."""
    if node.op != "add" or any(t.shape != node.outputs[0].shape for t in node.inputs) or node.inputs[0] is node.inputs[1]:
        return None
    for t, other in (node.inputs[::-1], node.inputs):
        norm = _applied(t, uses)
        if norm is not None:
            return norm, other
    return None


def _fuse_activation(node, uses, replaced):
    if node.op not in _ACTIVATIONS:
        return None
    t = node.inputs[0]
    alpha = node.attrs.get("alpha", 0.0)
    norm = _applied(t, uses)
    if norm is not None:
        return _rows(node, norm, None, node.op, alpha, replaced)
    found = _with_summand(t.node, uses) if len(uses.get(t, ())) == 1 else None
    return _rows(node, *found, node.op, alpha, replaced) if found else None


def _fuse_sum(node, uses, replaced):
    found = _with_summand(node, uses)
    return _rows(node, *found, "linear", 0.0, replaced) if found else None


# ---- backward -----------------------------------------------------------------------------------------------------------
def _fuse_act_grad(node, uses, replaced):
    """Both gradients read dy and y instead of a product that would have to be written first."""
    if node.op not in ("bn_grad_sums", "bn_grad_x") or not many_rows(node.inputs[1].shape) or "kind" in node.attrs:
        return None
    t, chain = node.inputs[0], []
    while t.node.op == "reshape":
        chain.append(t)
        t = t.node.inputs[0]
    product = t.node
    if product.op != "act_grad" or product.attrs["scale"] != 1.0:
        return None
    users = uses.get(node.inputs[0], ())
    if any(u is None or u.op not in ("bn_grad_sums", "bn_grad_x") or u.inputs[1] is not node.inputs[1] for u in users):
        return None
    if chain and any(len(uses.get(x, ())) != 1 for x in (*chain[1:], t)):
        return None
    made, shape = [], node.inputs[0].shape
    ends = []
    for x in product.inputs:
        if x.shape != shape:
            made.append(_node(node, "reshape", (x,), {"shape": shape}))
            x = made[-1].outputs[0]
        ends.append(x)
    attrs = {**node.attrs, "kind": product.attrs["kind"], "alpha": product.attrs["alpha"]}
    new = Node(node.op, (ends[0], *node.inputs[1:], ends[1]), attrs, tuple((o.shape, o.dtype) for o in node.outputs), node.scope)
    replaced.update(zip(node.outputs, new.outputs, strict=True))
    return *made, new
