"""Simplification: what nothing depends on is dropped, equal nodes are computed once, and no-ops disappear."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Graph, Node, Tensor
from brisknet.ops.registry import get_op

__all__ = ["eliminate_dead", "rewrite", "simplify"]


def simplify(graph: Graph) -> Graph:
    """Fold constants, drop multiplications by one and additions of zero, merge equal nodes, drop dead ones."""
    eliminate_dead(graph)
    replaced: dict[Tensor, Tensor] = {}
    seen: dict = {}
    nodes = []
    for node in graph.nodes:
        node.inputs = tuple(replaced.get(t, t) for t in node.inputs)
        if node.op == "replace_gradient":  # gradients have been taken
            replaced.update(zip(node.outputs, node.inputs, strict=False))
            continue
        new = _identity(node)
        if new is not None:
            replaced[node.outputs[0]] = replaced.get(new, new)
            continue
        _fold(node)
        key = _key(node)
        if key is not None and key in seen:
            replaced.update(zip(node.outputs, seen[key].outputs, strict=True))
            continue
        if key is not None:
            seen[key] = node
        nodes.append(node)
    graph.nodes = nodes
    rewrite(graph, replaced)
    return eliminate_dead(graph)


def rewrite(graph: Graph, replaced: dict[Tensor, Tensor]) -> None:
    """Replace tensors everywhere in the graph."""
    if not replaced:
        return
    for node in graph.nodes:
        node.inputs = tuple(replaced.get(t, t) for t in node.inputs)
    graph.outputs = [replaced.get(t, t) for t in graph.outputs]
    graph.updates = {v: replaced.get(t, t) for v, t in graph.updates.items()}


def eliminate_dead(graph: Graph) -> Graph:
    """Keep the nodes that a result depends on, and every input (feeds keep their places)."""
    live = set(graph.results())
    nodes = []
    for node in reversed(graph.nodes):
        if node.op == "input" or any(t in live for t in node.outputs):
            nodes.append(node)
            live.update(node.inputs)
    graph.nodes = nodes[::-1]
    return graph


def _constant(t: Tensor):
    return t.node.attrs["value"] if t.node.op == "constant" else None


def _identity(node: Node) -> Tensor | None:
    """The input that the node only hands through, if it does."""
    if node.op in ("reshape", "broadcast_to") and node.inputs[0].shape == node.outputs[0].shape:
        return node.inputs[0]
    if node.op in ("multiply", "divide", "add", "subtract"):
        a, b = node.inputs
        neutral = 1 if node.op in ("multiply", "divide") else 0
        for t, other, first in ((a, b, False), (b, a, True)):
            if other.shape == () and node.outputs[0].shape == t.shape and (node.op in ("multiply", "add") or not first):
                value = _constant(other)
                if value is not None and value == neutral:
                    return t
    return None


def _fold(node: Node) -> None:
    """Turn a node of constants into a constant in place (small results only: the program keeps them in memory)."""
    if not node.inputs or len(node.outputs) != 1 or node.outputs[0].size > 4096 or node.op == "host_call":
        return
    values = [_constant(t) for t in node.inputs]
    if any(v is None for v in values):
        return
    out = node.outputs[0]
    value = np.asarray(get_op(node.op).reference(*values, **node.attrs), out.dtype)
    node.op, node.inputs, node.attrs = "constant", (), {"value": value.reshape(out.shape)}


def _key(node: Node):
    """Equal keys compute equal values; None for leaves that must stay apart."""
    if node.op in ("input", "variable", "host_call"):
        return None
    if node.op == "constant":
        value = node.attrs["value"]
        return ("constant", value.dtype.str, value.shape, value.tobytes()) if value.size <= 4096 else None
    attrs = tuple(sorted((k, _hashable(v)) for k, v in node.attrs.items()))
    return (node.op, tuple(t.id for t in node.inputs), attrs)


def _hashable(v):
    if isinstance(v, np.ndarray):
        return v.dtype.str, v.shape, v.tobytes()
    return tuple(v) if isinstance(v, list) else v
