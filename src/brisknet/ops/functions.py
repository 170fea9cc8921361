"""Element-wise functions that are made of others, under NumPy's names."""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops import arithmetic as ar
from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import cast, composite, dtype_of, is_float, number_array

__all__ = [
    "absolute", "angle", "bitwise_invert", "bitwise_not", "conj", "conjugate", "deg2rad", "divide_no_nan", "erfc", "fabs",
    "fmax", "fmin", "fmod", "heaviside", "hypot", "imag", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf",
    "isposinf", "isreal", "ldexp", "left_shift", "logaddexp", "logaddexp2", "logical_xor", "nan_to_num", "rad2deg", "real",
    "right_shift", "saturate_cast", "signbit", "sinc", "swish", "true_divide", "hard_swish",
]  # fmt: skip


@composite
def absolute(x):
    """Element-wise absolute value."""
    return ew.abs(x)


@composite
def fabs(x):
    """Element-wise absolute value, as a float."""
    return ew.abs(ew.as_floats(x))


@composite
def true_divide(x1, x2):
    """Element-wise x1 / x2, a float."""
    return ew.divide(x1, x2)


def _array(x):
    return number_array(x)


# ---- what a float is --------------------------------------------------------------------------------------------------------
@composite
def isnan(x):
    """Whether each element is NaN."""
    x = ew.as_floats(x)
    return ew.not_equal(x, x)


@composite
def isinf(x):
    """Whether each element is plus or minus infinity."""
    return ew.equal(ew.abs(ew.as_floats(x)), np.inf)


@composite
def isfinite(x):
    """Whether each element is neither NaN nor infinite."""
    return ew.less(ew.abs(ew.as_floats(x)), np.inf)


@composite
def isposinf(x):
    """Whether each element is plus infinity."""
    return ew.equal(ew.as_floats(x), np.inf)


@composite
def isneginf(x):
    """Whether each element is minus infinity."""
    return ew.equal(ew.as_floats(x), -np.inf)


@composite
def signbit(x):
    """Whether each element is negative; of zeros, whether it is -0.0."""
    x = _array(x)
    if not is_float(dtype_of(x)):
        return ew.less(x, 0)
    return ew.where(ew.equal(x, 0.0), ew.less(ew.reciprocal(x), 0.0), ew.less(x, 0.0))


@composite
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """x with numbers in place of NaN and infinities; None: the largest and smallest float."""
    x = _array(x)
    if not is_float(dtype_of(x)):
        return x
    limits = np.finfo(dtype_of(x))
    x = ew.where(isnan(x), float(nan), x)
    x = ew.where(isposinf(x), float(limits.max if posinf is None else posinf), x)
    return ew.where(isneginf(x), float(limits.min if neginf is None else neginf), x)


@composite
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether |x1 - x2| <= atol + rtol |x2|, element by element; infinities of one sign are close."""
    a, b = ew.as_floats(x1), ew.as_floats(x2)
    near = ew.less_equal(ew.abs(ew.subtract(a, b)), ew.add(ew.multiply(ew.abs(b), float(rtol)), float(atol)))
    near = ew.logical_or(ew.logical_and(near, isfinite(b)), ew.equal(a, b))
    return ew.logical_or(near, ew.logical_and(isnan(a), isnan(b))) if equal_nan else near


@composite
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each element of x1 is one of x2."""
    from brisknet.ops.shape import expand_dims, reshape
    from brisknet.ops.statistics import any as any_of

    x1 = _array(x1)
    hit = any_of(ew.equal(expand_dims(x1, -1), reshape(_array(x2), (-1,))), axis=-1)
    return ew.logical_not(hit) if invert else hit


# ---- real numbers as complex ones -------------------------------------------------------------------------------------------------
@composite
def real(x):
    """x itself: tensors are real."""
    return cast(_array(x), dtype_of(_array(x)))


@composite
def imag(x):
    """Zeros: tensors are real."""
    from brisknet.ops.create import zeros_like

    return zeros_like(x)


@composite
def conj(x):
    """x itself: tensors are real."""
    return real(x)


@composite
def conjugate(x):
    """x itself: tensors are real."""
    return real(x)


@composite
def isreal(x):
    """True for every element: tensors are real."""
    from brisknet.ops.create import ones_like

    return ones_like(x, dtype="bool")


@composite
def angle(x):
    """0 where x is positive, pi where it is negative."""
    x = ew.as_floats(x)
    return ar.arctan2(np.zeros((), dtype_of(x)), x)


# ---- other functions ------------------------------------------------------------------------------------------------------------
@composite
def deg2rad(x):
    """Degrees as radians."""
    return ew.multiply(ew.as_floats(x), math.pi / 180.0)


@composite
def rad2deg(x):
    """Radians as degrees."""
    return ew.multiply(ew.as_floats(x), 180.0 / math.pi)


@composite
def erfc(x):
    """1 - erf(x)."""
    return ew.subtract(1.0, ew.erf(x))


