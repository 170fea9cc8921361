"""Layers at the heart of most models, as in keras.src.layers.core."""

from brisknet.layers.arguments import constraint, serialize_constraint
from brisknet.layers.core.activation import Activation
from brisknet.layers.core.dense import Dense
from brisknet.layers.core.einsum_dense import EinsumDense
from brisknet.layers.core.embedding import Embedding
from brisknet.layers.core.identity import Identity
from brisknet.layers.core.input_layer import Input, InputLayer
from brisknet.layers.core.lambda_layer import Lambda
from brisknet.layers.core.masking import Masking
from brisknet.layers.core.op_layer import FunctionLayer, OpLayer
from brisknet.layers.core.rescaling import Rescaling
from brisknet.layers.core.wrapper import Wrapper

__all__ = [
    "Activation", "Dense", "EinsumDense", "Embedding", "FunctionLayer", "Identity", "Input", "InputLayer", "Lambda", "Masking", "OpLayer",
    "Rescaling", "Wrapper", "constraint", "serialize_constraint",
]  # fmt: skip
