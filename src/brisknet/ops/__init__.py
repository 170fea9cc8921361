"""The vocabulary: brisknet.ops, on arrays at once, on traced tensors as nodes of the compute graph."""

from brisknet.ops.activation import (
    celu, elu, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, log_sigmoid, log_softmax, mish,
    relu, relu6, selu, sigmoid, silu, soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax,
    squareplus, step, tanh, tanh_shrink, threshold,
)  # fmt: skip
from brisknet.ops.assign import stop_gradient
from brisknet.ops.einsum import dot, einsum, tensordot
from brisknet.ops.linalg import dense, matmul
from brisknet.ops.dispatch import cast
from brisknet.ops.elementwise import (
    abs, add, ceil, clip, cos, divide, equal, erf, exp, expm1, floor, greater, greater_equal, less, less_equal, log,
    log1p, logical_and, logical_not, logical_or, maximum, minimum, multiply, negative, not_equal, power, reciprocal,
    round, rsqrt, sign, sin, sqrt, square, subtract, where,
)  # fmt: skip
from brisknet.ops import conv as _conv, image as _image, pool as _pool  # noqa: F401
from brisknet.ops import ctc as _ctc  # noqa: F401
from brisknet.ops import lookup as _lookup  # noqa: F401
from brisknet.ops import assign, loss, metric, metric_rows, metric_state, norm, optim, optim_state, random  # noqa: F401  (their records)
from brisknet.ops import tensor_methods as _methods  # noqa: F401
from brisknet.ops import rnn_gru as _gru, rnn_lstm as _lstm, rnn_simple as _rnn  # noqa: F401
from brisknet.ops.lookup import digitize
from brisknet.ops.normalize import layer_normalization, normalize, rms_normalization
from brisknet.ops.reduction import all, any, argmax, max, mean, min, one_hot, prod, sum
from brisknet.ops.spatial import average_pool, conv, conv_transpose, depthwise_conv, max_pool, separable_conv
from brisknet.ops.shape import (
    broadcast_to, concatenate, expand_dims, ones_like, pad, reshape, squeeze, stack, transpose, zeros_like,
)  # fmt: skip

__all__ = [
    "abs", "add", "all", "any", "argmax", "average_pool", "broadcast_to", "cast", "ceil", "celu", "clip", "concatenate", "conv",
    "conv_transpose", "cos", "dense", "depthwise_conv", "digitize", "divide", "dot", "einsum", "elu", "equal", "erf",
    "exp", "expand_dims", "expm1", "floor", "gelu", "glu", "greater", "greater_equal", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_tanh", "layer_normalization", "leaky_relu", "less", "less_equal", "log", "log1p",
    "log_sigmoid", "log_softmax", "logical_and", "logical_not", "logical_or", "matmul", "max", "max_pool", "maximum",
    "mean", "min", "minimum", "mish", "multiply", "negative", "normalize", "not_equal", "one_hot", "ones_like", "pad", "power",
    "prod", "reciprocal", "relu", "relu6", "reshape", "rms_normalization", "round", "rsqrt", "selu", "separable_conv",
    "sigmoid", "sign", "silu", "sin", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "sqrt", "square", "squareplus", "squeeze", "stack", "step", "stop_gradient",
    "subtract", "sum", "tanh", "tanh_shrink", "tensordot", "threshold", "transpose", "where", "zeros_like",
]  # fmt: skip
