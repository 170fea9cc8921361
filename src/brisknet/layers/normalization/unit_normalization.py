"""UnitNormalization."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.layer import Layer
from brisknet.layers.normalization.scaled import checked_axis

__all__ = ["UnitNormalization"]


class UnitNormalization(Layer):
    """Scales each row to Euclidean length 1 over `axis` (an axis or several); a row of zeros stays."""

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = checked_axis(axis, "UnitNormalization")
        self.built = True

    def _check_input(self, shape):
        for a in [self.axis] if isinstance(self.axis, int) else self.axis:
            if not -len(shape) <= a < len(shape):
                raise ValueError(f"UnitNormalization {self.name!r}: axis {a} is out of range for input {tuple(shape)}")

    def call(self, inputs):
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape):
        self._check_input(input_shape)
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
