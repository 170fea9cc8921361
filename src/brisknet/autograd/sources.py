"""What gradients are asked of and for: targets and sources as tensors of a graph, and why there is no gradient."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.graph.trace import as_tensor
from brisknet.ops.dispatch import dtype_of, is_float
from brisknet.passes.autodiff import reached
from brisknet.variables import Variable

__all__ = ["check_connected", "check_float", "source_tensors", "target_tensor"]


def check_float(x, method: str) -> None:
    """TypeError for what has no gradient as it is no float."""
    if not is_float(dtype_of(x)):
        raise TypeError(f"{method}: gradients are of floats, got dtype {dtype_of(x)}; make it floats first, x.astype('float32')")


def _shown(x) -> str:
    if isinstance(x, Variable):
        return f"variable {x.path!r}"
    shape = getattr(x, "shape", None)
    return f"{x!r}" if shape is None else f"the {'tensor' if isinstance(x, Tensor) else 'array'} of shape {tuple(shape)}"


def _on_graph(x, graph) -> Tensor | None:
    """The tensor that x is in the graph, or None where the graph knows nothing of it."""
    if id(x) in graph.watched:
        return graph.watched[id(x)][1]
    return x if isinstance(x, Tensor) and as_tensor(x, graph) is x else None


def target_tensor(target, graph, nodes, roots) -> Tensor:
    """The target of a gradient as a tensor. ValueError where it was not computed on the tape, TypeError for no float."""
    t = graph.read(target) if isinstance(target, Variable) else _on_graph(target, graph)
    if t is None:
        raise ValueError(
            f"gradient: the target, {_shown(target)}, is not on the tape: compute it within the tape's block, with "
            "brisknet.ops, operators and layers, from variables or from what tape.watch(x) returns"
        )
    check_float(t, "gradient")
    if t not in roots and not any(t is out for n in nodes for out in n.outputs):
        raise ValueError(
            f"gradient: the target, {_shown(target)}, was computed outside the tape's block (or while recording was "
            "stopped); compute it within `with tape:`"
        )
    return t


def source_tensors(source, graph, nodes, roots, variables) -> list[Tensor]:
    """The tensors that a source stands for: none for a variable that the tape has not seen, as in TensorFlow.

    ValueError for an array or tensor that is not watched, TypeError for what is no float.
    """
    if isinstance(source, Variable):
        check_float(source, "gradient")
        return list(variables.get(source, ()))
    t = _on_graph(source, graph)
    if t is not None:
        check_float(t, "gradient")
        if t in roots or t in reached(nodes, roots):
            return [t]
    if not isinstance(source, (Tensor, np.ndarray)):
        raise TypeError(f"gradient: variables, tensors or arrays expected as sources, got {source!r}")
    raise ValueError(
        f"gradient: the source, {_shown(source)}, is not on the tape: call x = tape.watch(x) at the start of the tape's "
        "block and compute with what it returns"
    )


def check_connected(targets, wrt, nodes) -> None:
    """ValueError where targets depend on sources, but only through something without a derivative: it names that op."""
    everything, floats = reached(nodes, wrt, floats_only=False), reached(nodes, wrt)
    if not any(t in everything for t in targets):
        return
    back = set(targets)
    for node in reversed(nodes):
        if not any(t in back for t in node.outputs):
            continue
        back.update(node.inputs)
        if any(t in floats for t in node.inputs) and all(t in everything and t not in floats for t in node.outputs):
            raise ValueError(
                f"gradient: the target depends on the source only through {node.op!r}, which gives {node.outputs[0].dtype} "
                "and has no derivative: use a smooth function such as sigmoid, softmax or tanh in its place (or "
                'unconnected_gradients="zero" for zeros)'
            )
