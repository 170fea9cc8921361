"""More element-wise ops: trigonometric and hyperbolic functions, other logarithms, division with remainder, bits."""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import apply, cast, dtype_of, is_float, match_floats
from brisknet.ops.elementwise import _define_binary, _define_unary, _off_kinks, _positive, _vjp2
from brisknet.ops.registry import OpSpec, Sample, register

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "bitwise_and", "bitwise_left_shift",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cbrt", "cosh", "erfinv", "exp2", "floor_divide", "log10",
    "log2", "mod", "sinh", "tan", "trunc",
]  # fmt: skip


def _within(shape):
    return np.random.default_rng(17).uniform(-0.8, 0.8, shape)


def _above_one(shape):
    return np.random.default_rng(18).uniform(1.2, 3.0, shape)


def _over(g, x):
    return ew.divide(g, x)


def _root(n, sign, shift):
    """sqrt(sign * x^2 + shift) of the node's input."""
    return ew.sqrt(ew.add(ew.multiply(ew.square(n.inputs[0]), float(sign)), float(shift)))


def erfinv_array(x: np.ndarray) -> np.ndarray:
    """The inverse of erf in double precision: Giles' polynomials (2012) and two steps of Newton's method."""
    x = np.asarray(x)
    u = x.astype(np.float64)
    t = -np.log((1.0 - u) * (1.0 + u))
    near, far = np.polyval(_NEAR, t - 2.5), np.polyval(_FAR, np.sqrt(t) - 3.0)
    y = np.where(t < 5.0, near, far) * u
    inside = np.abs(u) < 1.0
    for _ in range(2):
        step = (ew.erf_array(np.where(inside, y, 0.0)) - u) * (math.sqrt(math.pi) / 2) * np.exp(np.square(np.where(inside, y, 0)))
        y = np.where(inside, y - step, y)
    y = np.where(np.abs(u) == 1.0, np.copysign(np.inf, u), np.where(inside, y, np.nan))
    return np.asarray(y, x.dtype)


# Coefficients from the highest power down: M. Giles, "Approximating the erfinv function", 2012, table 5.
_NEAR = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
         0.246640727, 1.50140941)  # fmt: skip
_FAR = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
        1.00167406, 2.83297682)  # fmt: skip

tan = _define_unary("tan", np.tan, lambda n, g: (ew.multiply(g[0], ew.add(ew.square(n.outputs[0]), 1.0)),), draw=_within)
arcsin = _define_unary("arcsin", np.arcsin, lambda n, g: (_over(g[0], _root(n, -1, 1)),), draw=_within)
arccos = _define_unary("arccos", np.arccos, lambda n, g: (ew.negative(_over(g[0], _root(n, -1, 1))),), draw=_within)
arctan = _define_unary("arctan", np.arctan, lambda n, g: (_over(g[0], ew.add(ew.square(n.inputs[0]), 1.0)),))
sinh = _define_unary("sinh", np.sinh, lambda n, g: (ew.multiply(g[0], cosh(n.inputs[0])),))
cosh = _define_unary("cosh", np.cosh, lambda n, g: (ew.multiply(g[0], sinh(n.inputs[0])),))
arcsinh = _define_unary("arcsinh", np.arcsinh, lambda n, g: (_over(g[0], _root(n, 1, 1)),))
arccosh = _define_unary("arccosh", np.arccosh, lambda n, g: (_over(g[0], _root(n, 1, -1)),), draw=_above_one)
arctanh = _define_unary(
    "arctanh", np.arctanh, lambda n, g: (_over(g[0], ew.subtract(1.0, ew.square(n.inputs[0]))),), draw=_within
)
log2 = _define_unary(
    "log2", np.log2, lambda n, g: (_over(g[0], ew.multiply(n.inputs[0], math.log(2.0))),), draw=_positive
)
log10 = _define_unary(
    "log10", np.log10, lambda n, g: (_over(g[0], ew.multiply(n.inputs[0], math.log(10.0))),), draw=_positive
)
exp2 = _define_unary("exp2", np.exp2, lambda n, g: (ew.multiply(g[0], ew.multiply(n.outputs[0], math.log(2.0))),))
cbrt = _define_unary(
    "cbrt", np.cbrt, lambda n, g: (_over(g[0], ew.multiply(ew.square(n.outputs[0]), 3.0)),), draw=_off_kinks
)
trunc = _define_unary("trunc", np.trunc, lambda n, g: (None,), draw=_off_kinks)
erfinv = _define_unary(
    "erfinv",
    erfinv_array,
    lambda n, g: (ew.multiply(g[0], ew.multiply(ew.exp(ew.square(n.outputs[0])), math.sqrt(math.pi) / 2)),),
    draw=_within,
)


# ---- division with remainder, angles ------------------------------------------------------------------------------------
_divide = _define_binary("floor_divide", np.floor_divide, lambda n, g: (None, None), draw=_off_kinks, wrt=())
_remainder = _define_binary(
    "mod",
    np.mod,
    # x1 = x2 floor(x1 / x2) + mod, where floor(x1 / x2) is constant
    _vjp2(lambda n, g: g, lambda n, g: ew.negative(ew.multiply(g, _divide(n.inputs[0], n.inputs[1])))),
    draw=_off_kinks,
)
arctan2 = _define_binary(
    "arctan2",
    np.arctan2,
    _vjp2(
        lambda n, g: ew.multiply(g, _over(n.inputs[1], _squares(n))),
        lambda n, g: ew.negative(ew.multiply(g, _over(n.inputs[0], _squares(n)))),
    ),
    draw=_off_kinks,
)


def _squares(n):
    return ew.add(ew.square(n.inputs[0]), ew.square(n.inputs[1]))


def _numbers(x1, x2):
    """Operands of one dtype that is no bool: bools count as int32."""
    a, b = match_floats(x1, x2)
    return (cast(a, "int32"), cast(b, "int32")) if dtype_of(a) == "bool" else (a, b)


def floor_divide(x1, x2):
    """Element-wise x1 / x2, rounded down. Integers give integers; division of one by 0 gives 0."""
    return apply("floor_divide", _numbers(x1, x2))


def mod(x1, x2):
    """Element-wise remainder of x1 / x2, with the sign of x2."""
    return apply("mod", _numbers(x1, x2))


# ---- bits of integers -----------------------------------------------------------------------------------------------------
def _bits_infer(shapes, dtypes, attrs):
    if dtypes[0] != dtypes[1] or dtypes[0].startswith("float"):
        raise TypeError(f"two integer tensors of one dtype expected, got {dtypes[0]} and {dtypes[1]}")
    return ((ew.broadcast_shape(*shapes), dtypes[0]),)


_INTS = np.array([[1, -7, 12], [0, 5, 2**20]], np.int32), np.array([3, 2, 7], np.int32)


def _define_bits(name, reference):
    register(OpSpec(name, _bits_infer, reference, ew._no_vjp, (Sample(_INTS, wrt=()),)))

    def call(x, y):
        a, b = match_floats(x, y)
        if is_float(dtype_of(a)):
            raise TypeError(f"{name}: integers or bools expected, got dtype {dtype_of(a)}; use ops.cast, or multiply for masks")
        return apply(name, (a, b))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Element-wise {name} of two integer (or bool) values."
    return call


bitwise_and = _define_bits("bitwise_and", np.bitwise_and)
bitwise_or = _define_bits("bitwise_or", np.bitwise_or)
bitwise_xor = _define_bits("bitwise_xor", np.bitwise_xor)
bitwise_left_shift = _define_bits("left_shift", np.left_shift)
bitwise_right_shift = _define_bits("right_shift", np.right_shift)
