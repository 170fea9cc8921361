"""The compute IR: single-assignment nodes over static shapes. Pure data; it knows nothing of layers or of kernels."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from brisknet.variables import Variable

__all__ = ["Graph", "Node", "Tensor", "LEAVES"]

LEAVES = ("input", "constant", "variable")


class Tensor:
    """A value of the IR: output `index` of `node`, with a static shape and a dtype name.

    Operators and NumPy functions on a Tensor record ops in the graph that is being traced (ops/tensor_methods.py).
    """

    __slots__ = ("node", "index", "shape", "dtype", "id", "_keras_mask")
    __array_priority__ = 1000
    known = False  # whether the value is there already, as in an EagerTensor
    _counter = itertools.count()

    def __init__(self, node: Node, index: int, shape: tuple[int, ...], dtype: str):
        self.node, self.index, self.shape, self.dtype = node, index, tuple(shape), dtype
        self.id = next(Tensor._counter)
        self._keras_mask = None

    def in_graph(self, graph: Graph) -> Tensor:
        """The tensor as an input of a node of `graph`."""
        return self

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        n = 1
        for d in self.shape:
            n *= d
        return n

    def __repr__(self) -> str:
        return f"<Tensor {self.node.op}:{self.index} shape={self.shape} dtype={self.dtype}>"

    def __bool__(self):
        raise TypeError(
            "a symbolic tensor has no truth value while a step is traced: use brisknet.ops.where or ops.cond, or run "
            "the model with run_eagerly=True"
        )

    def __float__(self):
        raise TypeError(
            "a symbolic tensor has no value while a step is traced: compute with brisknet.ops or with operators, or run the "
            "model with run_eagerly=True"
        )

    __int__ = __index__ = __float__

    def __array__(self, dtype=None, copy=None):
        self.__float__()

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self):
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    __hash__ = object.__hash__


class Node:
    """One application of an op. `scope` is the layer path it was recorded under, for `show` and error messages."""

    __slots__ = ("op", "inputs", "attrs", "outputs", "scope")

    def __init__(self, op: str, inputs, attrs: dict, specs, scope: str = ""):
        self.op, self.inputs, self.attrs, self.scope = op, tuple(inputs), attrs, scope
        self.outputs = tuple(Tensor(self, i, s, d) for i, (s, d) in enumerate(specs))

    def __repr__(self) -> str:
        return f"<Node {self.op} {self.attrs} -> {[t.shape for t in self.outputs]}>"


class Graph:
    """Nodes in the order they were recorded (which is a topological order), what goes in and what comes out.

    inputs   tensors of "input" nodes, in the order of the feeds
    outputs  tensors handed back to the caller
    updates  {Variable: Tensor} values that variables take at the end of the run
    """

    def __init__(self):
        self.nodes: list[Node] = []
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.updates: dict[Variable, Tensor] = {}
        self.tapes: list = []  # GradientTapes that are recording
        self.watched: dict = {}  # {id of an array: (the array, the tensor that stands for it)}
        self.settings: list = []  # (object, name, value): attributes that the trace depends on
        self._reads: dict[Variable, Tensor] = {}

    # ---- leaves -------------------------------------------------------------------------------------------------
    def add_input(self, shape, dtype: str, name: str = "") -> Tensor:
        node = self._append(Node("input", (), {"name": name, "position": len(self.inputs)}, ((tuple(shape), dtype),)))
        self.inputs.append(node.outputs[0])
        return node.outputs[0]

    def add_constant(self, value: np.ndarray) -> Tensor:
        value = np.asarray(value)
        return self._append(Node("constant", (), {"value": value}, ((value.shape, value.dtype.name),))).outputs[0]

    def read(self, variable: Variable) -> Tensor:
        """The variable's value at this point of the trace: its latest assigned tensor, or what it held before."""
        tensor = self.updates.get(variable)
        if tensor is None:
            tensor = self._reads.get(variable)
        if tensor is None:
            node = self._append(Node("variable", (), {"variable": variable}, ((variable.shape, variable.dtype),)))
            tensor = self._reads[variable] = node.outputs[0]
        for tape in self.tapes:
            tape.saw(variable, tensor)
        return tensor

    @property
    def variables(self) -> list[Variable]:
        """Every variable that is read or written, each once, in order of first use."""
        return list(dict.fromkeys([*self._reads, *self.updates]))

    # ---- nodes --------------------------------------------------------------------------------------------------
    def add(self, op: str, inputs, attrs: dict, scope: str = "") -> tuple[Tensor, ...]:
        from brisknet.ops.registry import get_op  # here, as the ops themselves need the IR

        specs = get_op(op).infer(tuple(t.shape for t in inputs), tuple(t.dtype for t in inputs), attrs)
        return self._append(Node(op, inputs, attrs, specs, scope)).outputs

    def _append(self, node: Node) -> Node:
        self.nodes.append(node)
        return node

    def results(self) -> list[Tensor]:
        """What must be computed: outputs and updates."""
        return [*self.outputs, *self.updates.values()]
