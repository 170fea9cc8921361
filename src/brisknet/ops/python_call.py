"""Plain Python and NumPy code inside a compiled step."""

from __future__ import annotations

import numpy as np

from brisknet.ops.dispatch import _layer_graph, apply, float_array, floatx, is_float
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = ["host_call"]


class Call:
    """A function of arrays, with the shapes and dtypes that its results must have."""

    def __init__(self, func, specs, gradient=None):
        self.func, self.specs, self.gradient = func, specs, gradient
        self.name = getattr(func, "__name__", type(func).__name__)

    def __call__(self, *arrays) -> tuple:
        """The results as arrays of those shapes and dtypes; ValueError or TypeError for other ones."""
        with np.errstate(all="warn"):
            results = self.func(*arrays)
        results = results if isinstance(results, (tuple, list)) else (results,)
        if len(results) != len(self.specs):
            raise ValueError(f"host_call: {self.name} must return {len(self.specs)} arrays, got {len(results)}")
        return tuple(self._checked(r, *spec) for r, spec in zip(results, self.specs, strict=True))

    def _checked(self, result, shape, dtype):
        array = np.asarray(result)
        if array.shape != shape:
            raise ValueError(
                f"host_call: {self.name} must return an array of shape {shape}, got {array.shape}; say shape= where it is not "
                "that of the first input"
            )
        if array.dtype.kind not in "fiub":
            raise TypeError(f"host_call: {self.name} must return numbers, got dtype {array.dtype}")
        return array.astype(dtype, copy=False)


def _infer(shapes, dtypes, attrs):
    return attrs["call"].specs


def _vjp(node, grads):
    call = node.attrs["call"]
    if call.gradient is None:
        raise ValueError(
            f"host_call: {call.name} is Python without a gradient: give host_call(..., gradient=function), which gets the "
            "gradients of the results and the inputs and returns those of the inputs, or put stop_gradient around the result"
        )
    ups = [np.zeros(t.shape, t.dtype) if g is None else g for g, t in zip(grads, node.outputs, strict=True)]
    wanted = [is_float(t.dtype) for t in node.inputs]
    specs = tuple((t.shape, t.dtype) for t, w in zip(node.inputs, wanted, strict=True) if w)

    def backward(*arrays):
        found = call.gradient(*arrays)
        found = list(found) if isinstance(found, (tuple, list)) else [found]
        if len(found) != len(wanted):
            raise ValueError(
                f"host_call: the gradient function of {call.name} must return {len(wanted)} arrays, one an input, got {len(found)}"
            )
        kept = [(g, t) for g, t, w in zip(found, node.inputs, wanted, strict=True) if w]
        return [np.zeros(t.shape, t.dtype) if g is None else g for g, t in kept]

    backward.__name__ = f"the gradient function of {call.name}"
    out = apply("host_call", (*ups, *node.inputs), call=Call(backward, specs))
    todo = list(out) if isinstance(out, tuple) else [out]
    return tuple(todo.pop(0) if w else None for w in wanted)


def _samples():
    cube = Call(lambda x: x**3, (((3, 5), "float32"),), lambda g, x: 3 * x**2 * g)
    return (Sample(((3, 5),), {"call": cube}, wrt=()),)


register(OpSpec("host_call", _infer, lambda *x, call: call(*x), _vjp, _samples()))


def host_call(func, *inputs, shape=None, dtype=None, gradient=None):
    """func(*inputs), a plain Python function of NumPy arrays, also within a compiled step, which calls back for it.

    shape      the shape of the result: that of the first input by default; also a function of the inputs' shapes, or a
               list of shapes where func returns several arrays
    dtype      of the result, or a list: config.floatx() by default
    gradient   a Python function (*gradients of the results, *inputs) -> gradients of the inputs, one each (None: zero);
               without it, taking a gradient through the call is a ValueError

    The function should depend on its inputs only: it runs once a step, and not at all where nothing needs its result. It
    gets copies. Where it fails, the error is raised and the weights are as before the batches that were run in one piece.
    ValueError where results have other shapes than announced.
    """
    if not callable(func):
        raise TypeError(f"host_call: a Python function expected, got {func!r}")
    if gradient is not None and not callable(gradient):
        raise TypeError(f"host_call: gradient must be a function, got {gradient!r}")
    if not inputs:
        raise ValueError("host_call: at least one input expected, after the function")
    inputs = tuple(float_array(x) if not hasattr(x, "shape") else x for x in inputs)
    if any(isinstance(x, cls) for x in inputs for cls, _, _ in _layer_graph):
        raise TypeError("host_call: symbolic tensors of the layer graph go through layers: Lambda(lambda x: ops.host_call(func, x))")
    if callable(shape):
        shape = shape(*[tuple(x.shape) for x in inputs])
    shape = tuple(inputs[0].shape) if shape is None else shape
    several = isinstance(shape, list)
    shapes = shape if several else [shape]
    dtypes = list(dtype) if isinstance(dtype, (list, tuple)) else [dtype] * len(shapes)
    if len(dtypes) != len(shapes):
        raise ValueError(f"host_call: {len(shapes)} dtypes expected, as many as shapes, got {len(dtypes)}")
    specs = tuple((tuple(map(int, s)), np.dtype(d or floatx()).name) for s, d in zip(shapes, dtypes, strict=True))
    return apply("host_call", inputs, call=Call(func, specs, gradient))
