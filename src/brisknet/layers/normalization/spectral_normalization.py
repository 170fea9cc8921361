"""SpectralNormalization."""

from __future__ import annotations

import numpy as np

from brisknet import initializers, ops
from brisknet.layers.core.wrapper import Wrapper
from brisknet.ops.assign import assign_trained

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """Divides the weights of a layer by their largest singular value before each training step, which bounds the layer's
    Lipschitz constant. Miyato et al. 2018.

    layer              a layer with a `kernel`, or with `embeddings`
    power_iterations   steps of the power iteration for the singular value in one training step

    As with Keras on TensorFlow the kernel itself is set to the divided one, and the update of the step starts from there;
    its gradient is that of the divided kernel. Inference uses the kernel as it is.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        whole = isinstance(power_iterations, (int, np.integer)) and not isinstance(power_iterations, bool)
        if not whole or power_iterations <= 0:
            raise ValueError(f"SpectralNormalization: power_iterations must be a positive integer, got {power_iterations!r}")
        self.power_iterations = int(power_iterations)

    def build(self, input_shape):
        super().build(input_shape)
        for name in ("kernel", "embeddings"):
            self.kernel = getattr(self.layer, name, None)
            if self.kernel is not None:
                break
        else:
            raise ValueError(
                f"SpectralNormalization: the layer needs a kernel or embeddings, {type(self.layer).__name__} "
                f"{self.layer.name!r} has none"
            )
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), initializers.TruncatedNormal(stddev=0.02), trainable=False, name="vector_u"
        )

    def call(self, inputs, training=False):
        if training:
            self._divide()
        return self.layer(inputs)

    def _divide(self) -> None:
        """One training step's power iteration: vector_u and the kernel change. A kernel of zeros stays as it is."""
        old, u = self.kernel.value, self.vector_u.value
        w = ops.reshape(old, (-1, old.shape[-1]))
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(w)), axis=None)
            u = ops.normalize(ops.matmul(v, w), axis=None)
        sigma = ops.matmul(ops.matmul(v, w), ops.transpose(u))
        some = ops.greater(ops.max(ops.abs(old)), 0.0)
        kernel = ops.divide(old, ops.where(some, ops.reshape(sigma, ()), 1.0))
        self.vector_u.assign(ops.where(some, u, self.vector_u.value))
        assign_trained(self.kernel, kernel)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
