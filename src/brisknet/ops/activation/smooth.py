"""Smooth activations: gelu, silu, softplus, mish, log_sigmoid, tanh_shrink, softsign, squareplus."""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.activation.from_output import sigmoid, sigmoid_array, tanh
from brisknet.ops.activation.with_grad import define_with_grad

_SQRT_2_PI = math.sqrt(2.0 / math.pi)


def _phi(x):
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _cdf(x):
    return 0.5 * (1.0 + ew.erf_array(x / math.sqrt(2.0)))


def _gelu_second(x):  # f'' = phi(x) (2 - x^2)
    x2 = ew.square(x)
    phi = ew.multiply(ew.exp(ew.multiply(x2, -0.5)), 1.0 / math.sqrt(2 * math.pi))
    return ew.multiply(phi, ew.subtract(2.0, x2))


gelu_erf = define_with_grad("gelu", lambda x: x * _cdf(x), lambda x: _cdf(x) + x * _phi(x), _gelu_second)


def _gelu_tanh_inner(x):
    return np.tanh(_SQRT_2_PI * (x + 0.044715 * x**3))


def _gelu_tanh_derivative(x):
    t = _gelu_tanh_inner(x)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _SQRT_2_PI * (1 + 3 * 0.044715 * x * x)


def _gelu_tanh_second(x):
    # f' = (1+t)/2 + x(1-t^2)u'/2, u' = c(1+3ax^2)  ->  f'' = (1-t^2)(u' - x t u'^2 + 3 a c x^2)
    a, c = 0.044715, _SQRT_2_PI
    x2 = ew.square(x)
    t = tanh(ew.multiply(ew.multiply(x, ew.add(ew.multiply(x2, a), 1.0)), c))
    du = ew.multiply(ew.add(ew.multiply(x2, 3 * a), 1.0), c)
    inner = ew.add(ew.subtract(du, ew.multiply(ew.multiply(x, t), ew.square(du))), ew.multiply(x2, 3 * a * c))
    return ew.multiply(ew.subtract(1.0, ew.square(t)), inner)


gelu_tanh = define_with_grad(
    "gelu_tanh", lambda x: 0.5 * x * (1 + _gelu_tanh_inner(x)), _gelu_tanh_derivative, _gelu_tanh_second
)


def _silu_second(x):  # f'' = s(1-s)(2 + x(1-2s))
    s = sigmoid(x)
    inner = ew.add(ew.multiply(x, ew.subtract(1.0, ew.multiply(s, 2.0))), 2.0)
    return ew.multiply(ew.multiply(s, ew.subtract(1.0, s)), inner)


silu = define_with_grad(
    "silu",
    lambda x: x * sigmoid_array(x),
    lambda x: sigmoid_array(x) * (1 + x * (1 - sigmoid_array(x))),
    _silu_second,
)


def _softplus_second(x):
    s = sigmoid(x)
    return ew.multiply(s, ew.subtract(1.0, s))


softplus = define_with_grad(
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


# ---- mish ----------------------------------------------------------------------------------------------------------
def _mish_parts(x):
    """(t, 1 - t), t = tanh(softplus(x)), from one exponential and without cancellation on either side."""
    # t = ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1); for x > 0 both multiplied by e^-2x
    e = np.exp(-np.abs(x))
    n = np.where(x >= 0, 1 + 2 * e, e * (e + 2))
    rest = np.where(x >= 0, 2 * e * e, 2.0)
    return n / (n + rest), rest / (n + rest)


def _mish_derivative(x):
    t, rest = _mish_parts(x)
    return t + x * sigmoid_array(x) * rest * (1 + t)


def _mish_second(x):  # f' = t + x s w, w = 1 - t^2, t' = s w  ->  f'' = s w (2 + x (1 - s - 2 t s))
    s, t = sigmoid(x), tanh(softplus(x))
    inner = ew.subtract(ew.subtract(1.0, s), ew.multiply(ew.multiply(t, s), 2.0))
    return ew.multiply(
        ew.multiply(s, ew.subtract(1.0, ew.square(t))), ew.add(ew.multiply(x, inner), 2.0)
    )  # fmt: skip


mish = define_with_grad("mish", lambda x: x * _mish_parts(x)[0], _mish_derivative, _mish_second)
mish.__doc__ = "x tanh(softplus(x)). Misra 2019."


# ---- log_sigmoid, tanh_shrink, softsign ----------------------------------------------------------------------------
log_sigmoid = define_with_grad(
    "log_sigmoid",
    lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    lambda x: sigmoid_array(-x),
    lambda x: ew.negative(_softplus_second(x)),
)
log_sigmoid.__doc__ = "log(sigmoid(x)) without overflow."


def _tanh_shrink_second(x):
    t = tanh(x)
    return ew.multiply(ew.multiply(t, ew.subtract(1.0, ew.square(t))), 2.0)


tanh_shrink = define_with_grad(
    "tanh_shrink", lambda x: x - np.tanh(x), lambda x: np.tanh(x) ** 2, _tanh_shrink_second
)
tanh_shrink.__doc__ = "x - tanh(x)."


def _softsign_second(x):
    size = ew.add(ew.abs(x), 1.0)
    return ew.divide(ew.multiply(ew.sign(x), -2.0), ew.multiply(size, ew.square(size)))


softsign = define_with_grad(
    "softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + np.abs(x)) ** 2, _softsign_second
)
softsign.__doc__ = "x / (1 + |x|)."


# ---- squareplus ----------------------------------------------------------------------------------------------------
def _squareplus(x, b):
    root = np.sqrt(x * x + b)
    with np.errstate(invalid="ignore", divide="ignore"):  # the branch that is not taken
        return np.where(x >= 0, x + root, b / (root - x)) / 2  # x + root cancels below 0


def _squareplus_derivative(x, b):  # (1 + x / root) / 2, which is f / root
    root = np.sqrt(x * x + b)
    return np.where(x >= 0, (1 + x / root) / 2, _squareplus(x, b) / root)


def _squareplus_second(x, b):
    root = ew.sqrt(ew.add(ew.square(x), b))
    return ew.divide(b / 2, ew.multiply(root, ew.square(root)))


_squareplus_op = define_with_grad(
    "squareplus", _squareplus, _squareplus_derivative, _squareplus_second, {"b": (4.0, 0.5)}
)


def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2: smooth as softplus, without exponentials. Barron 2021."""
    return _squareplus_op(x, b)
