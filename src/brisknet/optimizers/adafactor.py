"""Adafactor."""

from __future__ import annotations

import math

from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Adafactor"]


class Adafactor(FusedOptimizer):
    """Shazeer & Stern 2018: second moments of a matrix from its row and column means.

    With t the step: rate = min(lr, 1 / sqrt(t)) max(epsilon_2, rms(w)); the step g / sqrt(v) is limited to the root mean
    square clip_threshold. relative_step is Keras' argument; its formula takes that minimum whether it is set or not.
    """

    _rule = "adafactor"

    def __init__(self, learning_rate=0.001, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0,
                 relative_step=True, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_2_decay = check_number(beta_2_decay, "beta_2_decay", -math.inf, 0)
        self.epsilon_1, self.epsilon_2 = check_number(epsilon_1, "epsilon_1"), check_number(epsilon_2, "epsilon_2")
        self.clip_threshold = check_number(clip_threshold, "clip_threshold", closed=False)
        self.relative_step = bool(relative_step)

    def build(self, variables):
        """Row and column means (scalars without a use for vectors) and velocities, variable by variable."""
        made = self.built
        super().build(variables)
        if made:
            return
        self._slots = [[], [], []]
        for v in self._trainable_variables:
            shapes = (v.shape[:-1], (*v.shape[:-2], v.shape[-1])) if len(v.shape) > 1 else ((), ())
            for group, shape in zip(self._slots, shapes, strict=False):
                group.append(self.add_variable(shape, dtype=v.dtype, name=v.name))
            self._slots[2].append(self.add_variable_from_reference(v, "velocity"))

    def _attrs(self):
        names = ("beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold")
        return {name: getattr(self, name) for name in names}

    def get_config(self):
        return {**super().get_config(), "relative_step": self.relative_step}
