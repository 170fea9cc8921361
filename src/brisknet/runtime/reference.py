"""The reference executor: runs a graph node by node in NumPy. The specification, the debugger, the fallback."""

from __future__ import annotations

import time

import numpy as np

from brisknet.graph.ir import Graph
from brisknet.ops.registry import get_op
from brisknet.runtime import philox

__all__ = ["ReferenceLoop", "ReferenceProgram"]


class ReferenceProgram:
    """A graph and the order to run it in. `run(feeds)` computes the outputs and updates the variables."""

    executor = "numpy"

    def __init__(self, graph: Graph):
        self.graph = graph
        self._last_use = self._liveness()

    def _liveness(self) -> list[list]:
        """For each node, the tensors that may be dropped after it."""
        keep = set(self.graph.results())
        last = {}
        for i, node in enumerate(self.graph.nodes):
            for t in node.inputs:
                last[t] = i
        drop = [[] for _ in self.graph.nodes]
        for t, i in last.items():
            if t not in keep:
                drop[i].append(t)
        return drop

    def run(self, feeds) -> list[np.ndarray]:
        """feeds: one array an input, in order, with the graph's static shapes. Returns fresh output arrays."""
        values: dict = {}
        with np.errstate(all="ignore"):
            for node, drop in zip(self.graph.nodes, self._last_use, strict=True):
                self._compute(node, values, feeds)
                for t in drop:
                    values.pop(t, None)
        outputs = [np.array(values[t], t.dtype, copy=True) for t in self.graph.outputs]
        updates = [(v, np.asarray(values[t])) for v, t in self.graph.updates.items()]
        for variable, value in [(v, x.copy() if x.base is not None else x) for v, x in updates]:
            variable.store(value)
        return outputs

    @staticmethod
    def _compute(node, values, feeds) -> None:
        if node.op == "input":
            out = (np.asarray(feeds[node.attrs["position"]]),)
        elif node.op == "constant":
            out = (node.attrs["value"],)
        elif node.op == "variable":
            out = (node.attrs["variable"].array(),)
        else:
            out = get_op(node.op).reference(*[values[t] for t in node.inputs], **node.attrs)
            out = out if isinstance(out, tuple) else (out,)
        for t, value in zip(node.outputs, out, strict=True):
            values[t] = value


class ReferenceLoop:
    """Epochs of steps over arrays, one program run a step. The native loop has the same methods."""

    executor = "numpy"

    def __init__(self, program_for, arrays, rows: int, batch: int, shuffle_key=None, fetch=None):
        self.program_for, self.arrays, self.rows, self.batch = program_for, arrays, rows, batch
        self.shuffle_key, self.fetch = shuffle_key, fetch
        self.steps = -(-rows // batch)
        for size in (batch, rows % batch):  # a last batch that the model cannot take is an error before the first step
            if size:
                program_for(size)
        self.step = 0
        self._order = None

    def begin_epoch(self, epoch: int) -> None:
        """Start at the first row; shuffle where a key was given."""
        self.step = 0
        if self.shuffle_key is not None:
            self._order = philox.shuffle(self.rows, self.shuffle_key, epoch)

    def run(self, max_steps: int = 0, seconds: float = float("inf")) -> bool:
        """Run steps until the epoch has ended (True), max_steps are done, or the time is up (False)."""
        deadline = time.monotonic() + seconds
        first = self.step
        while self.step < self.steps:
            start = self.step * self.batch
            stop = min(start + self.batch, self.rows)
            at = slice(start, stop) if self._order is None else self._order[start:stop]
            program = self.program_for(stop - start)
            feeds = [
                a[at].astype(t.dtype, copy=False) for a, t in zip(self.arrays, program.graph.inputs, strict=True)
            ]
            outs = program.run(feeds)
            if self.fetch is not None:
                for target, value in zip(self.fetch, outs, strict=True):
                    target[start:stop] = value
            self.step += 1
            if self.step < self.steps and (self.step - first == max_steps or time.monotonic() >= deadline):
                return False
        return True
