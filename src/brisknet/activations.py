"""Activation functions, on arrays and on symbolic tensors, as in keras.activations; `derivative(name)` gives f'."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.graph.trace import Trace
from brisknet.utils.naming import lookup

__all__ = [
    "derivative", "deserialize", "elu", "exponential", "gelu", "get", "leaky_relu", "linear", "relu", "serialize",
    "sigmoid", "silu", "softmax", "softplus", "step", "swish", "tanh",
]  # fmt: skip


def linear(x):
    """x itself."""
    return x


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return ops.sigmoid(x)


def tanh(x):
    """Hyperbolic tangent."""
    return ops.tanh(x)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """max(x, 0); with Keras' options: x only above `threshold`, a ceiling max_value, then a slope below the threshold.

    With all three: min(x, max_value) where x > threshold, else negative_slope * (x - threshold).
    """
    if max_value is None and threshold == 0.0:
        return ops.relu(x) if negative_slope == 0.0 else ops.leaky_relu(x, negative_slope)
    y = ops.relu(x) if threshold == 0.0 else ops.where(ops.greater(x, threshold), x, 0.0)
    if max_value is not None:
        y = ops.clip(y, 0.0, float(max_value))
    if negative_slope != 0.0:
        y = ops.subtract(y, ops.multiply(ops.relu(ops.subtract(threshold, x)), negative_slope))
    return y


def leaky_relu(x, negative_slope=0.2):
    """x where x >= 0, else negative_slope * x."""
    return ops.leaky_relu(x, negative_slope)


def elu(x, alpha=1.0):
    """x where x >= 0, else alpha (exp(x) - 1)."""
    return ops.elu(x, alpha)


def gelu(x, approximate=False):
    """x Phi(x); exact by erf, or by tanh where approximate. Hendrycks & Gimpel 2016."""
    return ops.gelu(x, approximate)


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along axis."""
    return ops.softmax(x, axis)


def softplus(x):
    """log(1 + exp(x))."""
    return ops.softplus(x)


def silu(x):
    """x sigmoid(x)."""
    return ops.silu(x)


def exponential(x):
    """exp(x)."""
    return ops.exp(x)


def step(x, low=-1.0, high=1.0):
    """high where x > 0, else low: the perceptron's threshold (Rosenblatt 1958), or Heaviside's with low=0.

    It has no usable gradient: with loss="hinge" a last layer with this activation is trained on the score before
    the step (the perceptron rule); elsewhere differentiating it is an error that says so.
    """
    return ops.step(x, low, high)


swish = silu
_TABLE = {
    f.__name__: f
    for f in (linear, sigmoid, tanh, relu, leaky_relu, elu, gelu, softmax, softplus, silu, exponential, step)
} | {"swish": silu}


def get(identifier):
    """An activation from a name, a callable or a config dict; None means linear."""
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return lookup("activation", identifier, _TABLE)
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"activation: a name or a callable expected, got {identifier!r}")


def serialize(activation):
    """The name of a built-in activation; {"class_name", "config"} of a layer used as one."""
    if hasattr(activation, "get_config"):
        return {"class_name": type(activation).__name__, "config": activation.get_config()}
    name = getattr(activation, "__name__", "")
    if _TABLE.get(name) is not activation:
        raise ValueError(f"activation {activation!r} is not a built-in one and can't be written into a config")
    return name


def deserialize(config, custom_objects=None):
    """The activation of a name or config dict."""
    if isinstance(config, str):
        return lookup("activation", config, {**_TABLE, **(custom_objects or {})})
    from brisknet.saving.objects import deserialize_layer

    return deserialize_layer(config, custom_objects)


def derivative(activation):
    """f' of an element-wise activation (a name or a callable), as a function of arrays.

    >>> derivative("tanh")(np.array([0.0]))
    array([1.])
    """
    fn = get(activation)

    def prime(x):
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(np.float64)
        from brisknet.passes.autodiff import gradients
        from brisknet.runtime.reference import ReferenceProgram

        with Trace(floatx=x.dtype.name) as graph:
            t = graph.add_input(x.shape, x.dtype.name)
            (g,) = gradients(ops.sum(fn(t)), [t])
            graph.outputs = [g if g is not None else graph.add_constant(np.zeros_like(x))]
        return ReferenceProgram(graph).run([x])[0]

    prime.__name__ = f"{getattr(fn, '__name__', 'activation')}_derivative"
    return prime
