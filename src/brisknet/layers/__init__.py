"""Layers, as in keras.layers."""

from brisknet.layers.activation_layers import ELU, LeakyReLU, PReLU, ReLU, Softmax
from brisknet.layers.core import Activation, Dense, Dropout, Flatten, Input, InputLayer, Reshape
from brisknet.layers.layer import Layer
from brisknet.layers.merge import Add, Concatenate, add, concatenate
from brisknet.layers.normalization import BatchNormalization

__all__ = [
    "ELU", "Activation", "Add", "BatchNormalization", "Concatenate", "Dense", "Dropout", "Flatten", "Input",
    "InputLayer", "Layer", "LeakyReLU", "PReLU", "ReLU", "Reshape", "Softmax", "add", "concatenate",
]  # fmt: skip
