"""Element-wise activations whose derivative needs the input: f and f_grad, both kernels of one pass."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.activation.from_output import typed
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register


def same_infer(shapes, dtypes, attrs):
    """One output, like the first input."""
    return ((shapes[0], dtypes[0]),)


def define_with_grad(name, forward, derivative, second, parameters=None, grad=None, draw=None):
    """Register `name` and its gradient (dy, x) -> dy f'(x); give the function x, **parameters -> f(x).

    forward, derivative   NumPy: (x, **parameters) -> f(x), f'(x)
    second                IR: (x, **parameters) -> f''(x); None where f is piecewise linear
    parameters            {name: (a value for the samples, another)}, all floats
    grad                  the gradient's name; one that is registered already is shared. None: <name>_grad
    draw                  shape -> samples, where normal ones could lie on a kink
    """
    grad, known, parameters = grad or f"{name}_grad", grad is not None, parameters or {}
    names = tuple(parameters)
    choices = [{k: v[i] for k, v in parameters.items()} for i in range(2 if parameters else 1)]
    draw = draw or (lambda shape: shape)

    def vjp(node, grads):
        return (apply(grad, (grads[0], node.inputs[0]), **node.attrs),)

    def vjp_of_grad(node, grads):
        (dy, x), g = node.inputs, grads[0]
        to_x = None if second is None else ew.multiply(ew.multiply(g, dy), second(x, **node.attrs))
        return apply(grad, (g, x), **node.attrs), to_x

    register(OpSpec(
        name, same_infer, lambda x, **p: typed(x, forward(np.asarray(x), **p)), vjp,
        tuple(Sample((draw(s),), c) for c in choices for s in ((3, 5), (33,))), (0,), "unary", names,
    ))  # fmt: skip
    if not known:
        register(OpSpec(
            grad, same_infer, lambda dy, x, **p: typed(x, dy * derivative(np.asarray(x), **p)), vjp_of_grad,
            tuple(Sample((s, draw(s)), c) for c in choices for s in ((3, 5), (33,))), (0,), "pair", names,
        ))  # fmt: skip

    def call(x, *values):
        return apply(name, (float_array(x),), **dict(zip(names, map(float, values), strict=True)))

    call.__name__ = call.__qualname__ = name
    return call
