"""GroupNormalization."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.layers.normalization.scaled import Scaled, axes_sizes, checked_epsilon
from brisknet.ops.dispatch import float_array
from brisknet.ops.group_norm import group_norm

__all__ = ["GroupNormalization"]


class GroupNormalization(Scaled):
    """Normalises each row within groups of channels: mean and variance over the group's channels and all other axes.

    groups   number of groups, a divisor of the number of channels; -1: one a channel (instance normalisation)
    axis     the axis of the channels, -1 for channels_last, 1 for channels_first; gamma and beta have its size
    Wu & He 2018.
    """

    def __init__(
        self, groups=32, axis=-1, epsilon=1e-3, center=True, scale=True, beta_initializer="zeros",
        gamma_initializer="ones", beta_regularizer=None, gamma_regularizer=None, beta_constraint=None,
        gamma_constraint=None, **kwargs,
    ):  # fmt: skip
        if isinstance(groups, bool) or not isinstance(groups, (int, np.integer)) or (groups <= 0 and groups != -1):
            raise ValueError(f"GroupNormalization: groups must be a positive integer, or -1 for one a channel, got {groups!r}")
        if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
            raise TypeError(f"GroupNormalization: axis must be an integer, got {axis!r}")
        super().__init__(center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
                         beta_constraint, gamma_constraint, **kwargs)  # fmt: skip
        self.groups, self.axis = int(groups), int(axis)
        self.epsilon = checked_epsilon(epsilon, "GroupNormalization")

    def build(self, input_shape):
        name = f"GroupNormalization {self.name!r}"
        (axis,), (channels,) = axes_sizes(self.axis, input_shape, name)
        if axis == 0:
            raise ValueError(f"{name}: axis 0 holds the batch, not the channels; got input {tuple(input_shape)}")
        groups = channels if self.groups == -1 else self.groups
        if channels % groups:
            raise ValueError(
                f"{name}: groups must divide the number of channels ({channels} on axis {self.axis}), got {groups}"
            )
        self.groups, self._ndim, self._channels = groups, len(input_shape), channels
        self._add_parameters((channels,), self.scale, self.center)

    def _check_input(self, shape):
        if len(shape) != self._ndim or shape[self.axis] not in (self._channels, None):
            raise ValueError(
                f"GroupNormalization {self.name!r}: input of rank {self._ndim} with {self._channels} channels on axis "
                f"{self.axis} expected, got shape {tuple(shape)}"
            )

    def call(self, inputs):
        x = float_array(inputs)
        shape, axis = tuple(x.shape), self.axis % len(x.shape)
        before, after = (int(np.prod(part, dtype=np.int64)) for part in (shape[1:axis], shape[axis + 1 :]))
        flat = ops.reshape(x, (shape[0], before, shape[axis], after))
        return ops.reshape(group_norm(flat, self.gamma, self.beta, self.groups, self.epsilon), shape)

    def get_config(self):
        return {
            **super().get_config(), "groups": self.groups, "axis": self.axis, "epsilon": self.epsilon,
            "center": self.center, "scale": self.scale, **self._parameters_config(),
        }  # fmt: skip
