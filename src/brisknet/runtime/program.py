"""From a traced graph to something that runs: the passes, then the executor that config.backend() names."""

from __future__ import annotations

import contextlib
import gc
import warnings

from brisknet import config
from brisknet.graph.ir import LEAVES, Graph
from brisknet.graph.verify import verify
from brisknet.ops.registry import get_op
from brisknet.passes.fuse import fuse
from brisknet.passes.norms import fuse_norms
from brisknet.passes.simplify import simplify
from brisknet.passes.transposes import move_transposes
from brisknet.runtime.reference import ReferenceLoop, ReferenceProgram

__all__ = ["collector_paused", "compile_graph", "make_loop", "optimize"]


@contextlib.contextmanager
def collector_paused():
    """Tracing and compiling make many small objects that all stay alive: collecting among them only costs time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def optimize(graph: Graph) -> Graph:
    """Simplify, move transposes together and fuse, verifying after each pass."""
    verify(graph, "tracing")
    verify(simplify(graph), "simplify")
    verify(move_transposes(graph), "transposes")
    verify(fuse(graph), "fuse")
    return verify(fuse_norms(graph), "normalisation")


def compile_graph(graph: Graph):
    """A program of the graph: native, unless the back end is "numpy" or the graph computes in float64.

    A graph with an op or a dtype that has no kernel runs on the reference executor, with a RuntimeWarning that names it.
    """
    graph = optimize(graph)
    if config.backend() == "native" and not _wants_float64(graph):
        from brisknet.passes.lower import Unsupported
        from brisknet.runtime.native import NativeProgram

        try:
            return NativeProgram(graph)
        except Unsupported as reason:
            warnings.warn(
                f"this step runs on the NumPy reference executor, because no native kernel computes {reason}",
                RuntimeWarning, stacklevel=2,
            )  # fmt: skip
    return ReferenceProgram(graph)


def _wants_float64(graph: Graph) -> bool:
    """Whether something else than the totals and states of metrics is float64."""
    return any(
        t.dtype == "float64" for n in graph.nodes for t in n.outputs
        if n.op != "variable" and (n.op in LEAVES or not get_op(n.op).states)
    )  # fmt: skip


def make_loop(program_for, arrays, rows, batch, shuffle_key=None, fetch=None, metrics=()):
    """A loop over the rows of `arrays` in batches.

    program_for(n) gives the program for batches of n rows; all programs of one loop have the same executor. `metrics` are
    the variables that a native loop's run_epochs reports.
    """
    program = program_for(min(batch, rows))
    if program.executor == "native":
        from brisknet.runtime.native import NativeLoop

        return NativeLoop(program_for, arrays, rows, batch, shuffle_key, fetch, metrics)
    return ReferenceLoop(program_for, arrays, rows, batch, shuffle_key, fetch)
