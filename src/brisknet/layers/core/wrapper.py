"""Wrapper: the base of layers that change another layer."""

from __future__ import annotations

from brisknet.layers.layer import Layer

__all__ = ["Wrapper"]


class Wrapper(Layer):
    """Holds another layer, `layer`, builds it with the same input shape and writes it into its config.

    Subclasses define call(); see SpectralNormalization.
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__}: layer must be a Layer, got {layer!r}")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)

    def get_config(self):
        from brisknet.saving.objects import serialize_layer

        return {**super().get_config(), "layer": serialize_layer(self.layer)}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        from brisknet.saving.objects import deserialize_layer

        config = dict(config)
        layer = config.pop("layer")
        return cls(layer if isinstance(layer, Layer) else deserialize_layer(layer, custom_objects), **config)
