"""More activations as golden cases, for `k` = keras or brisknet: element-wise ones on a grid, others on rows."""

ACTIVATIONS = {
    "relu6": lambda k: k.activations.relu6,
    "selu": lambda k: k.activations.selu,
    "celu": lambda k: k.activations.celu,
    "celu_alpha": lambda k: lambda x: k.activations.celu(x, alpha=0.5),
    "softsign": lambda k: k.activations.softsign,
    "soft_shrink": lambda k: k.activations.soft_shrink,
    "soft_shrink_wide": lambda k: lambda x: k.activations.soft_shrink(x, threshold=1.1),
    "sparse_plus": lambda k: k.activations.sparse_plus,
    "swish": lambda k: k.activations.swish,
    "squareplus": lambda k: k.activations.squareplus,
    "squareplus_b": lambda k: lambda x: k.activations.squareplus(x, b=0.5),
    "tanh_shrink": lambda k: k.activations.tanh_shrink,
    "hard_tanh": lambda k: k.activations.hard_tanh,
    "hard_shrink": lambda k: k.activations.hard_shrink,
    "hard_shrink_wide": lambda k: lambda x: k.activations.hard_shrink(x, threshold=1.1),
    "threshold": lambda k: lambda x: k.activations.threshold(x, 0.7, -4.0),
    "hard_sigmoid": lambda k: k.activations.hard_sigmoid,
    "log_sigmoid": lambda k: k.activations.log_sigmoid,
    "sparse_sigmoid": lambda k: k.activations.sparse_sigmoid,
    "hard_silu": lambda k: k.activations.hard_silu,
    "hard_swish": lambda k: k.activations.get("hard_swish"),
    "mish": lambda k: k.activations.mish,
}
ROWS = {
    "log_softmax": lambda k: k.activations.log_softmax,
    "log_softmax_axis0": lambda k: lambda x: k.activations.log_softmax(x, axis=0),
    "glu": lambda k: k.activations.glu,
    "glu_axis0": lambda k: lambda x: k.activations.glu(x, axis=0),
}
# Where a function has no derivative (Keras' back ends choose different ones there): those of the grid.
KINKS = {
    "relu6": (0, 6), "selu": (0,), "soft_shrink": (-0.5, 0.5), "hard_tanh": (-1, 1), "hard_shrink": (-0.5, 0.5),
    "hard_sigmoid": (-3, 3), "sparse_sigmoid": (-1, 1), "hard_silu": (-3, 3), "hard_swish": (-3, 3),
}  # fmt: skip
