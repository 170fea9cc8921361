"""Identity."""

from __future__ import annotations

from brisknet.layers.keras_tensor import KerasTensor, map_structure
from brisknet.layers.layer import Layer

__all__ = ["Identity"]


class Identity(Layer):
    """Hands its inputs through, whatever their structure."""

    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.built = True

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs):
        return map_structure(lambda t: KerasTensor(t.shape, t.dtype), inputs)
