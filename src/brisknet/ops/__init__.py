"""The vocabulary: brisknet.ops, on arrays at once, on traced tensors as nodes of the compute graph."""

from brisknet.ops.activation import elu, gelu, leaky_relu, log_softmax, relu, sigmoid, silu, softmax, softplus, step, tanh
from brisknet.ops.einsum import dot, einsum, tensordot
from brisknet.ops.linalg import dense, matmul
from brisknet.ops.dispatch import cast
from brisknet.ops.elementwise import (
    abs, add, ceil, clip, cos, divide, equal, erf, exp, expm1, floor, greater, greater_equal, less, less_equal, log,
    log1p, logical_and, logical_not, logical_or, maximum, minimum, multiply, negative, not_equal, power, reciprocal,
    round, rsqrt, sign, sin, sqrt, square, subtract, where,
)  # fmt: skip
from brisknet.ops import conv as _conv, pool as _pool  # noqa: F401
from brisknet.ops import lookup as _lookup  # noqa: F401
from brisknet.ops import loss, metric, metric_rows, metric_state, norm, optim, optim_state, random  # noqa: F401  (their records)
from brisknet.ops import tensor_methods as _methods  # noqa: F401
from brisknet.ops.lookup import digitize
from brisknet.ops.normalize import layer_normalization, normalize, rms_normalization
from brisknet.ops.reduction import argmax, max, mean, min, one_hot, prod, sum
from brisknet.ops.spatial import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv
from brisknet.ops.shape import broadcast_to, concatenate, expand_dims, pad, reshape, squeeze, stack, transpose

__all__ = [
    "abs", "add", "argmax", "average_pool", "broadcast_to", "cast", "ceil", "clip", "concatenate", "conv",
    "conv_transpose", "cos", "dense", "digitize", "depthwise_conv", "divide", "dot", "einsum", "elu", "equal", "erf", "exp",
    "expand_dims", "expm1", "floor", "gelu", "greater", "greater_equal", "layer_normalization", "leaky_relu",
    "less", "less_equal", "log", "log1p", "log_softmax", "logical_and", "logical_not", "logical_or", "matmul",
    "max", "max_pool", "maximum", "mean", "min", "minimum", "multiply", "negative", "normalize", "not_equal",
    "one_hot", "pad", "power", "prod", "reciprocal", "relu", "reshape", "rms_normalization", "round", "rsqrt",
    "separable_conv", "sigmoid", "sign", "silu", "sin", "softmax", "softplus", "sqrt", "square", "squeeze", "stack",
    "step", "subtract", "sum", "tanh", "tensordot", "transpose", "where",
]  # fmt: skip
