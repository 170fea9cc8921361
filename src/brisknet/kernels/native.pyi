"""The compiled functions have the signatures of the reference."""

from brisknet.kernels.reference import (
    PackedWeights as PackedWeights,
    activation as activation,
    activation_grad as activation_grad,
    adadelta_update as adadelta_update,
    adagrad_update as adagrad_update,
    adam_update as adam_update,
    dense_backward as dense_backward,
    dense_forward as dense_forward,
    dropout as dropout,
    matmul as matmul,
    pack_weights as pack_weights,
    rmsprop_update as rmsprop_update,
    sgd_update as sgd_update,
    softmax as softmax,
    softmax_cross_entropy as softmax_cross_entropy,
)

__all__: list[str]
