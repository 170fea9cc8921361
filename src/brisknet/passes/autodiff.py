"""Reverse-mode differentiation, as IR: every gradient is built by calling ops on the graph that is being traced."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Graph, Tensor
from brisknet.graph.trace import current_graph
from brisknet.ops.dispatch import is_float
from brisknet.ops.registry import get_op

__all__ = ["gradients"]


def gradients(target: Tensor, wrt: list[Tensor], seed: Tensor | None = None) -> list[Tensor | None]:
    """The gradient of `target` (a scalar, unless `seed` gives its upstream gradient) for each tensor of `wrt`.

    None where target does not depend on a tensor. Recorded in the current graph.
    """
    graph = current_graph()
    needed = _between(graph, wrt, target)
    if target not in needed:
        return [None] * len(wrt)
    if seed is None:
        seed = graph.add_constant(np.ones(target.shape, target.dtype))
    grads: dict[Tensor, Tensor] = {target: seed}
    sources = set(wrt)
    for node in reversed(list(graph.nodes)):
        outs = [grads.get(t) for t in node.outputs]
        if not node.inputs or all(g is None for g in outs) or not any(t in needed for t in node.inputs):
            continue
        for t in node.outputs:
            if t not in sources:
                grads.pop(t, None)
        vjp = get_op(node.op).vjp
        if vjp is None:
            raise ValueError(f"op {node.op!r} (in {node.scope or 'the step'}) has no gradient")
        for t, g in zip(node.inputs, vjp(node, outs), strict=True):
            if g is not None and t in needed:
                grads[t] = g if t not in grads else _accumulate(grads[t], g)
    return [grads.get(t) for t in wrt]


def _accumulate(a: Tensor, b: Tensor) -> Tensor:
    from brisknet.ops.elementwise import add

    return add(a, b)


def _between(graph: Graph, wrt, target) -> set[Tensor]:
    """Float tensors on a path from one of `wrt` to the target: only these get a gradient."""
    forward = set(wrt)
    for node in graph.nodes:
        if any(t in forward for t in node.inputs):
            forward.update(t for t in node.outputs if is_float(t.dtype))
    back = {target}
    for node in reversed(graph.nodes):
        if any(t in back for t in node.outputs):
            back.update(node.inputs)
    return forward & back
