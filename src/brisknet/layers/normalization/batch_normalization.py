"""BatchNormalization."""

from __future__ import annotations

import numpy as np

from brisknet import config, initializers, ops, regularizers
from brisknet.layers.arguments import constraint, serialize_constraint
from brisknet.layers.layer import Layer
from brisknet.ops.dispatch import float_array
from brisknet.ops.norm import batch_norm_infer, batch_norm_train, ema

__all__ = ["BatchNormalization"]


class BatchNormalization(Layer):
    """Normalises each channel by the batch's mean and variance in training, by moving ones otherwise.

    y = gamma (x - mean) / sqrt(var + epsilon) + beta. The moving statistics follow
    moving = moving * momentum + batch * (1 - momentum), with the biased variance, as in Keras.
    With trainable = False the layer runs in inference mode. Ioffe & Szegedy 2015.
    """

    def __init__(
        self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, renorm=False,
        renorm_clipping=None, renorm_momentum=0.99, synchronized=False, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if synchronized:
            raise ValueError("BatchNormalization: synchronized=True is not supported: there is one process and one device")
        if renorm:
            raise ValueError("BatchNormalization: renorm is not supported; leave it at False")
        self._renorm = renorm_clipping, renorm_momentum  # only kept for get_config()
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise ValueError(f"BatchNormalization: axis must be an integer, got {axis!r}")
        if not 0 <= momentum <= 1:
            raise ValueError(f"BatchNormalization: momentum must lie in [0, 1], got {momentum!r}")
        if not epsilon > 0:
            raise ValueError(f"BatchNormalization: epsilon must be positive, got {epsilon!r}")
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraint(beta_constraint, "BatchNormalization: beta_constraint")
        self.gamma_constraint = constraint(gamma_constraint, "BatchNormalization: gamma_constraint")

    def build(self, input_shape):
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(f"BatchNormalization: axis {self.axis} is out of range for input {tuple(input_shape)}")
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"BatchNormalization: axis {self.axis} of {tuple(input_shape)} must have a known size")
        shape = (channels,)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
                name="gamma",
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint,
                name="beta",
            )  # fmt: skip
        self.moving_mean = self.add_weight(shape, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def _check_input(self, shape):
        n = self.moving_mean.shape[0]
        if len(shape) <= abs(self.axis) - (self.axis < 0) or shape[self.axis] not in (n, None):
            raise ValueError(f"BatchNormalization {self.name!r}: {n} channels on axis {self.axis} expected, got {shape}")

    def call(self, inputs, training=False, mask=None):
        x = float_array(inputs)
        axis = self.axis % len(x.shape)
        outer = int(np.prod(x.shape[:axis], dtype=np.int64))
        inner = int(np.prod(x.shape[axis + 1 :], dtype=np.int64))
        flat = ops.reshape(x, (outer, x.shape[axis], inner))
        self._check_mask(mask, x)
        if training and self.trainable:
            if mask is None:
                y, mean, var = batch_norm_train(flat, self.gamma, self.beta, self.epsilon)
            else:
                mean, var = self._masked_moments(x, flat, mask)
                y = batch_norm_infer(flat, mean, var, self.gamma, self.beta, self.epsilon)
            self.moving_mean.assign(ema(self.moving_mean, mean, self.momentum))
            self.moving_variance.assign(ema(self.moving_variance, var, self.momentum))
        else:
            y = batch_norm_infer(flat, self.moving_mean, self.moving_variance, self.gamma, self.beta, self.epsilon)
        return ops.reshape(y, tuple(x.shape))

    def _check_mask(self, mask, x) -> None:
        if mask is not None and len(mask.shape) != len(x.shape) - 1:
            raise ValueError(
                f"BatchNormalization {self.name!r}: a mask of one axis less than the input {tuple(x.shape)} expected, got "
                f"shape {tuple(mask.shape)}"
            )

    @staticmethod
    def _masked_moments(x, flat, mask):
        """(mean, variance) [C] of the places where mask [all axes but the last] is true, as Keras computes them."""
        kept = ops.broadcast_to(ops.expand_dims(ops.cast(ops.cast(mask, "bool"), str(x.dtype)), -1), tuple(x.shape))
        kept = ops.reshape(kept, tuple(flat.shape))
        here = ops.greater(kept, 0.5)
        count = ops.add(ops.sum(kept, axis=(0, 2)), config.epsilon())
        mean = ops.divide(ops.sum(ops.where(here, flat, 0.0), axis=(0, 2)), count)
        off = ops.where(here, ops.subtract(flat, ops.reshape(mean, (1, flat.shape[1], 1))), 0.0)
        return mean, ops.divide(ops.sum(ops.square(off), axis=(0, 2)), count)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": self.beta_regularizer and regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": self.gamma_regularizer and regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": serialize_constraint(self.beta_constraint),
            "gamma_constraint": serialize_constraint(self.gamma_constraint),
            "renorm": False,
            "renorm_clipping": self._renorm[0],
            "renorm_momentum": self._renorm[1],
            "synchronized": False,
        }
