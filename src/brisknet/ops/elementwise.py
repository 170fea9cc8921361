"""Element-wise ops: unary functions, broadcasting binary functions, comparisons, where, clip, cast."""

from __future__ import annotations

import builtins
import math

import numpy as np

from brisknet.ops.dispatch import apply, cast, dtype_of, float_array, floatx, is_float, match_floats, number_array
from brisknet.ops.registry import OpSpec, Sample, register

_SQRT_2 = math.sqrt(2.0)


# ---- unary ----------------------------------------------------------------------------------------------------------
def _unary_infer(shapes, dtypes, attrs):
    return ((shapes[0], dtypes[0]),)


def _define_unary(name, reference, vjp, samples=((3, 5), (1,), (33,)), draw=None, whole=False):
    array = as_numbers if whole else as_floats
    made = tuple(Sample((draw(s) if draw else s,)) for s in samples)
    register(OpSpec(name, _unary_infer, reference, vjp, made, inplace=(0,), form="unary"))

    def call(x):
        return apply(name, (array(x),))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Element-wise {name} of x; same shape."
    return call


def as_floats(x):
    """x for a function of floats: integers and bools become floats."""
    x = float_array(x)
    return x if is_float(dtype_of(x)) else cast(x, floatx())


def as_numbers(x):
    """x for a function of any numbers: integers stay what they are, bools become int32."""
    x = number_array(x)
    return cast(x, "int32") if dtype_of(x) == "bool" else x


def _positive(shape):
    return np.random.default_rng(7).uniform(0.3, 3.0, shape)


def _off_kinks(shape):
    x = np.random.default_rng(8).uniform(0.2, 2.0, shape)
    return x * np.where(np.random.default_rng(9).random(shape) < 0.5, -1.0, 1.0)


def erf_array(x: np.ndarray) -> np.ndarray:
    """erf in NumPy (math.erf element by element: exact, and the reference need not be fast)."""
    x = np.asarray(x)
    flat = np.fromiter((math.erf(v) for v in x.astype(np.float64).ravel()), np.float64, x.size)
    return flat.reshape(x.shape).astype(x.dtype)


negative = _define_unary("neg", np.negative, lambda n, g: (negative(g[0]),), whole=True)
abs = _define_unary("abs", np.abs, lambda n, g: (multiply(g[0], sign(n.inputs[0])),), draw=_off_kinks, whole=True)
sign = _define_unary("sign", np.sign, lambda n, g: (None,), draw=_off_kinks, whole=True)
square = _define_unary("square", np.square, lambda n, g: (multiply(g[0], multiply(n.inputs[0], 2.0)),), whole=True)
sqrt = _define_unary("sqrt", np.sqrt, lambda n, g: (divide(multiply(g[0], 0.5), n.outputs[0]),), draw=_positive)
rsqrt = _define_unary(
    "rsqrt",
    lambda x: np.asarray(1.0 / np.sqrt(x), np.asarray(x).dtype),
    lambda n, g: (multiply(multiply(g[0], -0.5), divide(n.outputs[0], n.inputs[0])),),
    draw=_positive,
)
reciprocal = _define_unary(
    "reciprocal", np.reciprocal, lambda n, g: (negative(multiply(g[0], square(n.outputs[0]))),), draw=_positive
)
exp = _define_unary("exp", np.exp, lambda n, g: (multiply(g[0], n.outputs[0]),))
expm1 = _define_unary("expm1", np.expm1, lambda n, g: (multiply(g[0], add(n.outputs[0], 1.0)),))
log = _define_unary("log", np.log, lambda n, g: (divide(g[0], n.inputs[0]),), draw=_positive)
log1p = _define_unary("log1p", np.log1p, lambda n, g: (divide(g[0], add(n.inputs[0], 1.0)),), draw=_positive)
sin = _define_unary("sin", np.sin, lambda n, g: (multiply(g[0], cos(n.inputs[0])),))
cos = _define_unary("cos", np.cos, lambda n, g: (negative(multiply(g[0], sin(n.inputs[0]))),))
floor = _define_unary("floor", np.floor, lambda n, g: (None,), draw=_off_kinks)
ceil = _define_unary("ceil", np.ceil, lambda n, g: (None,), draw=_off_kinks)
_round = _define_unary("round", np.round, lambda n, g: (None,), draw=_off_kinks)
erf = _define_unary(
    "erf",
    erf_array,
    lambda n, g: (multiply(g[0], multiply(exp(negative(square(n.inputs[0]))), 2.0 / math.sqrt(math.pi))),),
)


def round(x, decimals=0):
    """x rounded to `decimals` places after the point, halves to even; integers stay as they are for decimals >= 0."""
    x = as_numbers(x)
    if not is_float(dtype_of(x)):
        return x if decimals >= 0 else cast(round(cast(x, floatx()), decimals), dtype_of(x))
    if decimals == 0:
        return _round(x)
    factor = 10.0 ** builtins.abs(decimals)
    return divide(_round(multiply(x, factor)), factor) if decimals > 0 else multiply(_round(divide(x, factor)), factor)


