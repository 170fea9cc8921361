"""Activations. Those whose derivative follows from their own output share `act_grad`, which kernels undo in place."""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register

# Activations that `dense` can apply in its epilogue: the name, and f'(x) as a function of y = f(x) and alpha.
FROM_OUTPUT = ("linear", "relu", "leaky_relu", "elu", "sigmoid", "tanh")
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_SQRT_2_PI = math.sqrt(2.0 / math.pi)


def sigmoid_array(x):
    """1 / (1 + exp(-x)) without overflow, both tails accurate."""
    x = np.asarray(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _typed(x, y):
    return np.asarray(y, np.asarray(x).dtype)


def activation_array(x, kind: str, alpha: float = 0.0):
    """NumPy: the activations of FROM_OUTPUT by name."""
    if kind == "linear":
        return x
    if kind == "relu":
        return np.where(x < 0, _typed(x, 0), x)  # keeps NaN
    if kind == "leaky_relu":
        return np.where(x < 0, _typed(x, alpha) * x, x)
    if kind == "elu":
        return np.where(x < 0, _typed(x, alpha) * np.expm1(np.minimum(x, 0)), x)
    if kind == "sigmoid":
        return _typed(x, sigmoid_array(x))
    if kind == "tanh":
        return np.tanh(x)
    raise ValueError(f"unknown activation kind {kind!r}")


def _act_grad_reference(dy, y, kind, alpha=0.0, scale=1.0):
    one = _typed(y, 1)
    factor = {
        "linear": lambda: one,
        "relu": lambda: (y > 0).astype(y.dtype),
        "leaky_relu": lambda: np.where(y > 0, one, _typed(y, alpha)),
        "elu": lambda: np.where(y > 0, one, y + _typed(y, alpha)),
        "sigmoid": lambda: y * (one - y),
        "tanh": lambda: one - y * y,
    }[kind]()
    return _typed(y, dy * factor * _typed(y, scale))


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


def _off_zero(shape, seed=11):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 0.9, shape) * np.where(rng.random(shape) < 0.5, -1.0, 1.0)


