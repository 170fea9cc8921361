"""What a compiled function returns: the tensors of its trace as outputs of the program, in their structure."""

from __future__ import annotations

from brisknet import config
from brisknet.graph.ir import Tensor
from brisknet.layers.keras_tensor import map_structure
from brisknet.metrics.metric import Metric
from brisknet.metrics.pending import Pending
from brisknet.ops.dispatch import cast
from brisknet.variables import Variable

__all__ = ["Results"]

_NARROW = {"float64": "float32", "int64": "int32"}


class Results:
    """Adds the tensors among the outputs to the graph's; packed(arrays) puts the arrays back in their places."""

    def __init__(self, outputs, graph):
        self._single = isinstance(outputs, Tensor)
        self._structure = map_structure(lambda x: self._place(x, graph), outputs)
        self._flat = type(outputs) in (tuple, list) and all(type(p) is int for p in self._structure)
        self._kind = type(outputs)

    @staticmethod
    def _place(x, graph):
        if not isinstance(x, Tensor):
            return _Other(x)
        if config.floatx() == "float32" and x.dtype in _NARROW:  # programs give 4-byte results
            x = cast(x, _NARROW[x.dtype])
        graph.outputs.append(x)
        return len(graph.outputs) - 1

    def packed(self, arrays):
        if self._single:
            return arrays[0]
        if self._flat:
            return self._kind(arrays)
        return map_structure(lambda p: arrays[p] if type(p) is int else p.value(), self._structure)


class _Other:
    """What is no tensor: variables and metrics are read after the run, anything else is what the trace returned."""

    def __init__(self, x):
        self._x = x.metric if isinstance(x, Pending) else x

    def value(self):
        if isinstance(self._x, Variable):
            return self._x.numpy()
        return self._x.result() if isinstance(self._x, Metric) else self._x