register(
    OpSpec(
        "logical_not",
        lambda s, d, a: ((s[0], "bool"),),
        np.logical_not,
        None,
        (Sample((np.array([True, False, True]),), wrt=()),),
        inplace=(0,),
        form="unary",
    )
)


def logical_not(x):
    """Element-wise not of a bool x."""
    return apply("logical_not", (cast(x, "bool"),))


# ---- binary ---------------------------------------------------------------------------------------------------------
def broadcast_shape(a: tuple, b: tuple, names=("x1", "x2")) -> tuple:
    """NumPy's broadcast of two shapes; ValueError names the two operands and their shapes."""
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        raise ValueError(f"shapes of {names[0]} {a} and {names[1]} {b} do not broadcast together") from None


def unbroadcast(grad, shape: tuple):
    """Sum grad over the axes along which `shape` was broadcast, so that it has `shape` again."""
    from brisknet.ops.reduction import sum as reduce_sum
    from brisknet.ops.shape import reshape

    if tuple(grad.shape) == tuple(shape):
        return grad
    lead = len(grad.shape) - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, d in enumerate(shape) if d == 1 and grad.shape[lead + i] != 1
    )
    if axes:
        grad = reduce_sum(grad, axis=axes, keepdims=True)
    return reshape(grad, shape)


def _binary_infer(shapes, dtypes, attrs):
    if dtypes[0] != dtypes[1]:
        raise TypeError(f"operands of one dtype expected, got {dtypes[0]} and {dtypes[1]}; use ops.cast")
    return ((broadcast_shape(*shapes), dtypes[0]),)


def _compare_infer(shapes, dtypes, attrs):
    return ((_binary_infer(shapes, dtypes, attrs)[0][0], "bool"),)


_PAIRS = (((3, 5), (3, 5)), ((4, 7), (7,)), ((4, 7), (4, 1)), ((2, 1, 3), (5, 1)), ((6,), ()), ((), (9,)))


def _define_binary(name, reference, vjp, infer=_binary_infer, pairs=_PAIRS, draw=None, wrt=None, inplace=(0,)):
    floats, no_bools = name in ("divide", "power"), name in ("add", "subtract", "multiply")

    def shifted(shape):  # the second operand drawn apart from the first, so that maxima have no ties
        return draw(shape) + 0.01 if draw else shape

    made = tuple(Sample((draw(a) if draw else a, shifted(b)), wrt=wrt) for a, b in pairs)
    register(OpSpec(name, infer, reference, vjp, made, inplace=inplace, form="broadcast"))

    def call(x1, x2):
        a, b = match_floats(x1, x2)
        if (floats and not is_float(dtype_of(a))) or (no_bools and dtype_of(a) == "bool"):
            target = floatx() if floats else "int32"
            a, b = cast(a, target), cast(b, target)
        return apply(name, (a, b))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Element-wise {name} of x1 and x2, broadcast as in NumPy."
    return call


def _vjp2(da, db):
    """A binary vjp from the two partial derivatives, each a function (node, g) or None."""

    def vjp(node, grads):
        g, shapes = grads[0], [t.shape for t in node.inputs]
        return tuple(unbroadcast(d(node, g), s) if d else None for d, s in zip((da, db), shapes, strict=True))

    return vjp


add = _define_binary("add", np.add, _vjp2(lambda n, g: g, lambda n, g: g))
subtract = _define_binary("subtract", np.subtract, _vjp2(lambda n, g: g, lambda n, g: negative(g)))
multiply = _define_binary(
    "multiply", np.multiply, _vjp2(lambda n, g: multiply(g, n.inputs[1]), lambda n, g: multiply(g, n.inputs[0]))
)
divide = _define_binary(
    "divide",
    np.true_divide,
    _vjp2(
        lambda n, g: divide(g, n.inputs[1]),
        lambda n, g: negative(divide(multiply(g, n.outputs[0]), n.inputs[1])),
    ),
    draw=_positive,
)
_power = _define_binary(
    "power",
    np.power,
    _vjp2(
        lambda n, g: multiply(g, multiply(n.inputs[1], power(n.inputs[0], subtract(n.inputs[1], 1.0)))),
        lambda n, g: multiply(g, multiply(n.outputs[0], log(n.inputs[0]))),
    ),
    draw=_positive,
)


def power(x1, x2):
    """Element-wise x1 to the power of x2, broadcast as in NumPy; of two integers an integer (through float32)."""
    a, b = match_floats(x1, x2)
    if is_float(dtype_of(a)):
        return _power(a, b)
    return cast(round(_power(a, b)), "int32" if dtype_of(a) == "bool" else dtype_of(a))


def _pick(compare):
    # Keras on JAX splits a tie evenly; a tie here goes to the first operand, as in TensorFlow.
    def first(node, g):
        return where(compare(node.inputs[0], node.inputs[1]), g, zeros_of(g))

    def second(node, g):
        return where(compare(node.inputs[0], node.inputs[1]), zeros_of(g), g)

    return _vjp2(first, second)


maximum = _define_binary("maximum", np.maximum, _pick(lambda a, b: greater_equal(a, b)), draw=_off_kinks)
minimum = _define_binary("minimum", np.minimum, _pick(lambda a, b: less_equal(a, b)), draw=_off_kinks)


def _no_vjp(node, grads):
    return (None, None)


def _define_compare(name, reference):
    return _define_binary(name, reference, _no_vjp, _compare_infer, wrt=(), inplace=())


equal = _define_compare("equal", np.equal)
not_equal = _define_compare("not_equal", np.not_equal)
less = _define_compare("less", np.less)
less_equal = _define_compare("less_equal", np.less_equal)
greater = _define_compare("greater", np.greater)
greater_equal = _define_compare("greater_equal", np.greater_equal)


def _define_logical(name, reference):
    bools = (np.array([True, True, False, False]), np.array([True, False, True, False]))
    register(OpSpec(name, _compare_infer, reference, _no_vjp, (Sample(bools, wrt=()),), inplace=(0,), form="broadcast"))

    def call(x1, x2):
        return apply(name, (cast(x1, "bool"), cast(x2, "bool")))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"Element-wise {name} of two bool values."
    return call


logical_and = _define_logical("logical_and", np.logical_and)
logical_or = _define_logical("logical_or", np.logical_or)


# ---- where, clip, step, cast ----------------------------------------------------------------------------------------
def zeros_of(x):
    """A scalar zero of x's dtype, to be broadcast."""
    return np.zeros((), dtype_of(x))


def _where_infer(shapes, dtypes, attrs):
    if dtypes[0] != "bool":
        raise TypeError(f"where: condition must be bool, got {dtypes[0]}")
    shape = broadcast_shape(shapes[0], broadcast_shape(shapes[1], shapes[2]), ("condition", "x1 and x2"))
    return ((shape, dtypes[1]),)


def _where_vjp(node, grads):
    cond, a, b = node.inputs
    g = grads[0]
    zero = zeros_of(g)
    return None, unbroadcast(where(cond, g, zero), a.shape), unbroadcast(where(cond, zero, g), b.shape)


_mask = np.arange(12).reshape(3, 4) % 3 == 0
register(
    OpSpec(
        "where",
        _where_infer,
        np.where,
        _where_vjp,
        (Sample((_mask, (3, 4), (3, 4)), wrt=(1, 2)), Sample((_mask, (4,), ()), wrt=(1, 2))),
    )
)


def where(condition, x1=None, x2=None):
    """x1 where condition is true, else x2; the three broadcast together. Without x1 and x2: the indices of what is true, on
    arrays only."""
    if x1 is None and x2 is None:
        from brisknet.ops.host import nonzero

        return nonzero(condition)
    if x1 is None or x2 is None:
        raise ValueError("where: give both x1 and x2, or neither of them")
    x1, x2 = match_floats(x1, x2)
    return apply("where", (cast(condition, "bool"), x1, x2))


def _clip_vjp(node, grads):
    x, lo, hi = node.inputs[0], node.attrs["lo"], node.attrs["hi"]
    inside = logical_and(greater_equal(x, float(lo)), less_equal(x, float(hi)))
    return (where(inside, grads[0], zeros_of(grads[0])),)


register(
    OpSpec(
        "clip",
        _unary_infer,
        lambda x, lo, hi: np.clip(x, np.asarray(lo, x.dtype), np.asarray(hi, x.dtype)),
        _clip_vjp,
        (Sample((_off_kinks((5, 7)),), {"lo": -1.05, "hi": 0.55}),),
        inplace=(0,),
        form="unary",
        parameters=("lo", "hi"),
    )
)


def clip(x, x_min, x_max):
    """x limited to [x_min, x_max]: numbers, tensors that broadcast, or None for no limit. NaN of x stays NaN."""
    x = as_numbers(x)
    if not all(isinstance(v, (int, float, np.integer, np.floating)) for v in (x_min, x_max)):
        x = x if x_min is None else maximum(x, x_min)
        return x if x_max is None else minimum(x, x_max)
    if not is_float(dtype_of(x)) and not all(float(v).is_integer() for v in (x_min, x_max)):
        x = cast(x, floatx())
    return apply("clip", (x,), lo=float(x_min), hi=float(x_max))


def _cast_vjp(node, grads):
    source = node.inputs[0].dtype
    return (cast(grads[0], source) if is_float(source) else None,)


register(
    OpSpec(
        "cast",
        lambda s, d, a: ((s[0], a["dtype"]),),
        lambda x, dtype: np.asarray(x).astype(dtype),
        _cast_vjp,
        (
            Sample((np.array([0, 1, 5], np.int32),), {"dtype": "float32"}, wrt=()),
            Sample((np.array([True, False]),), {"dtype": "float32"}, wrt=()),
            Sample((np.array([0.0, 1.5, -2.5], np.float32),), {"dtype": "int32"}, wrt=()),
            Sample((np.array([0.0, 1.5], np.float32),), {"dtype": "bool"}, wrt=()),
        ),
    )
)
