"""LayerNormalization."""

from __future__ import annotations

import warnings

from brisknet.layers.normalization.scaled import Scaled, axes_sizes, checked_axis, checked_epsilon
from brisknet.ops.normalize import layer_normalization

__all__ = ["LayerNormalization"]


class LayerNormalization(Scaled):
    """Normalises each row by its own mean and variance over `axis`: (x - mean) / sqrt(var + epsilon) * gamma + beta.

    axis            an axis or several, of known size; gamma and beta have the sizes of these axes
    center, scale   whether there is a beta, a gamma
    rms_scaling     Keras' deprecated argument: x / sqrt(var + epsilon) * gamma, without beta
    The same in training and inference. Ba et al. 2016.
    """

    def __init__(
        self, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros", gamma_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, rms_scaling=False,
        **kwargs,
    ):  # fmt: skip
        if rms_scaling:
            warnings.warn("rms_scaling=True scales by the variance, not by the root mean square; use RMSNormalization "
                          "instead", stacklevel=2)  # fmt: skip
        super().__init__(center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                         beta_constraint, gamma_constraint, **kwargs)  # fmt: skip
        self.axis = checked_axis(axis, "LayerNormalization")
        self.epsilon, self.rms_scaling = checked_epsilon(epsilon, "LayerNormalization"), bool(rms_scaling)

    def build(self, input_shape):
        axes, sizes = axes_sizes(self.axis, input_shape, f"LayerNormalization {self.name!r}")
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self._add_parameters(sizes, self.scale or self.rms_scaling, self.center and not self.rms_scaling)
        self._sizes = tuple(zip(axes, sizes, strict=True))

    def _check_input(self, shape):
        if any(len(shape) <= a or shape[a] not in (d, None) for a, d in self._sizes):
            wanted = ", ".join(f"{d} on axis {a}" for a, d in self._sizes)
            raise ValueError(f"LayerNormalization {self.name!r}: input with {wanted} expected, got shape {tuple(shape)}")

    def call(self, inputs):
        if not self.rms_scaling:
            return layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon)
        with warnings.catch_warnings():  # the constructor has warned
            warnings.simplefilter("ignore")
            return layer_normalization(inputs, self.gamma, None, self.axis, self.epsilon, rms_scaling=True)

    def get_config(self):
        return {
            **super().get_config(), "axis": self.axis, "epsilon": self.epsilon, "center": self.center,
            "scale": self.scale, "rms_scaling": self.rms_scaling, **self._parameters_config(),
        }  # fmt: skip
