"""Activations in pieces: ramps (relu6, hard_sigmoid, hard_tanh, sparse_sigmoid), shrinking ones, selu and celu."""

from __future__ import annotations

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.activation.from_output import off_zero, typed
from brisknet.ops.activation.with_grad import define_with_grad, same_infer
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.registry import OpSpec, Sample, register

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _steep(shape):
    """Samples on all pieces, away from -6, -3, -1, -0.5, 0.5, 1, 3 and 6."""
    values = np.array([-7.0, -3.6, -2.2, -1.4, -0.7, -0.3, 0.2, 0.8, 1.7, 2.6, 3.9, 5.1, 6.8])
    return np.random.default_rng(13).choice(values, shape) + 0.07


# ---- ramps ---------------------------------------------------------------------------------------------------------
def _ramp(x, lo, hi, shift, factor, closed):
    return (np.clip(x, typed(x, lo), typed(x, hi)) + typed(x, shift)) * typed(x, factor)


def _ramp_derivative(x, lo, hi, shift, factor, closed):
    inside = (x >= lo) & (x <= hi) if closed else (x > lo) & (x < hi)
    return np.where(inside, typed(x, factor), 0)


_ramp_op = define_with_grad(
    "ramp", _ramp, _ramp_derivative, None,
    {"lo": (-3.0, -1.0), "hi": (3.0, 1.0), "shift": (3.0, 0.0), "factor": (1 / 6, 1.0), "closed": (0.0, 1.0)}, draw=_steep,
)  # fmt: skip


def relu6(x):
    """min(max(x, 0), 6)."""
    return _ramp_op(x, 0, 6, 0, 1, 0)


def hard_sigmoid(x):
    """0 below -3, 1 above 3, x/6 + 1/2 between."""
    return _ramp_op(x, -3, 3, 3, 1 / 6, 0)


def hard_tanh(x):
    """x limited to [-1, 1]."""
    return _ramp_op(x, -1, 1, 0, 1, 1)


def sparse_sigmoid(x):
    """0 below -1, 1 above 1, (x + 1)/2 between. Blondel et al. 2019."""
    return _ramp_op(x, -1, 1, 1, 0.5, 0)


# ---- hard_silu, sparse_plus ----------------------------------------------------------------------------------------
def _inside(x, bound, value):
    """IR: value where |x| < bound, else 0."""
    return ew.where(ew.less(ew.abs(x), bound), value, ew.zeros_of(x))


_hard_silu_op = define_with_grad(
    "hard_silu",
    lambda x: x * (np.clip(x + 3, 0, 6) / 6),
    lambda x: np.where(np.abs(x) < 3, (2 * x + 3) / 6, x > 0),
    lambda x: _inside(x, 3.0, 1 / 3),
    draw=_steep,
)


def hard_silu(x):
    """x hard_sigmoid(x) (hard swish). Howard et al. 2019."""
    return _hard_silu_op(x)


_sparse_plus_op = define_with_grad(
    "sparse_plus",
    lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (np.clip(x, -1, 1) + 1) ** 2 / 4)),
    lambda x: np.clip((x + 1) / 2, 0, 1),
    lambda x: _inside(x, 1.0, 0.5),
    draw=_steep,
)


def sparse_plus(x):
    """0 below -1, x above 1, (x + 1)^2 / 4 between. Blondel et al. 2019."""
    return _sparse_plus_op(x)


# ---- shrinking -----------------------------------------------------------------------------------------------------
_LIMITS = {"limit": (0.5, 1.1)}
_hard_shrink_op = define_with_grad(
    "hard_shrink", lambda x, limit: np.where(np.abs(x) > limit, x, 0), lambda x, limit: (np.abs(x) > limit) * 1.0, None,
    _LIMITS, draw=_steep,
)  # fmt: skip
_soft_shrink_op = define_with_grad(
    "soft_shrink", lambda x, limit: np.where(np.abs(x) > limit, x - np.sign(x) * typed(x, limit), 0), None, None,
    _LIMITS, grad="hard_shrink_grad", draw=_steep,
)  # fmt: skip


def hard_shrink(x, threshold=0.5):
    """x where |x| > threshold, else 0."""
    return _hard_shrink_op(x, threshold)


def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by threshold, 0 where |x| is not larger."""
    if threshold < 0:
        raise ValueError(f"soft_shrink: threshold must be >= 0, got {threshold!r}")
    return _soft_shrink_op(x, threshold)


_threshold_op = define_with_grad(
    "threshold", lambda x, limit, value: np.where(x > limit, x, typed(x, value)), lambda x, limit, value: (x > limit) * 1.0,
    None, {"limit": (0.7, -1.0), "value": (-4.0, 2.0)}, draw=_steep,
)  # fmt: skip


def threshold(x, threshold, default_value):
    """x where x > threshold, else default_value."""
    return _threshold_op(x, threshold, default_value)


# ---- selu, celu ----------------------------------------------------------------------------------------------------
def _scaled_elu(x, scale, alpha, steep):
    below = typed(x, scale * alpha) * np.expm1(np.minimum(x, 0) * typed(x, steep))
    return typed(x, np.where(x < 0, below, typed(x, scale) * x))


def _scaled_elu_grad(dy, y, scale, alpha, steep):
    return typed(y, dy * np.where(y < 0, (y + typed(y, scale * alpha)) * typed(y, steep), typed(y, scale)))


def _scaled_elu_grad_vjp(node, grads):
    dy, y = node.inputs
    steep = ew.where(ew.less(y, 0.0), node.attrs["steep"], ew.zeros_of(y))
    return apply("scaled_elu_grad", (grads[0], y), **node.attrs), ew.multiply(ew.multiply(grads[0], dy), steep)


_SCALED = ({"scale": SELU_SCALE, "alpha": SELU_ALPHA, "steep": 1.0}, {"scale": 1.0, "alpha": 0.5, "steep": 2.0})
_NAMES = ("scale", "alpha", "steep")
register(OpSpec(
    "scaled_elu", same_infer, lambda x, **p: _scaled_elu(np.asarray(x), **p),
    lambda n, g: (apply("scaled_elu_grad", (g[0], n.outputs[0]), **n.attrs),),
    tuple(Sample((off_zero(s) * 3,), p) for p in _SCALED for s in ((3, 5), (33,))), (0,), "unary", _NAMES,
))  # fmt: skip
register(OpSpec(  # scale dy where x >= 0, else dy scale alpha steep exp(steep x), from y = scaled_elu(x)
    "scaled_elu_grad", same_infer, _scaled_elu_grad, _scaled_elu_grad_vjp,
    tuple(Sample(((3, 5), off_zero((3, 5))), p) for p in _SCALED), (0,), "pair", _NAMES,
))  # fmt: skip


def selu(x):
    """1.0507 times x where x >= 0, else times 1.6733 (exp(x) - 1): keeps mean and variance. Klambauer et al. 2017."""
    return apply("scaled_elu", (float_array(x),), scale=SELU_SCALE, alpha=SELU_ALPHA, steep=1.0)


def celu(x, alpha=1.0):
    """x where x >= 0, else alpha (exp(x / alpha) - 1). Barron 2017."""
    if not alpha:
        raise ValueError(f"celu: alpha must not be 0, got {alpha!r}")
    return apply("scaled_elu", (float_array(x),), scale=1.0, alpha=float(alpha), steep=1.0 / float(alpha))
