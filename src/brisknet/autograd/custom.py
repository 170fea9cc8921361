"""Gradients of one's own for a function."""

from __future__ import annotations

import functools
import inspect

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.graph.trace import as_tensor, current_graph
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.ops.dispatch import float_array, is_float, is_symbolic
from brisknet.ops.assign import replace_gradient
from brisknet.variables import Variable

__all__ = ["custom_gradient"]


def custom_gradient(f):
    """Decorator: f(*args) returns (outputs, grad), and grad(*upstream) gives the gradients of the arguments, one each.

        @brisknet.custom_gradient
        def log1pexp(x):
            e = ops.exp(x)
            return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    grad gets one upstream gradient an output, and returns one gradient (None: there is none) for every argument that is a
    tensor, array, number or variable, computed by brisknet.ops. Where f reads trainable variables that are no arguments, grad takes
    variables=[...] too and returns (gradients, gradients of the variables), as in TensorFlow.
    """
    if not callable(f):
        raise TypeError(f"custom_gradient: a function expected, got {f!r}")

    @functools.wraps(f)
    def call(*args, **kwargs):
        graph = current_graph()
        if graph is None or not (graph.tapes or any(is_symbolic(x) for x in flatten([args, kwargs])) or _traced(graph)):
            return _outputs(f, args, kwargs)[0]
        inputs = [x for x in flatten(list(args)) if isinstance(x, (Tensor, Variable, np.ndarray, np.number, float, int))]
        tensors = [as_tensor(float_array(x) if isinstance(x, float) else x, graph) for x in inputs]
        seen = _Reads()
        graph.tapes.append(seen)
        try:
            outputs, grad = _outputs(f, args, kwargs)
        finally:
            graph.tapes.remove(seen)
        others = {v: t for v, t in seen.found.items() if not any(v is x for x in inputs)}
        if others and "variables" not in _parameters(grad):
            raise TypeError(
                f"custom_gradient: {_name(f)} reads the trainable variable {next(iter(others)).path!r}, so its grad function must "
                "take variables=... and return (gradients of the arguments, gradients of the variables)"
            )
        ys = [as_tensor(y, graph) for y in flatten(outputs)]
        rule = _rule(grad, ys, tensors, list(others), _name(f))
        todo = list(replace_gradient(ys, [*tensors, *others.values()], rule))
        return map_structure(lambda _: todo.pop(0), outputs)

    return call


def _traced(graph) -> bool:
    """Whether a step is compiled: then all that is computed is part of it."""
    return bool(graph.inputs)


def _outputs(f, args, kwargs):
    out = f(*args, **kwargs)
    if not (isinstance(out, tuple) and len(out) == 2 and callable(out[1])):
        raise TypeError(
            f"custom_gradient: {_name(f)} must return (outputs, grad), where grad is a function from upstream gradients to "
            f"gradients of the arguments; got {out!r}"
        )
    return out


class _Reads:
    """Stands among a graph's tapes to hear which trainable variables are read: {variable: the tensor}."""

    def __init__(self):
        self.found: dict = {}

    def saw(self, variable, tensor) -> None:
        if variable.trainable:
            self.found[variable] = tensor


def _parameters(grad) -> dict:
    return inspect.signature(grad).parameters


def _name(f) -> str:
    return getattr(f, "__name__", repr(f))


def _rule(grad, ys, inputs, variables, name):
    """grads of outputs -> grads of inputs and variables, by the user's function."""

    def rule(upstream):
        graph = current_graph()
        given = [graph.add_constant(np.zeros(y.shape, y.dtype)) if g is None else g for g, y in zip(upstream, ys, strict=True)]
        found = grad(*given, variables=variables) if variables else grad(*given)
        of_inputs, of_variables = found if variables else (found, [])
        of_inputs = list(of_inputs) if isinstance(of_inputs, (tuple, list)) else [of_inputs]
        if len(of_inputs) != len(inputs) or len(of_variables) != len(variables):
            raise ValueError(
                f"custom_gradient: the grad function of {name} must return one gradient for each of the {len(inputs)} "
                f"arguments (and of {len(variables)} variables), got {len(of_inputs)} (and {len(of_variables)})"
            )
        return [_checked(g, x, name, graph) for g, x in zip([*of_inputs, *of_variables], [*inputs, *variables], strict=True)]

    return rule


def _checked(g, x, name, graph):
    if g is None or not is_float(str(x.dtype)):
        return None
    g = as_tensor(g if isinstance(g, (Tensor, Variable)) else np.asarray(g, x.dtype), graph)
    if g.shape != tuple(x.shape):
        raise ValueError(
            f"custom_gradient: the grad function of {name} gave a gradient of shape {g.shape} for an argument of shape {tuple(x.shape)}"
        )
    return g
