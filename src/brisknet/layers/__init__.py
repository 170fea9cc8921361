"""Layers, as in keras.layers."""

from brisknet.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from brisknet.layers.core import Activation, Dense, Input, InputLayer
from brisknet.layers.layer import Layer
from brisknet.layers.merging import (
    Add, Average, Concatenate, Maximum, Minimum, Multiply, Subtract, add, average, concatenate, maximum, minimum,
    multiply, subtract,
)  # fmt: skip
from brisknet.layers.normalization import BatchNormalization
from brisknet.layers.regularization import Dropout
from brisknet.layers.reshaping import Flatten, Reshape

__all__ = [
    "ELU", "Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout", "Flatten", "Input",
    "InputLayer", "Layer", "LeakyReLU", "Maximum", "Minimum", "Multiply", "PReLU", "ReLU", "Reshape", "Softmax",
    "Subtract", "add", "average", "concatenate", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip
