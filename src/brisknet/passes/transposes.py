"""Transposes move down the graph, through what does not care about the order of axes, until they meet their inverse.

Convolution and pooling want channels last. A model with channels first has a transpose before and after every such layer;
this pass lets element-wise ops, reductions, slices, concatenation and batch normalisation work on the values as convolution
left them, so that the transposes between layers cancel and only those of the model's own inputs and outputs are left.
"""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Graph, Node, Tensor
from brisknet.ops.registry import get_op
from brisknet.passes.simplify import eliminate_dead, rewrite, simplify

__all__ = ["move_transposes"]

_FORMS = ("unary", "pair", "broadcast")
_ELEMENTWISE = ("act_grad", "cast", "where", "ema")
_CHANNELS = ("batch_norm", "bn_stats", "bn_apply", "bn_grad_sums", "bn_grad_x")
_SMALL = 8  # an operand this many times smaller than the result may be transposed itself


def move_transposes(graph: Graph) -> Graph:
    """Rewrite the graph; it computes the same values (sums in another order)."""
    if any(n.op == "transpose" for n in graph.nodes):
        _Mover(graph).run()
        simplify(graph)  # reshapes of reshapes, and what was computed in both orders
    return graph


class _Mover:
    """`known[t] = (s, axes)`: the tensor t is the transpose of s by axes, and s is computed anyway."""

    def __init__(self, graph):
        self.graph, self.known, self.nodes, self.replaced = graph, {}, [], {}
        self.shapes: set = set()  # (shape, axes) of everything in `known`

    def run(self):
        for node in self.graph.nodes:
            node.inputs = tuple(self.replaced.get(t, t) for t in node.inputs)
            if not self._moved(node):
                self.nodes.append(node)
        self.graph.nodes = self.nodes
        rewrite(self.graph, self.replaced)
        eliminate_dead(self.graph)

    def _moved(self, node) -> bool:
        """Whether new nodes stand for this one."""
        if node.op == "transpose":
            return len(node.outputs[0].shape) > 2 and self._transpose(node)
        if node.op == "broadcast_to":
            return self._broadcast_to(node)
        if not any(t in self.known for t in node.inputs):
            return False
        if node.op == "reshape":
            return self._reshape(node)
        if node.op in _CHANNELS:
            return self._channels(node)
        if get_op(node.op).form in _FORMS or node.op in _ELEMENTWISE:
            return self._elementwise(node)
        if get_op(node.op).form == "reduction":
            return self._reduction(node)
        if node.op in ("slice", "slice_grad", "concatenate", "resample"):
            return self._along_axes(node)
        return False

    # ---- making nodes -------------------------------------------------------------------------------------------------
    def _add(self, like: Node, op: str, inputs, attrs) -> Tensor:
        return self._add_node(like, op, inputs, attrs).outputs[0]

    def _add_node(self, like, op, inputs, attrs) -> Node:
        specs = get_op(op).infer(tuple(t.shape for t in inputs), tuple(t.dtype for t in inputs), attrs)
        node = Node(op, inputs, attrs, specs, like.scope)
        self.nodes.append(node)
        return node

    def _reshaped(self, like, t, shape) -> Tensor:
        return t if t.shape == tuple(shape) else self._add(like, "reshape", (t,), {"shape": tuple(shape)})

    def _stands_for(self, node, source: Tensor, axes) -> bool:
        """The output of node is the transpose of source by axes; where nothing needs it so, it is dropped later."""
        axes = tuple(int(a) for a in axes)
        out = source if axes == tuple(range(len(axes))) else self._add(node, "transpose", (source,), {"axes": axes})
        self.replaced[node.outputs[0]] = out
        if out is not source:
            self._know(out, source, axes)
        return True

    def _know(self, t, source, axes):
        self.known[t] = source, axes
        self.shapes.add((t.shape, axes))

    # ---- the rules ----------------------------------------------------------------------------------------------------
    def _transpose(self, node):
        x, axes = node.inputs[0], node.attrs["axes"]
        if [a for a in axes if x.shape[a] > 1] == [a for a in range(len(axes)) if x.shape[a] > 1]:  # moves axes of 1 only
            self.replaced[node.outputs[0]] = self._reshaped(node, x, node.outputs[0].shape)
            return True
        source, before = self.known.get(x, (x, tuple(range(len(axes)))))
        return self._stands_for(node, source, [before[a] for a in axes])

    def _broadcast_to(self, node):
        """What is spread over spatial axes behind the channels, as the gradient of a mean is, is spread in front of them.

        Only where the graph has tensors of this shape that come from channels last.
        """
        x, shape = node.inputs[0], node.outputs[0].shape
        axes = (0, len(shape) - 1, *range(1, len(shape) - 1))
        if len(shape) < 3 or x.size * _SMALL > node.outputs[0].size or (shape, axes) not in self.shapes:
            return False
        small = self._operand(x, axes, shape)
        if small is None:
            return False
        back = {"shape": tuple(shape[i] for i in np.argsort(axes))}
        return self._stands_for(node, self._add(node, "broadcast_to", (small(node),), back), axes)

    def _order(self, node):
        """The axes of the largest input that is a known transpose."""
        rank = len(node.outputs[0].shape)
        found = [self.known[t] for t in node.inputs if t in self.known and len(t.shape) == rank]
        return found[0][1] if found else None

    def _elementwise(self, node):
        axes, shape = self._order(node), node.outputs[0].shape
        if axes is None:
            return False
        plans = [self._operand(t, axes, shape) for t in node.inputs]
        if any(p is None for p in plans):
            return False
        return self._stands_for(node, self._add(node, node.op, [make(node) for make in plans], node.attrs), axes)

    def _operand(self, t, axes, shape):
        """A function that makes operand t as the transposed op needs it, or None where that would cost a transpose."""
        if t in self.known and self.known[t][1] == axes:
            return lambda node: self.known[t][0]
        if t.size == 1:
            return lambda node: t if not t.shape else self._reshaped(node, t, (1,) * len(axes))
        if t.node.op == "broadcast_to" and t.shape == shape and t.node.inputs[0].size * _SMALL <= t.size:
            inner = self._operand(t.node.inputs[0], axes, shape)
            back = tuple(shape[i] for i in np.argsort(axes))
            return inner and (lambda node: self._add(node, "broadcast_to", (inner(node),), {"shape": back}))
        if len(t.shape) > len(axes) or t in self.known:
            return None
        padded = (1,) * (len(axes) - len(t.shape)) + t.shape
        back = np.argsort(axes)
        if sum(d > 1 for d in padded) <= 1:
            return lambda node: self._reshaped(node, t, [padded[i] for i in back])
        if t.size * _SMALL > int(np.prod(shape, dtype=np.int64)):
            return None
        order = {"axes": tuple(int(i) for i in back)}
        return lambda node: self._add(node, "transpose", (self._reshaped(node, t, padded),), order)

    def _reduction(self, node):
        source, axes = self.known[node.inputs[0]]
        gone = sorted(axes[a] for a in node.attrs["axes"])
        attrs = {**node.attrs, "axes": tuple(gone)}
        if node.attrs["keepdims"]:
            return self._stands_for(node, self._add(node, node.op, (source,), attrs), axes)
        kept = [a for a in axes if a not in gone]
        if kept != sorted(kept):
            return False
        self.replaced[node.outputs[0]] = self._add(node, node.op, (source,), attrs)
        return True

    def _along_axes(self, node):
        if any(t not in self.known for t in node.inputs):
            return False
        axes = self.known[node.inputs[0]][1]
        if any(self.known[t][1] != axes for t in node.inputs):
            return False
        attrs, back = dict(node.attrs), np.argsort(axes)
        if "axis" in attrs:
            attrs["axis"] = axes[attrs["axis"]]
        for name in ("slices", "shape"):
            if name in attrs:
                attrs[name] = tuple(attrs[name][i] for i in back)
        sources = [self.known[t][0] for t in node.inputs]
        return self._stands_for(node, self._add(node, node.op, sources, attrs), axes)

    # ---- [N,C,*S] as [N,C,S] and back, and batch normalisation on it ------------------------------------------------------
    def _reshape(self, node):
        """Spatial axes joined or split behind the channels: the same in front of them."""
        x, new = node.inputs[0], node.outputs[0].shape
        source, axes = self.known[x]
        rank = len(axes)
        first = rank >= 3 and tuple(axes) == (0, rank - 1, *range(1, rank - 1))  # [N,*S,C] -> [N,C,*S]
        if not first or len(new) < 3 or new[:2] != x.shape[:2]:
            return False
        moved = self._reshaped(node, source, (new[0], *new[2:], new[1]))
        return self._stands_for(node, moved, (0, len(new) - 1, *range(1, len(new) - 1)))

    def _channels(self, node):
        """x [N,C,S] whose source is [N,S,C]: the op sees [N S,C,1]."""
        wide = [t for t in node.inputs if len(t.shape) == 3]
        if any(self.known.get(t, (None, None))[1] != (0, 2, 1) for t in wide):
            return False
        n, c, s = wide[0].shape
        inputs = [self._reshaped(node, self.known[t][0], (n * s, c, 1)) if len(t.shape) == 3 else t for t in node.inputs]
        new = self._add_node(node, node.op, inputs, node.attrs)
        for old, out in zip(node.outputs, new.outputs, strict=True):
            if len(old.shape) == 3:
                source = self._reshaped(node, out, (n, s, c))
                self.replaced[old] = self._add(node, "transpose", (source,), {"axes": (0, 2, 1)})
                self._know(self.replaced[old], source, (0, 2, 1))
            else:
                self.replaced[old] = out
        return True
