"""Layers that join several inputs, as in keras.src.layers.merging."""

from brisknet.layers.merging.add import Add, add
from brisknet.layers.merging.average import Average, average
from brisknet.layers.merging.concatenate import Concatenate, concatenate
from brisknet.layers.merging.dot import Dot, dot
from brisknet.layers.merging.maximum import Maximum, maximum
from brisknet.layers.merging.minimum import Minimum, minimum
from brisknet.layers.merging.multiply import Multiply, multiply
from brisknet.layers.merging.subtract import Subtract, subtract

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add", "average", "concatenate", "dot",
    "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip
