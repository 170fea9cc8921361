"""Activation functions, on arrays and on symbolic tensors, as in keras.activations.

Beyond Keras: `step`, `derivative(name)`, which gives f', and `plot()`, which shows both.
"""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.graph.trace import Trace
from brisknet.utils.naming import lookup

__all__ = [
    "celu", "derivative", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "plot", "relu",
    "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "step", "swish", "tanh", "tanh_shrink", "threshold",
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
    if max_value == 6 and threshold == 0.0 and negative_slope == 0.0:
        return ops.relu6(x)
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


def relu6(x):
    """min(max(x, 0), 6)."""
    return ops.relu6(x)


def selu(x):
    """1.0507 times x where x >= 0, else times 1.6733 (exp(x) - 1). Klambauer et al. 2017."""
    return ops.selu(x)


def celu(x, alpha=1.0):
    """x where x >= 0, else alpha (exp(x / alpha) - 1). Barron 2017."""
    return ops.celu(x, alpha)


def softsign(x):
    """x / (1 + |x|)."""
    return ops.softsign(x)


def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by threshold, 0 where |x| is not larger."""
    return ops.soft_shrink(x, threshold)


def hard_shrink(x, threshold=0.5):
    """x where |x| > threshold, else 0."""
    return ops.hard_shrink(x, threshold)


def threshold(x, threshold, default_value):
    """x where x > threshold, else default_value."""
    return ops.threshold(x, threshold, default_value)


def sparse_plus(x):
    """0 below -1, x above 1, (x + 1)^2 / 4 between."""
    return ops.sparse_plus(x)


def sparse_sigmoid(x):
    """0 below -1, 1 above 1, (x + 1)/2 between."""
    return ops.sparse_sigmoid(x)


def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2."""
    return ops.squareplus(x, b)


def tanh_shrink(x):
    """x - tanh(x)."""
    return ops.tanh_shrink(x)


def hard_tanh(x):
    """x limited to [-1, 1]."""
    return ops.hard_tanh(x)


def hard_sigmoid(x):
    """0 below -3, 1 above 3, x/6 + 1/2 between."""
    return ops.hard_sigmoid(x)


def hard_silu(x):
    """x hard_sigmoid(x)."""
    return ops.hard_silu(x)


def log_sigmoid(x):
    """log(sigmoid(x)) without overflow."""
    return ops.log_sigmoid(x)


def mish(x):
    """x tanh(softplus(x)). Misra 2019."""
    return ops.mish(x)


def log_softmax(x, axis=-1):
    """log(softmax(x)) along axis."""
    return ops.log_softmax(x, axis)


def sparsemax(x, axis=-1):
    """max(x - tau, 0) along axis, tau such that the sum is 1: a softmax with zeros. Martins & Astudillo 2016.

    Rows do sum to 1, as in the paper; in Keras 3.15 they don't where more than one place is kept.
    """
    return ops.sparsemax(x, axis)


def glu(x, axis=-1):
    """a sigmoid(b), a and b the two halves of x along axis. Dauphin et al. 2017."""
    return ops.glu(x, axis)


def step(x, low=-1.0, high=1.0):
    """high where x > 0, else low: the perceptron's threshold (Rosenblatt 1958), or Heaviside's with low=0.

    It has no usable gradient: with loss="hinge" a last layer with this activation is trained on the score before
    the step (the perceptron rule); elsewhere differentiating it is an error that says so.
    """
    return ops.step(x, low, high)


swish = silu
hard_swish = hard_silu
_TABLE = {
    f.__name__: f
    for f in (
        linear, sigmoid, tanh, relu, leaky_relu, relu6, elu, selu, celu, gelu, softmax, log_softmax, softplus, softsign,
        silu, exponential, mish, glu, hard_sigmoid, hard_silu, hard_tanh, hard_shrink, soft_shrink, tanh_shrink, threshold,
        log_sigmoid, squareplus, sparse_plus, sparse_sigmoid, sparsemax, step,
    )
} | {"swish": silu, "hard_swish": hard_silu}  # fmt: skip


def get(identifier):
    """An activation from a name, a callable or a config dict; None means linear."""
    if identifier is None:
        return linear
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"activation: a name or a callable expected, got {identifier!r}")


def output_shape(activation, shape) -> tuple:
    """The shape of activation(x): glu halves the last axis, every other keeps the shape of x."""
    if activation is glu and shape[-1] is not None:
        return (*shape[:-1], shape[-1] // 2)
    return tuple(shape)


def serialize(activation):
    """The name of a built-in activation; {"class_name", "config"} of a layer used as one, or of a registered function.

    ValueError for a function of one's own that saving.register_serializable does not have: a config could not name it.
    """
    from brisknet.saving.objects import registered_name

    name = getattr(activation, "__name__", "")
    if _TABLE.get(name) is activation:
        return name
    registered = registered_name(activation)
    if hasattr(activation, "get_config"):
        cls = type(activation)
        return {"class_name": registered_name(cls) or cls.__name__, "config": activation.get_config()}
    if registered is None:
        raise ValueError(
            f"activation {activation!r} is not a built-in one and can't be written into a config; decorate it with "
            "@brisknet.saving.register_serializable()"
        )
    return {"class_name": "function", "config": registered}


def _function(thing) -> bool:
    return callable(thing) and not isinstance(thing, type)


def deserialize(config, custom_objects=None):
    """The activation of a name or config dict: a built-in one, a registered one, one of custom_objects, or a layer."""
    from brisknet.saving.objects import custom_table, deserialize_layer

    if isinstance(config, dict):
        if config.get("class_name") != "function":  # a layer
            return deserialize_layer(config, custom_objects)
        config = config["config"]  # as Keras writes functions
    return lookup("activation", config, {**_TABLE, **custom_table(custom_objects, _function)})


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


# ---- pictures ------------------------------------------------------------------------------------------------------
PLOTTED = (
    "step", "linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus", "softsign", "mish",
    "hard_sigmoid", "hard_tanh", "exponential",
)  # fmt: skip


def plot(names=None, path=None, limit=4.0):
    """Functions and their derivatives, one panel each, as the table of a course shows them; gives matplotlib's figure.

    names   a name, a callable, or a list of them (element-wise ones); None: the usual ones, "all": every one of the package
    path    a file to save it to (.png, .svg, .pdf)
    limit   from -limit to limit

    Needs matplotlib: pip install brisknet[plot]. The step has no derivative to draw.
    """
    from brisknet.utils.activation_plot import draw

    every = [n for n in _TABLE if n not in ("softmax", "log_softmax", "sparsemax", "glu", "threshold", "swish", "hard_swish")]
    if names is None:
        names = PLOTTED
    elif isinstance(names, str) and names == "all":
        names = every
    elif isinstance(names, str) or callable(names):
        names = [names]
    if not names:
        raise ValueError("activations.plot: at least one activation expected, got an empty list")
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 < limit < float("inf"):
        raise ValueError(f"activations.plot: limit must be a positive number, got {limit!r}")
    rows = [n for n in names if isinstance(n, str) and n in _TABLE and n not in every]
    if rows:
        raise ValueError(f"activations.plot: {rows[0]!r} is no function of one number, and can't be drawn as a curve")
    return draw([(n if isinstance(n, str) else getattr(n, "__name__", repr(n)), get(n)) for n in names], float(limit), path)
