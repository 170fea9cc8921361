"""BatchNormalization."""

from __future__ import annotations

import numpy as np

from brisknet import config, initializers, ops
from brisknet.layers.normalization.scaled import Scaled
from brisknet.ops.dispatch import float_array
from brisknet.ops.norm import batch_norm_infer, batch_norm_train, bn_stats, ema

__all__ = ["BatchNormalization"]


class BatchNormalization(Scaled):
    """Normalises each channel by the batch's mean and variance in training, by moving ones otherwise.

    y = gamma (x - mean) / sqrt(var + epsilon) + beta. The moving statistics follow
    moving = moving * momentum + batch * (1 - momentum), with the biased variance, as in Keras.
    With trainable = False the layer runs in inference mode. Ioffe & Szegedy 2015.

    renorm            batch renormalisation: in training, what the moving statistics would have given, up to clipping; no
                      gradient flows through the correction. Ioffe 2017
    renorm_clipping   {"rmax", "rmin", "dmax"}: limits of the correction of scale and shift
    renorm_momentum   of the moving mean and deviation that the correction uses
    """

    def __init__(
        self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", moving_mean_initializer="zeros", moving_variance_initializer="ones",
        beta_regularizer=None, gamma_regularizer=None, beta_constraint=None, gamma_constraint=None, renorm=False,
        renorm_clipping=None, renorm_momentum=0.99, synchronized=False, **kwargs,
    ):  # fmt: skip
        super().__init__(center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                         beta_constraint, gamma_constraint, **kwargs)  # fmt: skip
        if synchronized:
            raise ValueError("BatchNormalization: synchronized=True is not supported: there is one process and one device")
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise ValueError(f"BatchNormalization: axis must be an integer, got {axis!r}")
        if not 0 <= momentum <= 1:
            raise ValueError(f"BatchNormalization: momentum must lie in [0, 1], got {momentum!r}")
        if not epsilon > 0:
            raise ValueError(f"BatchNormalization: epsilon must be positive, got {epsilon!r}")
        self.axis, self.momentum, self.epsilon = int(axis), float(momentum), float(epsilon)
        self.renorm, self.renorm_momentum = bool(renorm), renorm_momentum
        self.renorm_clipping = _clipping(renorm_clipping) if renorm else renorm_clipping
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)

    def build(self, input_shape):
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(f"BatchNormalization: axis {self.axis} is out of range for input {tuple(input_shape)}")
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"BatchNormalization: axis {self.axis} of {tuple(input_shape)} must have a known size")
        shape = (channels,)
        self._add_parameters(shape, self.scale, self.center)
        mean, variance = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self.add_weight(shape, mean, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(shape, variance, trainable=False, name="moving_variance")
        if self.renorm:
            def deviation(shape, dtype=None):
                return np.sqrt(variance(shape, dtype=dtype))

            self.moving_stddev = self.add_weight(shape, deviation, trainable=False, name="moving_stddev")
            self.renorm_mean = self.add_weight(shape, mean, trainable=False, name="renorm_mean")
            self.renorm_stddev = self.add_weight(shape, deviation, trainable=False, name="renorm_stddev")

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
        if not (training and self.trainable):
            y = batch_norm_infer(flat, self.moving_mean, self.moving_variance, self.gamma, self.beta, self.epsilon)
        elif mask is None and not self.renorm:
            y, mean, var = batch_norm_train(flat, self.gamma, self.beta, self.epsilon)
            self._follow(mean, var)
        else:
            mean, var = bn_stats(flat) if mask is None else self._masked_moments(x, flat, mask)
            gamma, beta = self._corrected(mean, var) if self.renorm else (self.gamma, self.beta)
            y = batch_norm_infer(flat, mean, var, gamma, beta, self.epsilon)
            self._follow(mean, var)
        return ops.reshape(y, tuple(x.shape))

    def _follow(self, mean, var) -> None:
        """Move the statistics towards those of a batch."""
        self.moving_mean.assign(ema(self.moving_mean, mean, self.momentum))
        if not self.renorm:
            self.moving_variance.assign(ema(self.moving_variance, var, self.momentum))
            return
        stddev = ops.sqrt(ops.add(var, self.epsilon))
        self.renorm_mean.assign(ema(self.renorm_mean, mean, self.renorm_momentum))
        self.renorm_stddev.assign(ema(self.renorm_stddev, stddev, self.renorm_momentum))
        moved = ema(self.moving_stddev, stddev, self.momentum)
        self.moving_stddev.assign(moved)
        self.moving_variance.assign(ops.maximum(ops.subtract(ops.square(moved), self.epsilon), 0.0))

    def _corrected(self, mean, var):
        """(gamma, beta) that make of a batch's own normalisation, up to clipping, that by the moving statistics."""
        known = ops.maximum(self.renorm_stddev.value, float(np.sqrt(self.epsilon)))
        r = ops.divide(ops.sqrt(ops.add(var, self.epsilon)), known)
        d = ops.divide(ops.subtract(mean, self.renorm_mean.value), known)
        limits = self.renorm_clipping
        if limits.get("rmin") is not None:
            r = ops.maximum(r, float(limits["rmin"]))
        if limits.get("rmax") is not None:
            r = ops.minimum(r, float(limits["rmax"]))
        if limits.get("dmax") is not None:
            d = ops.clip(d, -limits["dmax"], limits["dmax"])
        r, d = ops.stop_gradient(r), ops.stop_gradient(d)
        if self.gamma is not None:
            r, d = ops.multiply(r, self.gamma), ops.multiply(d, self.gamma)
        return r, d if self.beta is None else ops.add(d, self.beta)

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

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **self._parameters_config(),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
            "synchronized": False,
        }


def _clipping(given) -> dict:
    """Limits of the correction of batch renormalisation; ValueError for unknown or impossible ones."""
    limits = dict(given or {})
    unknown = sorted(set(limits) - {"rmax", "rmin", "dmax"})
    if unknown:
        raise ValueError(f"BatchNormalization: renorm_clipping knows 'rmax', 'rmin' and 'dmax', got {unknown[0]!r}")
    low, high, shift = (limits.get(k) for k in ("rmin", "rmax", "dmax"))
    if low is not None and high is not None and high < low:
        raise ValueError(f"BatchNormalization: rmax >= rmin expected in renorm_clipping, got rmax={high!r}, rmin={low!r}")
    if shift is not None and shift < 0:
        raise ValueError(f"BatchNormalization: dmax >= 0 expected in renorm_clipping, got {shift!r}")
    return limits
