"""The order of a functional model's layers, which is also the order of its weights: as Keras sorts them."""

from __future__ import annotations

from brisknet.layers.keras_tensor import CallNode, KerasTensor, source_layers

__all__ = ["layers_by_depth"]


def layers_by_depth(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> list:
    """The layers between inputs and outputs, those furthest from the outputs first.

    A layer's depth is its longest way to an output; layers of one depth come in the order in which a depth-first
    walk from the outputs meets them. Inputs that no output depends on have depth 0.
    """
    seen, nodes = _walk({id(t) for t in inputs}, outputs)
    node_depth: dict[int, int] = {}
    layer_depth: dict[int, int] = {}
    layers = {id(n.layer): n.layer for n in nodes}
    for node in reversed(nodes):
        depth = max(node_depth.get(id(node), 0), layer_depth.get(id(node.layer), 0))
        node_depth[id(node)] = layer_depth[id(node.layer)] = depth
        for t in node.inputs:
            before = id(source_layers(t))
            node_depth[before] = max(depth + 1, node_depth.get(before, 0))
    for t in inputs:
        layer = source_layers(t).layer
        if id(layer) not in layers:
            layers[id(layer)], layer_depth[id(layer)], seen[id(layer)] = layer, 0, -1
    return sorted(layers.values(), key=lambda layer: (-layer_depth[id(layer)], seen[id(layer)]))


def _walk(stop: set[int], outputs) -> tuple[dict[int, int], list[CallNode]]:
    """({layer id: number of the first meeting}, the calls with every call after those it needs)."""
    seen: dict[int, int] = {}
    nodes, finished = [], set()
    for out in outputs:
        stack = [(out, False)]
        while stack:
            t, done = stack.pop()
            node = source_layers(t)
            if id(node) in finished:
                continue
            if done:
                finished.add(id(node))
                nodes.append(node)
                continue
            seen.setdefault(id(node.layer), len(seen))
            stack.append((t, True))
            if id(t) not in stop:
                stack += [(x, False) for x in reversed(node.inputs)]
    return seen, nodes
