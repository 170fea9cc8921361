"""Tracing: while a `Trace` is active in a thread, ops on its tensors and reads of variables are recorded in its graph."""

from __future__ import annotations

import contextlib
import threading

import numpy as np

from brisknet.graph.ir import Graph, Tensor

__all__ = ["Trace", "current_graph", "name_scope", "record"]

_state = threading.local()


def current_graph() -> Graph | None:
    """The graph being traced in this thread, or None outside tracing."""
    return getattr(_state, "graph", None)


class Trace:
    """`with Trace() as graph:` records into a new graph; traces nest, the innermost one records."""

    def __init__(self, graph: Graph | None = None, floatx: str | None = None):
        self.graph = graph if graph is not None else Graph()
        self.floatx = floatx
        self._saved = None

    def __enter__(self) -> Graph:
        self._saved = (current_graph(), getattr(_state, "scope", ""), getattr(_state, "floatx", None))
        _state.graph, _state.scope = self.graph, ""
        if self.floatx:
            _state.floatx = self.floatx
        return self.graph

    def __exit__(self, *exc) -> None:
        _state.graph, _state.scope, _state.floatx = self._saved


def traced_floatx() -> str | None:
    """The float type of the active trace where it differs from config.floatx() (gradient checks trace in float64)."""
    return getattr(_state, "floatx", None)


@contextlib.contextmanager
def name_scope(name: str):
    """Nodes recorded inside carry `name` at the end of their path."""
    before = getattr(_state, "scope", "")
    _state.scope = f"{before}/{name}" if before else name
    try:
        yield
    finally:
        _state.scope = before


def record(op: str, inputs, attrs: dict) -> tuple[Tensor, ...]:
    """Add one node to the active graph; arrays and numbers among the inputs become constants."""
    graph = current_graph()
    if graph is None:
        raise RuntimeError(
            f"ops.{op} got a symbolic tensor after its trace had ended; don't keep tensors of a traced step outside it"
        )
    return graph.add(op, [as_tensor(x, graph) for x in inputs], attrs, getattr(_state, "scope", ""))


def as_tensor(x, graph: Graph | None = None) -> Tensor:
    """x as a tensor of the graph: tensors as they are, variables read, everything else a constant."""
    graph = graph or current_graph()
    if id(x) in graph.watched:
        return graph.watched[id(x)][1]
    if isinstance(x, Tensor):
        return x.in_graph(graph)
    from brisknet.variables import Variable

    if isinstance(x, Variable):
        return graph.read(x)
    return graph.add_constant(np.asarray(x))
