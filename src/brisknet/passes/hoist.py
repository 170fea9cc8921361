"""Hoisting: what a step computes from weights that it does not change is taken out of it, to be computed once for many steps."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import LEAVES, Graph, Node
from brisknet.ops.registry import get_op
from brisknet.variables import Variable

__all__ = ["hoist"]


def hoist(graph: Graph) -> Graph | None:
    """Take the nodes that depend on unchanged variables and constants alone out of a graph.

    Returns the graph that computes them into variables of their own, which `graph` now reads; None where there is nothing. It
    must run before the first step, and again after the weights have changed. Only float32 values are hoisted.
    """
    fixed: set = set()
    for node in graph.nodes:
        if node.op in LEAVES:
            if node.op == "constant" or (node.op == "variable" and node.attrs["variable"] not in graph.updates):
                fixed.update(node.outputs)
        elif node.inputs and all(t in fixed for t in node.inputs) and not get_op(node.op).states:
            fixed.update(node.outputs)
    results = set(graph.results())
    moved = [n for n in graph.nodes if n.op not in LEAVES and n.outputs[0] in fixed]
    wanted = [t for n in moved for t in n.outputs if _is_used(t, graph, fixed, results)]
    if not wanted or any(t.dtype != "float32" for t in wanted):
        return None
    once = Graph()
    once.nodes = [n for n in graph.nodes if n.outputs and n.outputs[0] in fixed]
    once._reads = {v: t for v, t in graph._reads.items() if t in fixed}
    replaced = {}
    for t in wanted:
        home = Variable(np.zeros(t.shape, t.dtype), dtype=t.dtype, trainable=False, name="hoisted")
        once.updates[home] = t
        node = Node("variable", (), {"variable": home}, ((t.shape, t.dtype),), t.node.scope)
        replaced[t], graph._reads[home] = node.outputs[0], node.outputs[0]
    graph.nodes = [t.node for t in replaced.values()] + [n for n in graph.nodes if n not in set(moved)]
    for node in graph.nodes:
        node.inputs = tuple(replaced.get(t, t) for t in node.inputs)
    graph.outputs = [replaced.get(t, t) for t in graph.outputs]
    graph.updates = {v: replaced.get(t, t) for v, t in graph.updates.items()}
    return once


def _is_used(t, graph, fixed, results) -> bool:
    """Whether something that stays in the graph reads a tensor."""
    return t in results or any(t in n.inputs and n.outputs[0] not in fixed for n in graph.nodes)
