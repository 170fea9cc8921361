"""Activations whose derivative follows from their own output; they share `act_grad`, which kernels undo in place."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register

# Activations that `dense` can apply in its epilogue: the name, and f'(x) as a function of y = f(x) and alpha.
FROM_OUTPUT = ("linear", "relu", "leaky_relu", "elu", "sigmoid", "tanh")


def sigmoid_array(x):
    """1 / (1 + exp(-x)) without overflow, both tails accurate."""
    x = np.asarray(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def typed(x, y):
    """y as an array of x's dtype."""
    return np.asarray(y, np.asarray(x).dtype)


def activation_array(x, kind: str, alpha: float = 0.0):
    """NumPy: the activations of FROM_OUTPUT by name."""
    if kind == "linear":
        return x
    if kind == "relu":
        return np.where(x < 0, typed(x, 0), x)  # keeps NaN
    if kind == "leaky_relu":
        return np.where(x < 0, typed(x, alpha) * x, x)
    if kind == "elu":
        return np.where(x < 0, typed(x, alpha) * np.expm1(np.minimum(x, 0)), x)
    if kind == "sigmoid":
        return typed(x, sigmoid_array(x))
    if kind == "tanh":
        return np.tanh(x)
    raise ValueError(f"unknown activation kind {kind!r}")


def act_grad_array(dy, y, kind, alpha=0.0, scale=1.0):
    """NumPy: scale dy f'(x), where y = f(x)."""
    one = typed(y, 1)
    factor = {
        "linear": lambda: one,
        "relu": lambda: (y > 0).astype(y.dtype),
        "leaky_relu": lambda: np.where(y > 0, one, typed(y, alpha)),
        "elu": lambda: np.where(y > 0, one, y + typed(y, alpha)),
        "sigmoid": lambda: y * (one - y),
        "tanh": lambda: one - y * y,
    }[kind]()
    return typed(y, dy * factor * typed(y, scale))


def _act_grad_vjp(node, grads):
    # dx = scale * dy * f'(y)  ->  d(dy) = scale * g * f'(y);  dy = scale * g * dy * f''(y), f'' as a function of y
    dy, y = node.inputs
    kind, scale = node.attrs["kind"], node.attrs.get("scale", 1.0)
    g = grads[0]
    if kind in ("linear", "relu", "leaky_relu"):
        second = None
    else:
        gdy = ew.multiply(ew.multiply(g, dy), scale)
        if kind == "sigmoid":
            second = ew.multiply(gdy, ew.subtract(1.0, ew.multiply(y, 2.0)))
        elif kind == "tanh":
            second = ew.multiply(gdy, ew.multiply(y, -2.0))
        else:
            second = ew.where(ew.greater(y, 0.0), ew.zeros_of(y), gdy)
    return act_grad(g, y, **node.attrs), second


def off_zero(shape, seed=11):
    """Samples of both signs that keep away from 0."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 0.9, shape) * np.where(rng.random(shape) < 0.5, -1.0, 1.0)


register(
    OpSpec(
        "act_grad",
        lambda s, d, a: ((s[0], d[0]),),
        act_grad_array,
        _act_grad_vjp,
        tuple(
            Sample(((4, 9), off_zero((4, 9))), {"kind": k, "alpha": 1.0 if k == "elu" else 0.2, "scale": s})
            for k in FROM_OUTPUT
            for s in (1.0, 2.0)
        ),
        inplace=(0,),
    )
)


def act_grad(dy, y, kind, alpha=0.0, scale=1.0):
    """scale * dy * f'(x), where f is the activation `kind` and y = f(x) its stored output."""
    if kind == "linear" and scale == 1.0:
        return dy
    return apply("act_grad", (dy, y), kind=kind, alpha=float(alpha), scale=float(scale))


def _define_from_output(kind, alphas=(0.0,)):
    def vjp(node, grads):
        return (act_grad(grads[0], node.outputs[0], kind, node.attrs.get("alpha", 0.0)),)

    samples = tuple(
        Sample((off_zero(s) * 3,), {"alpha": a} if len(alphas) > 1 or a else {})
        for s in ((3, 5), (1,), (33,))
        for a in alphas
    )
    register(
        OpSpec(
            kind,
            lambda s, d, a: ((s[0], d[0]),),
            lambda x, alpha=0.0: activation_array(np.asarray(x), kind, alpha),
            vjp,
            samples,
            inplace=(0,),
            form="unary",
            parameters=("alpha",),
        )
    )


for _kind, _alphas in (("relu", (0.0,)), ("leaky_relu", (0.2, 0.3)), ("elu", (1.0, 0.5)), ("sigmoid", (0.0,)), ("tanh", (0.0,))):
    _define_from_output(_kind, _alphas)


def relu(x):
    """max(x, 0); NaN stays NaN."""
    return apply("relu", (float_array(x),))


def leaky_relu(x, negative_slope=0.2):
    """x where x >= 0, else negative_slope * x."""
    return apply("leaky_relu", (float_array(x),), alpha=float(negative_slope))


def elu(x, alpha=1.0):
    """x where x >= 0, else alpha * (exp(x) - 1). Clevert et al. 2016."""
    return apply("elu", (float_array(x),), alpha=float(alpha))


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return apply("sigmoid", (float_array(x),))


def tanh(x):
    """Hyperbolic tangent."""
    return apply("tanh", (float_array(x),))