register(
    OpSpec(
        "act_grad",
        lambda s, d, a: ((s[0], d[0]),),
        _act_grad_reference,
        _act_grad_vjp,
        tuple(
            Sample(((4, 9), _off_zero((4, 9))), {"kind": k, "alpha": 1.0 if k == "elu" else 0.2, "scale": s})
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
        Sample((_off_zero(s) * 3,), {"alpha": a} if len(alphas) > 1 or a else {})
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


# ---- activations whose derivative needs the input ---------------------------------------------------------------------
def _define_with_grad(name, forward, derivative, vjp_of_grad, draw=None):
    """Register `name` and `name`_grad (dy, x) -> dy * f'(x)."""
    infer = lambda s, d, a: ((s[0], d[0]),)  # noqa: E731
    first = Sample((draw((3, 5)) if draw else (3, 5),)), Sample(((33,),))
    register(
        OpSpec(
            name,
            infer,
            lambda x: _typed(x, forward(np.asarray(x))),
            lambda n, g: (apply(f"{name}_grad", (g[0], n.inputs[0])),),
            first,
            inplace=(0,),
            form="unary",
        )
    )
    register(
        OpSpec(
            f"{name}_grad",
            infer,
            lambda dy, x: _typed(x, dy * derivative(np.asarray(x))),
            lambda n, g: (apply(f"{name}_grad", (g[0], n.inputs[1])), vjp_of_grad(n, g[0])),
            (Sample(((3, 5), (3, 5))), Sample(((33,), (33,)))),
            inplace=(0,),
            form="pair",
        )
    )

    def call(x):
        return apply(name, (float_array(x),))

    call.__name__ = call.__qualname__ = name
    return call


def _phi(x):
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _cdf(x):
    return 0.5 * (1.0 + ew.erf_array(x / math.sqrt(2.0)))


def _gelu_second(n, g):  # f'' = phi(x) (2 - x^2)
    dy, x = n.inputs
    x2 = ew.square(x)
    phi = ew.multiply(ew.exp(ew.multiply(x2, -0.5)), 1.0 / math.sqrt(2 * math.pi))
    return ew.multiply(ew.multiply(g, dy), ew.multiply(phi, ew.subtract(2.0, x2)))


gelu_erf = _define_with_grad("gelu", lambda x: x * _cdf(x), lambda x: _cdf(x) + x * _phi(x), _gelu_second)


def _gelu_tanh_inner(x):
    return np.tanh(_SQRT_2_PI * (x + 0.044715 * x**3))


def _gelu_tanh_derivative(x):
    t = _gelu_tanh_inner(x)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _SQRT_2_PI * (1 + 3 * 0.044715 * x * x)


def _gelu_tanh_second(n, g):
    # f' = (1+t)/2 + x(1-t^2)u'/2, u' = c(1+3ax^2)  ->  f'' = (1-t^2)(u' - x t u'^2 + 3 a c x^2)
    dy, x = n.inputs
    a, c = 0.044715, _SQRT_2_PI
    x2 = ew.square(x)
    t = tanh(ew.multiply(ew.multiply(x, ew.add(ew.multiply(x2, a), 1.0)), c))
    du = ew.multiply(ew.add(ew.multiply(x2, 3 * a), 1.0), c)
    inner = ew.add(ew.subtract(du, ew.multiply(ew.multiply(x, t), ew.square(du))), ew.multiply(x2, 3 * a * c))
    return ew.multiply(ew.multiply(g, dy), ew.multiply(ew.subtract(1.0, ew.square(t)), inner))


gelu_tanh = _define_with_grad(
    "gelu_tanh", lambda x: 0.5 * x * (1 + _gelu_tanh_inner(x)), _gelu_tanh_derivative, _gelu_tanh_second
)


def _silu_second(n, g):  # f'' = s(1-s)(2 + x(1-2s))
    dy, x = n.inputs
    s = sigmoid(x)
    inner = ew.add(ew.multiply(x, ew.subtract(1.0, ew.multiply(s, 2.0))), 2.0)
    return ew.multiply(ew.multiply(g, dy), ew.multiply(ew.multiply(s, ew.subtract(1.0, s)), inner))


silu = _define_with_grad(
    "silu",
    lambda x: x * sigmoid_array(x),
    lambda x: sigmoid_array(x) * (1 + x * (1 - sigmoid_array(x))),
    _silu_second,
)


def _softplus_second(n, g):
    s = sigmoid(n.inputs[1])
    return ew.multiply(ew.multiply(g, n.inputs[0]), ew.multiply(s, ew.subtract(1.0, s)))


softplus = _define_with_grad(
    "softplus",
    lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    sigmoid_array,
    _softplus_second,
)
silu.__doc__ = "x * sigmoid(x) (swish)."
softplus.__doc__ = "log(1 + exp(x)) without overflow."


def gelu(x, approximate=True):
    """Gaussian error linear unit x * Phi(x); approximate: by tanh, as Keras' default. Hendrycks & Gimpel 2016."""
    return gelu_tanh(x) if approximate else gelu_erf(x)


# ---- step -------------------------------------------------------------------------------------------------------------
def _step_vjp(node, grads):
    raise ValueError(
        "the step activation has no usable gradient (it is 0 wherever it exists): train a perceptron with the "
        'perceptron rule, i.e. loss="hinge" on the score before the step (a last layer with activation="step" and '
        'loss="hinge" does that), or use sigmoid or tanh instead'
    )


register(
    OpSpec(
        "step",
        lambda s, d, a: ((s[0], d[0]),),
        lambda x, low, high: _typed(x, np.where(np.isnan(x), x, np.where(x > 0, high, low))),
        _step_vjp,
        (Sample((_off_zero((3, 5)),), {"low": -1.0, "high": 1.0}, wrt=()),),
        inplace=(0,),
        form="unary",
        parameters=("low", "high"),
    )
)


def step(x, low=-1.0, high=1.0):
    """high where x > 0, else low: the perceptron's threshold (-1/1), or Heaviside's with low=0."""
    return apply("step", (float_array(x),), low=float(low), high=float(high))


register(
    OpSpec(  # -1/1 by the sign of the score, its gradient handed straight through: the perceptron rule
        "straight_step",
        lambda s, d, a: ((s[0], d[0]),),
        lambda x: _typed(x, np.where(np.isnan(x), x, np.where(x > 0, 1.0, -1.0))),
        lambda n, g: (g[0],),
        (Sample((_off_zero((3, 5)),), wrt=()),),
        inplace=(0,),
        form="unary",
    )
)


# ---- softmax ----------------------------------------------------------------------------------------------------------
def softmax_array(x):
    """Softmax over the last axis."""
    x = np.asarray(x)
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_softmax_array(x):
    """log(softmax(x)) over the last axis, without the loss of small probabilities."""
    x = np.asarray(x)
    z = x - np.max(x, axis=-1, keepdims=True)
    return z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))


def _row_grad_vjp_softmax(node, grads):
    # dx = y * (dy - s), s = sum(dy*y)  ->  d(dy) = y*(g - sum(g*y)); dy_y = g*(dy - s) - dy*sum(g*y)
    from brisknet.ops.reduction import sum as reduce_sum

    dy, y = node.inputs
    g = grads[0]
    s = reduce_sum(ew.multiply(dy, y), axis=-1, keepdims=True)
    gy = reduce_sum(ew.multiply(g, y), axis=-1, keepdims=True)
    return (
        apply("softmax_grad", (g, y)),
        ew.subtract(ew.multiply(g, ew.subtract(dy, s)), ew.multiply(dy, gy)),
    )


def _log_softmax_grad_vjp(node, grads):
    # dx = dy - exp(y) * s, s = sum(dy)  ->  d(dy) = g - sum(g*exp(y));  d(y) = -g * exp(y) * s
    from brisknet.ops.reduction import sum as reduce_sum

    dy, y = node.inputs
    g, e = grads[0], ew.exp(node.inputs[1])
    s = reduce_sum(dy, axis=-1, keepdims=True)
    return (
        ew.subtract(g, reduce_sum(ew.multiply(g, e), axis=-1, keepdims=True)),
        ew.negative(ew.multiply(ew.multiply(g, e), s)),
    )


_ROWS = (Sample(((4, 10),)), Sample(((2, 3, 7),)), Sample(((5, 1),)))
_PAIRS = (Sample(((4, 10), (4, 10))), Sample(((2, 3, 7), (2, 3, 7))))


def _same_infer(shapes, dtypes, attrs):
    if not shapes[0]:
        raise ValueError("softmax: x must have at least one axis, got a scalar")
    return ((shapes[0], dtypes[0]),)


register(
    OpSpec("softmax", _same_infer, softmax_array, lambda n, g: (apply("softmax_grad", (g[0], n.outputs[0])),), _ROWS,
           form="rows")  # fmt: skip
)
register(
    OpSpec(
        "softmax_grad",
        _same_infer,
        lambda dy, y: y * (dy - np.sum(dy * y, axis=-1, keepdims=True)),
        _row_grad_vjp_softmax,
        _PAIRS,
        form="rows",
    )
)
register(
    OpSpec(
        "log_softmax",
        _same_infer,
        log_softmax_array,
        lambda n, g: (apply("log_softmax_grad", (g[0], n.outputs[0])),),
        _ROWS,
        form="rows",
    )
)
register(
    OpSpec(
        "log_softmax_grad",
        _same_infer,
        lambda dy, y: dy - np.exp(y) * np.sum(dy, axis=-1, keepdims=True),
        _log_softmax_grad_vjp,
        _PAIRS,
        form="rows",
    )
)


def _along(op, x, axis):
    """A last-axis op along another axis."""
    from brisknet.ops.shape import transpose

    x = float_array(x)
    ndim = len(x.shape)
    if isinstance(axis, (tuple, list)):
        if len(axis) != 1:
            raise ValueError(f"{op}: one axis expected, got {axis}")
        axis = axis[0]
    if not -ndim <= axis < ndim:
        raise ValueError(f"{op}: axis {axis} is out of range for a tensor of rank {ndim}")
    axis %= ndim
    if axis == ndim - 1:
        return apply(op, (x,))
    axes = [i for i in range(ndim) if i != axis] + [axis]
    return transpose(apply(op, (transpose(x, axes),)), np.argsort(axes))


def softmax(x, axis=-1):
    """exp(x) / sum(exp(x)) along axis."""
    return _along("softmax", x, axis)


def log_softmax(x, axis=-1):
    """log(softmax(x)) along axis."""
    return _along("log_softmax", x, axis)
