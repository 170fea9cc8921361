"""Second derivatives of ops that have a kernel for their first."""

from __future__ import annotations

from brisknet.graph.trace import current_graph

__all__ = ["by_parts"]


def by_parts(build):
    """A vjp that takes the gradient of the op's decomposition into simpler ops, build(node) -> values: for second
    derivatives, which are rare."""

    def vjp(node, grads):
        from brisknet.ops.elementwise import add
        from brisknet.passes.autodiff import gradients

        graph, total = current_graph(), [None] * len(node.inputs)
        first = len(graph.nodes)
        values = build(node)
        parts = graph.nodes[first:]  # and no further back: an input may be computed from another one
        for value, g in zip(values, grads, strict=True):
            if g is None:
                continue
            found = gradients(value, list(node.inputs), seed=g, nodes=parts)
            total = [b if a is None else a if b is None else add(a, b) for a, b in zip(total, found, strict=True)]
        return tuple(total)

    return vjp
