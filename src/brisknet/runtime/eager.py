"""The program of a step under run_eagerly: the Python of the step runs anew each time, each op at once."""

from __future__ import annotations

import numpy as np

from brisknet.graph.eager import EagerGraph
from brisknet.graph.ir import Graph

__all__ = ["EagerProgram"]


class EagerProgram:
    """What compiled programs are to the loops that run them.

    trace   a function graph -> None, which records one step into a graph
    specs   (shape, dtype) of each input
    """

    executor = "numpy"

    def __init__(self, trace, specs):
        self._trace = trace
        self.graph = Graph()  # only its inputs are looked at
        for shape, dtype in specs:
            self.graph.add_input(shape, dtype)

    def run(self, feeds) -> list[np.ndarray]:
        """Run one step on arrays: returns its outputs, after the variables have taken their new values."""
        graph = EagerGraph(feeds)
        self._trace(graph)
        outputs = [t.numpy() for t in graph.outputs]
        for variable, value in [(v, t.numpy()) for v, t in graph.updates.items()]:
            variable.store(value)
        return outputs
