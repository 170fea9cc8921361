"""Input: the symbolic inputs of models."""

from __future__ import annotations

import numpy as np

from brisknet.layers.arguments import positive_int, refuse
from brisknet.layers.keras_tensor import CallNode, KerasTensor
from brisknet.layers.layer import Layer

__all__ = ["Input", "InputLayer"]


class InputLayer(Layer):
    """The node that a symbolic input comes from."""

    def __init__(
        self, shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, input_tensor=None,
        optional=False, name=None, **kwargs,
    ):  # fmt: skip
        refuse("Input", sparse=sparse, ragged=ragged, tensor=input_tensor, optional=optional)
        if dtype == "string":
            raise ValueError(
                'Input: dtype "string" is not supported inside a model, which computes with numbers; call the layer that takes '
                "texts (TextVectorization, StringLookup) on the data, and feed the model what it gives"
            )
        super().__init__(name=name, dtype=dtype, **kwargs)
        if batch_shape is not None:
            batch_size, shape = tuple(batch_shape)[0], tuple(batch_shape)[1:]
        if shape is None:
            raise ValueError("Input: shape must be given, e.g. Input(shape=(10,)) for rows of 10 features")
        if isinstance(shape, (int, np.integer)):
            raise ValueError(f"Input: shape must be a tuple, got the number {shape}; write shape=({shape},)")
        for d in shape:
            if d is not None:
                positive_int(d, "Input: every size of shape")
        self.batch_shape = (batch_size, *shape)
        self.built = True
        CallNode(self, (), {}, KerasTensor(self.batch_shape, self.dtype, name=self.name))

    def call(self):
        """Inputs are fed, not computed."""
        return self._inbound_nodes[0].outputs

    def get_config(self):
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": False, "ragged": False,
                "optional": False, "name": self.name}  # fmt: skip

    @property
    def output(self):
        return self._inbound_nodes[0].outputs


def Input(
    shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, name=None, tensor=None,
    optional=False,
):  # fmt: skip
    """A symbolic input: shape without the batch (None where open), dtype float32 by default.

    sparse, ragged, tensor and optional are Keras' arguments; ValueError where they ask for something.
    """
    return InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape=batch_shape, input_tensor=tensor, optional=optional,
        name=name,
    ).output  # fmt: skip
