"""The verifier: run after every pass; a graph that it accepts can be executed by either executor."""

from __future__ import annotations

from brisknet.graph.ir import LEAVES, Graph
from brisknet.ops.registry import get_op

__all__ = ["verify"]


def verify(graph: Graph, after: str = "") -> Graph:
    """Check order, known ops, shapes and dtypes of every node, and that results exist. Returns the graph.

    AssertionError names the pass and the node: it is a bug of brisknet, never of a user's program.
    """
    known = set()
    where = f" after {after}" if after else ""
    for node in graph.nodes:
        for t in node.inputs:
            assert t in known, f"{node} uses {t} before it is computed{where}"
        if node.op in LEAVES:
            assert not node.inputs, f"leaf {node} has inputs{where}"
        else:
            shapes, dtypes = tuple(t.shape for t in node.inputs), tuple(t.dtype for t in node.inputs)
            specs = get_op(node.op).infer(shapes, dtypes, node.attrs)
            got = tuple((t.shape, t.dtype) for t in node.outputs)
            assert got == tuple((tuple(s), d) for s, d in specs), f"{node}: inferred {specs}, holds {got}{where}"
        known.update(node.outputs)
    for t in graph.results():
        assert t in known, f"result {t} is not computed{where}"
    for variable, t in graph.updates.items():
        assert (t.shape, t.dtype) == (variable.shape, variable.dtype), f"{variable.path} is updated with {t}{where}"
    return graph
