"""A graph whose nodes are computed the moment they are recorded, by the NumPy references: what run_eagerly traces into."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Graph, Node, Tensor
from brisknet.ops.registry import get_op

__all__ = ["EagerGraph", "EagerTensor"]


class EagerTensor(Tensor):
    """A traced tensor whose value is known: it can be printed, compared, turned into numbers and arrays.

    What brisknet.ops, operators, methods and NumPy's functions compute from it has a gradient; numpy() and np.asarray() give an
    array without a past.
    """

    __slots__ = ("_value", "_home")
    known = True

    def __init__(self, node: Node, index: int, value, dtype: str, home: Graph):
        self._value, self._home = np.asarray(value, dtype), home
        super().__init__(node, index, self._value.shape, dtype)

    def in_graph(self, graph: Graph) -> Tensor:
        """Itself in its own graph; a constant in any other."""
        return self if graph is self._home else graph.add_constant(self._value)

    def numpy(self) -> np.ndarray:
        """A copy of the value as a plain array."""
        return self._value.copy()

    def __array__(self, dtype=None, copy=None):
        return self._value.astype(dtype or self._value.dtype)

    def item(self):
        """The value as a Python number; ValueError unless it is one."""
        return self._value.item()

    def tolist(self):
        return self._value.tolist()

    def __bool__(self):
        return bool(self._value)

    def __float__(self):
        return float(self._value)

    def __int__(self):
        return int(self._value)

    def __index__(self):
        return self._value.__index__()

    def __format__(self, spec):
        return format(self._value.item() if self._value.ndim == 0 else self._value, spec)

    def __str__(self):
        return str(self._value)

    def __repr__(self):
        return f"<Tensor shape={self.shape} dtype={self.dtype} value={self._value!r}>"


class EagerGraph(Graph):
    """feeds: the values of the graph's inputs, in the order in which they are added.

    keeps    whether values of variables must outlive changes of the variables (on a GradientTape)
    """

    def __init__(self, feeds=(), keeps: bool = False):
        super().__init__()
        self._feeds, self._keeps = feeds, keeps

    def _append(self, node: Node) -> Node:
        if node.op == "input":
            values = (np.asarray(self._feeds[node.attrs["position"]]),)
        elif node.op == "constant":
            values = (node.attrs["value"],)
        elif node.op == "variable":
            variable = node.attrs["variable"]
            values = (variable.numpy() if self._keeps else variable.array(),)
        else:
            with np.errstate(all="ignore"):
                values = get_op(node.op).reference(*[t._value for t in node.inputs], **node.attrs)
            values = values if isinstance(values, tuple) else (values,)
        node.outputs = tuple(EagerTensor(node, t.index, v, t.dtype, self) for t, v in zip(node.outputs, values, strict=True))
        return super()._append(node)