@composite
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0."""
    a, b = ew.as_floats(x1), ew.as_floats(x2)
    zero = ew.equal(b, 0.0)
    return ew.where(zero, 0.0, ew.divide(a, ew.where(zero, 1.0, b)))


@composite
def fmax(x1, x2):
    """The larger of x1 and x2; the other one where one is NaN."""
    a, b = ew.as_numbers(x1), ew.as_numbers(x2)
    return ew.where(isnan(a), b, ew.where(isnan(b), a, ew.maximum(a, b))) if is_float(dtype_of(a)) else ew.maximum(a, b)


@composite
def fmin(x1, x2):
    """The smaller of x1 and x2; the other one where one is NaN."""
    a, b = ew.as_numbers(x1), ew.as_numbers(x2)
    return ew.where(isnan(a), b, ew.where(isnan(b), a, ew.minimum(a, b))) if is_float(dtype_of(a)) else ew.minimum(a, b)


@composite
def fmod(x1, x2):
    """The remainder of x1 / x2 with the sign of x1."""
    a, b = ew.as_numbers(x1), ew.as_numbers(x2)
    return ew.multiply(ew.sign(a), ar.mod(ew.abs(a), ew.abs(b)))


@composite
def heaviside(x1, x2):
    """0 where x1 is negative, 1 where it is positive, x2 where it is 0."""
    a, b = ew.as_floats(x1), ew.as_floats(x2)
    return ew.where(ew.equal(a, 0.0), b, ew.where(isnan(a), a, cast(ew.greater(a, 0.0), dtype_of(a))))


@composite
def hypot(x1, x2):
    """sqrt(x1^2 + x2^2), scaled by the larger so that no square is too large."""
    a, b = ew.abs(ew.as_floats(x1)), ew.abs(ew.as_floats(x2))
    large, small = ew.maximum(a, b), ew.minimum(a, b)
    usable = ew.logical_and(ew.greater(large, 0.0), isfinite(large))
    ratio = ew.divide(ew.where(usable, small, 0.0), ew.where(usable, large, 1.0))
    return ew.multiply(large, ew.sqrt(ew.add(ew.square(ratio), 1.0)))


@composite
def ldexp(x1, x2):
    """x1 * 2**x2."""
    return ew.multiply(ew.as_floats(x1), ar.exp2(ew.as_floats(x2)))


@composite
def logaddexp(x1, x2):
    """log(exp(x1) + exp(x2)), without overflow."""
    a, b = ew.as_floats(x1), ew.as_floats(x2)
    same = ew.equal(a, b)  # among them infinities of one sign, whose difference is NaN
    apart = ew.abs(ew.where(same, 0.0, ew.subtract(a, b)))
    return ew.add(ew.maximum(a, b), ew.log1p(ew.exp(ew.negative(apart))))


@composite
def logaddexp2(x1, x2):
    """log2(2**x1 + 2**x2), without overflow."""
    scale = math.log(2.0)
    return ew.divide(logaddexp(ew.multiply(ew.as_floats(x1), scale), ew.multiply(ew.as_floats(x2), scale)), scale)


@composite
def sinc(x):
    """sin(pi x) / (pi x), 1 at 0."""
    x = ew.multiply(ew.as_floats(x), math.pi)
    zero = ew.equal(x, 0.0)
    safe = ew.where(zero, 1.0, x)
    return ew.where(zero, 1.0, ew.divide(ew.sin(safe), safe))


@composite
def saturate_cast(x, dtype):
    """x with another dtype; what does not fit takes the nearest value that does."""
    x = _array(x)
    if is_float(dtype) or dtype == "bool":
        return cast(x, dtype)
    limits = np.iinfo(dtype)
    if is_float(dtype_of(x)):  # the largest float that is no more than the limit
        low, high = float(limits.min), float(np.nextafter(np.float32(limits.max), np.float32(0)))
        high = high if high < limits.max else float(limits.max)
        inner = cast(ew.clip(x, low, high), dtype)
        return ew.where(ew.greater(x, high), np.asarray(limits.max, dtype), inner)
    return cast(ew.clip(x, max(limits.min, -(2**31)), min(limits.max, 2**31 - 1)), dtype)


# ---- logic and bits ----------------------------------------------------------------------------------------------------------------
@composite
def logical_xor(x1, x2):
    """Element-wise: one of the two, not both."""
    return ew.not_equal(cast(_array(x1), "bool"), cast(_array(x2), "bool"))


@composite
def bitwise_not(x):
    """Every bit of an integer inverted; of bools the opposite."""
    x = _array(x)
    return ew.logical_not(x) if dtype_of(x) == "bool" else ar.bitwise_xor(x, np.asarray(-1, dtype_of(x)))


@composite
def bitwise_invert(x):
    """Every bit of an integer inverted; of bools the opposite."""
    return bitwise_not(x)


@composite
def left_shift(x, y):
    """x shifted to the left by y bits."""
    return ar.bitwise_left_shift(x, y)


@composite
def right_shift(x, y):
    """x shifted to the right by y bits; the sign stays."""
    return ar.bitwise_right_shift(x, y)


# ---- activations under their second names -------------------------------------------------------------------------------------------
@composite
def swish(x):
    """x sigmoid(x), also called silu."""
    from brisknet.ops.activation import silu

    return silu(x)


@composite
def hard_swish(x):
    """hard_silu under its second name."""
    from brisknet.ops.activation import hard_silu

    return hard_silu(x)
