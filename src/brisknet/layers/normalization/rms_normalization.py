"""RMSNormalization."""

from __future__ import annotations

from brisknet.layers.layer import Layer
from brisknet.layers.normalization.scaled import axes_sizes, checked_axis, checked_epsilon
from brisknet.ops.normalize import rms_normalization

__all__ = ["RMSNormalization"]


class RMSNormalization(Layer):
    """Divides each row by its root mean square over `axis`: x / sqrt(mean(x^2) + epsilon) * scale.

    `scale` is a trained weight of the sizes of the axes. Zhang & Sennrich 2019.
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = checked_axis(axis, "RMSNormalization")
        self.epsilon = checked_epsilon(epsilon, "RMSNormalization")

    def build(self, input_shape):
        _, sizes = axes_sizes(self.axis, input_shape, f"RMSNormalization {self.name!r}")
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.scale = self.add_weight(sizes, "ones", name="scale")

    def call(self, x):
        return rms_normalization(x, self.scale, self.axis, self.epsilon)

    def compute_output_shape(self, input_shape):
        axes_sizes(self.axis, input_shape, f"RMSNormalization {self.name!r}")
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
