"""The few peepholes. Each replaces a pair of nodes by one whose kernel does both; a pattern that does not match stays."""

from __future__ import annotations

from brisknet.graph.ir import Graph, Node
from brisknet.passes.simplify import eliminate_dead, rewrite

__all__ = ["fuse"]


def fuse(graph: Graph) -> Graph:
    """Run every peephole once over the graph."""
    for peephole in (_forward_epilogue, _dropout_relu_grad, _dgrad_epilogue, _pool_epilogue, _penalty_grad):
        uses = _uses(graph)
        replaced, nodes = {}, []
        for node in graph.nodes:
            node.inputs = tuple(replaced.get(t, t) for t in node.inputs)
            new = peephole(node, uses)
            if new is not None:
                replaced[node.outputs[0]] = new.outputs[0]
                node = new
            nodes.append(node)
        graph.nodes = nodes
        rewrite(graph, replaced)
        eliminate_dead(graph)
    return graph


def _uses(graph: Graph) -> dict:
    uses: dict = {}
    for node in graph.nodes:
        for t in node.inputs:
            uses.setdefault(t, []).append(node)
    for t in graph.results():
        uses.setdefault(t, []).append(None)
    return uses


def _new(like: Node, op: str, inputs, attrs) -> Node:
    return Node(op, inputs, attrs, tuple((t.shape, t.dtype) for t in like.outputs), like.scope)


def _forward_epilogue(node: Node, uses):
    # y = act(z), a layer of its own behind z = dense(x, w, b) or a convolution: applied while the tile is in registers. The
    # gradient goes by y, so that nothing else reads z
    if node.op not in ("relu", "leaky_relu", "elu", "sigmoid", "tanh"):
        return None
    (z,) = node.inputs
    if z.node.op not in ("dense", "conv") or z.node.attrs.get("activation", "linear") != "linear" or len(uses[z]) != 1:
        return None
    return _new(node, z.node.op, z.node.inputs, {**z.node.attrs, "activation": node.op, "alpha": node.attrs.get("alpha", 0.0)})


def _dropout_relu_grad(node: Node, uses):
    # forward: y = relu(z); d = dropout(y).  backward: act_grad(dropout(g), y) = g * (d > 0) / (1 - rate),
    # because d > 0 exactly where y > 0 and the element was kept: no mask is drawn again.
    if node.op != "act_grad" or node.attrs["kind"] != "relu":
        return None
    masked, y = node.inputs
    if masked.node.op != "dropout":
        return None
    for user in uses.get(y, ()):
        if user is not None and user.op == "dropout" and user.attrs == masked.node.attrs and user.inputs[0] is y:
            scale = node.attrs["scale"] / (1.0 - user.attrs["rate"])
            return _new(node, "act_grad", (masked.node.inputs[0], user.outputs[0]), {**node.attrs, "scale": scale})
    return None


def _dgrad_epilogue(node: Node, uses):
    # dx = dgrad(dz, w); dz' = act_grad(dx, y): the factor f'(y) is applied while the tile is in registers
    if node.op != "act_grad":
        return None
    dx, y = node.inputs
    inner = dx.node
    if inner.op not in ("dense_dgrad", "conv_dgrad") or len(inner.inputs) != 2 or len(uses[dx]) != 1 or y.shape != dx.shape:
        return None
    return _new(node, inner.op, (*inner.inputs, y), {**inner.attrs, **node.attrs})


def _pool_epilogue(node: Node, uses):
    # forward: x = f(z); p = max_pool(x).  backward: act_grad(max_pool_grad(x, p, dp), x): x is at hand, so f'(x) is, too
    if node.op != "act_grad" or node.attrs["scale"] != 1.0:
        return None
    dx, x = node.inputs
    inner = dx.node
    if inner.op != "max_pool_grad" or inner.inputs[0] is not x or len(uses[dx]) != 1 or "kind" in inner.attrs:
        return None
    return _new(node, "max_pool_grad", inner.inputs, {**inner.attrs, "kind": node.attrs["kind"], "alpha": node.attrs["alpha"]})


def _penalty_grad(node: Node, uses):
    # dw + (sign(w) l1 [+ w 2 l2]): the two or three element-wise passes of a penalty's gradient as one
    if node.op != "add":
        return None
    for g, term in (node.inputs, node.inputs[::-1]):
        found = _penalty_term(term)
        if found and found[0].shape == g.shape == node.outputs[0].shape:
            w, l1, l2 = found
            return _new(node, "l1l2_grad", (w, g), {"l1": l1, "l2": l2})
    return None


def _penalty_term(t):
    """(w, l1, l2) where t is sign(w) * l1, w * 2 l2 or the sum of both."""
    if t.node.op == "add":  # of two; gradients of many steps are chains of hundreds, which must not be walked down
        a, b = (_penalty_product(x) for x in t.node.inputs)
        return (a[0], a[1] + b[1], a[2] + b[2]) if a and b and a[0] is b[0] else None
    return _penalty_product(t)


def _penalty_product(t):
    """(w, l1, l2) where t is sign(w) * l1 or w * 2 l2."""
    if t.node.op != "multiply":
        return None
    x, c = t.node.inputs
    if c.node.op != "constant" or c.shape != ():
        return None
    value = float(c.node.attrs["value"])
    if x.node.op == "sign" and x.node.inputs[0].node.op == "variable":
        return x.node.inputs[0], value, 0.0
    if x.node.op == "variable":
        return x, 0.0, value / 2
    return None
