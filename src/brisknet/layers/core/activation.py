"""Activation."""

from __future__ import annotations

from brisknet import activations
from brisknet.layers.layer import Layer

__all__ = ["Activation"]


class Activation(Layer):
    """activation(x), by name or as a callable."""

    supports_masking = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs):
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        return activations.output_shape(self.activation, input_shape)

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
