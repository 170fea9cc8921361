"""Checks of gradients by finite differences, in float64 on the reference executor: of models and functions, and of ops."""

from __future__ import annotations

import contextlib
import copy

import numpy as np

from brisknet.graph.ir import Graph
from brisknet.graph.trace import Trace, as_tensor
from brisknet.graph.verify import verify
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.layers.layer import Layer, calling
from brisknet.ops import dispatch
from brisknet.ops.dispatch import is_float
from brisknet.ops.registry import get_op
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.passes.autodiff import gradients
from brisknet.passes.simplify import simplify
from brisknet.runtime.reference import ReferenceProgram

__all__ = ["GradcheckError", "check_op", "gradcheck", "numeric_gradient"]


class GradcheckError(AssertionError):
    """A gradient is not what finite differences say."""


class _Float64Graph(Graph):
    """A trace in which all floats are float64 and variables are inputs that take their values."""

    def __init__(self):
        super().__init__()
        self.read_as: dict = {}  # {variable: its input}

    def read(self, variable):
        if variable in self.updates or not is_float(variable.dtype):
            return super().read(variable)
        if variable not in self.read_as:
            self.read_as[variable] = self.add_input(variable.shape, "float64")
        return self.read_as[variable]

    def add_constant(self, value):
        value = np.asarray(value)
        return super().add_constant(value.astype(np.float64) if value.dtype.kind == "f" else value)

    def add(self, op, inputs, attrs, scope=""):
        if op == "cast" and is_float(attrs["dtype"]):
            attrs = {**attrs, "dtype": "float64"}
        return super().add(op, inputs, attrs, scope)


def gradcheck(model_or_fn, inputs, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, training=False) -> bool:
    """Whether the gradients of a model, layer or function are the finite differences of its outputs.

    model_or_fn   a model or layer, whose trainable weights are checked too; or a function that computes with brisknet.ops,
                  whose trainable variables are
    inputs        an array, or a tuple of the arguments, which may be structures; floats among them are checked
    eps           step of the differences; a gradient may be off by atol + rtol * abs(difference)
    training      what models and layers are called with

    Everything is computed in float64 by NumPy, whatever the model's dtype; outputs are weighed by random numbers and added up.
    Weights keep their values. Returns True; GradcheckError (or False with raise_exception=False) tells which gradient is off
    where. Differences across a kink (relu at 0) are no gradients: choose inputs that stay off it. TypeError where nothing
    is a float.
    """
    args = inputs if isinstance(inputs, tuple) else (inputs,)
    graph, feeds, names = _float64_trace(model_or_fn, args, training)
    checked = [i for i, t in enumerate(graph.inputs) if is_float(t.dtype) and names[i] is not None]
    if not checked:
        raise TypeError("gradcheck: float inputs or trainable weights expected, got none")
    total = graph.outputs[0]
    forward = copy.copy(graph)
    forward.nodes, forward.outputs = list(graph.nodes), [total]
    scalar = ReferenceProgram(forward)
    with Trace(graph, floatx="float64"):
        wrt = [graph.inputs[i] for i in checked]
        found = gradients(total, wrt)
        found = [graph.add_constant(np.zeros(t.shape)) if g is None else g for t, g in zip(wrt, found, strict=True)]
    graph.outputs = found
    analytic = ReferenceProgram(graph).run(feeds)
    for i, a in zip(checked, analytic, strict=True):
        numeric = numeric_gradient(lambda x, i=i: scalar.run([*feeds[:i], x, *feeds[i + 1 :]])[0], feeds[i], eps)
        off = np.abs(a - numeric) > atol + rtol * np.abs(numeric)
        if off.any() or not np.isfinite(a).all():
            at = np.unravel_index(np.argmax(np.abs(a - numeric)), a.shape)
            if not raise_exception:
                return False
            raise GradcheckError(
                f"gradcheck: the gradient of {names[i]} is off in {int(off.sum())} of {a.size} elements, most at "
                f"{tuple(map(int, at))}: {a[at]:.6g} where finite differences give {numeric[at]:.6g}"
            )
    return True


def _float64_trace(model_or_fn, args, training):
    """(graph whose output is a scalar, the values of its inputs, their names: None where not to be checked)."""
    layer = isinstance(model_or_fn, Layer)
    if not layer and not callable(model_or_fn):
        raise TypeError(f"gradcheck: a model, a layer or a function expected, got {model_or_fn!r}")
    if layer and not model_or_fn.built:
        model_or_fn(*args)
    graph, feeds, names = _Float64Graph(), [], []

    def leaf(x):
        array = np.asarray(x)
        if array.dtype.kind not in "fiub":
            return x
        feeds.append(array.astype(np.float64) if array.dtype.kind == "f" else array)
        names.append(f"input {len(feeds) - 1}")
        return graph.add_input(array.shape, feeds[-1].dtype.name)

    with Trace(graph, floatx="float64"), calling(training=training) if layer else contextlib.nullcontext():
        tensors = [map_structure(leaf, a) for a in args]
        outputs = Layer.__call__(model_or_fn, *tensors) if layer else model_or_fn(*tensors)
        rng = np.random.default_rng(123)
        total = None
        for y in flatten(outputs):
            if is_float(str(getattr(y, "dtype", ""))):
                term = reduce_sum(as_tensor(y, graph) * rng.uniform(0.5, 1.5, tuple(y.shape)))
                total = term if total is None else total + term
        if total is None:
            raise TypeError("gradcheck: float outputs expected, got none")
    graph.updates, graph.outputs = {}, [total]  # random draws stay the same, statistics are not moved
    for variable in graph.read_as:
        feeds.append(variable.numpy().astype(np.float64))
        names.append(f"{variable.path!r}" if variable.trainable else None)
    # Inputs in the order in which they were traced: variables may have been read before the last argument was added.
    order = [t for t in graph.inputs if t not in graph.read_as.values()] + list(graph.read_as.values())
    by_tensor = dict(zip(order, zip(feeds, names, strict=True), strict=True))
    feeds, names = zip(*[by_tensor[t] for t in graph.inputs], strict=True)
    return graph, list(feeds), list(names)


def numeric_gradient(fn, x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """Central differences of the scalar fn at x (float64), element by element."""
    x = np.array(x, np.float64)
    grad = np.empty_like(x)
    flat, out = x.reshape(-1), grad.reshape(-1)
    for i in range(flat.size):
        saved = flat[i]
        flat[i] = saved + eps
        up = fn(x)
        flat[i] = saved - eps
        out[i] = (up - fn(x)) / (2 * eps)
        flat[i] = saved
    return grad


def check_op(name: str, arrays, attrs: dict, wrt=None, eps: float = 1e-6):
    """[(input index, analytic, numeric)] for each differentiated input of one op.

    The op's outputs are reduced to a scalar by fixed random weights, so that every element of a gradient matters.
    """
    arrays = [np.asarray(a, np.float64 if np.asarray(a).dtype.kind == "f" else None) for a in arrays]
    if wrt is None:
        wrt = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    spec = get_op(name)
    outs = spec.reference(*arrays, **attrs)
    outs = outs if isinstance(outs, tuple) else (outs,)
    rng = np.random.default_rng(123)
    used = [i for i, o in enumerate(outs[: len(outs) - spec.saved]) if np.asarray(o).dtype.kind == "f" and not (name.endswith("_head") and i)]
    weights = {i: rng.uniform(0.5, 1.5, np.shape(outs[i])) for i in used}

    with Trace(floatx="float64") as graph:
        ins = [graph.add_input(a.shape, a.dtype.name) for a in arrays]
        ys = dispatch.apply(name, ins, **attrs)
        ys = ys if isinstance(ys, tuple) else (ys,)
        total = None
        for i in used:
            term = reduce_sum(ys[i] * weights[i])
            total = term if total is None else total + term
        grads = gradients(total, [ins[i] for i in wrt])
        graph.outputs = [g if g is not None else graph.add_constant(np.zeros(arrays[i].shape)) for i, g in zip(wrt, grads)]
    program = ReferenceProgram(verify(simplify(graph), "simplify"))
    analytic = program.run(arrays)

    def scalar(values):
        o = spec.reference(*values, **attrs)
        o = o if isinstance(o, tuple) else (o,)
        return float(sum(np.sum(o[i] * weights[i]) for i in used))

    results = []
    for i, a in zip(wrt, analytic, strict=True):
        numeric = numeric_gradient(lambda x, i=i: scalar([*arrays[:i], x, *arrays[i + 1 :]]), arrays[i], eps)
        results.append((i, a, numeric))
    return results
