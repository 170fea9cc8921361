"""Activations: their records, and functions on arrays and tensors.

from_output.py   those whose derivative is a function of their own output: kernels apply them in an epilogue
with_grad.py     how the others are defined: f and f_grad
smooth.py, piecewise.py, step.py, rows.py   by family
"""

from brisknet.ops.activation.from_output import (
    FROM_OUTPUT, act_grad, activation_array, elu, leaky_relu, relu, sigmoid, sigmoid_array, tanh,
)  # fmt: skip
from brisknet.ops.activation.piecewise import (
    celu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, relu6, selu, soft_shrink, sparse_plus, sparse_sigmoid, threshold,
)  # fmt: skip
from brisknet.ops.activation.rows import (
    glu, log_softmax, log_softmax_array, softmax, softmax_array, sparsemax, sparsemax_array,
)  # fmt: skip
from brisknet.ops.activation.smooth import (
    gelu, gelu_erf, gelu_tanh, log_sigmoid, mish, silu, softplus, softsign, squareplus, tanh_shrink,
)  # fmt: skip
from brisknet.ops.activation.step import step

__all__ = [
    "FROM_OUTPUT", "act_grad", "activation_array", "celu", "elu", "gelu", "gelu_erf", "gelu_tanh", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax", "log_softmax_array", "mish",
    "relu", "relu6", "selu", "sigmoid", "sigmoid_array", "silu", "soft_shrink", "softmax", "softmax_array", "softplus",
    "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "sparsemax_array", "squareplus", "step", "tanh",
    "tanh_shrink", "threshold",
]  # fmt: skip
