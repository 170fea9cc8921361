"""Reverse-mode differentiation, as IR: every gradient is built by calling ops on the graph that is being traced."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.graph.trace import current_graph
from brisknet.ops.dispatch import is_float
from brisknet.ops.registry import get_op

__all__ = ["gradients", "reached"]


def gradients(target, wrt: list[Tensor], seed=None, nodes=None, leaves=()) -> list[Tensor | None]:
    """The gradient of `target` (a scalar, unless `seed` gives its upstream gradient) for each tensor of `wrt`.

    target   a tensor, or a list of tensors whose gradients add up; seed is then a list too
    nodes    what is differentiated, in the order in which it was recorded: all of the current graph by default
    leaves   tensors that gradients reach, but do not flow through

    None where target does not depend on a tensor. Recorded in the current graph.
    """
    graph = current_graph()
    nodes = list(graph.nodes) if nodes is None else nodes
    targets, seeds = (target, seed or [None] * len(target)) if isinstance(target, list) else ([target], [seed])
    needed = _between(nodes, wrt, targets)
    grads: dict[Tensor, Tensor] = {}
    for t, s in zip(targets, seeds, strict=True):
        if t in needed:
            s = graph.add_constant(np.ones(t.shape, t.dtype)) if s is None else s
            grads[t] = s if t not in grads else _accumulate(grads[t], s)
    if not grads:
        return [None] * len(wrt)
    sources, leaves = set(wrt), set(leaves)
    for node in reversed(nodes):
        outs = [None if t in leaves else grads.get(t) for t in node.outputs]
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


def _between(nodes, wrt, targets) -> set[Tensor]:
    """Float tensors on a path from one of `wrt` to a target: only these get a gradient."""
    forward = reached(nodes, wrt)
    back = set(targets)
    for node in reversed(nodes):
        if any(t in back for t in node.outputs):
            back.update(node.inputs)
    return forward & back


def reached(nodes, tensors, floats_only: bool = True) -> set[Tensor]:
    """These tensors and all that depend on them, along floats: what gradients can flow through."""
    forward = set(tensors)
    for node in nodes:
        if any(t in forward for t in node.inputs):
            forward.update(t for t in node.outputs if not floats_only or is_float(t.dtype))
    return forward
