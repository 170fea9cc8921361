"""Layers at the heart of most models, as in keras.src.layers.core."""

from brisknet.layers.arguments import constraint, serialize_constraint
from brisknet.layers.core.activation import Activation
from brisknet.layers.core.dense import Dense
from brisknet.layers.core.input_layer import Input, InputLayer
from brisknet.layers.core.op_layer import FunctionLayer, OpLayer

__all__ = ["Activation", "Dense", "FunctionLayer", "Input", "InputLayer", "OpLayer", "constraint", "serialize_constraint"]
