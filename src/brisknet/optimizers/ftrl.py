"""FTRL."""

from __future__ import annotations

import math

from brisknet.initializers import Constant
from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Ftrl"]


class Ftrl(FusedOptimizer):
    """Follow the regularised leader, with Keras' shrinkage and beta. McMahan et al. 2013.

    a' = a + g^2; z += g + 2 shrinkage w - (a'^-p - a^-p) w / lr; w = (clip(z, -l1, l1) - z) / (a'^-p / lr + 2 l2 + beta / lr),
    with p the learning_rate_power. A weight for which nothing has been accumulated is 0 (Keras divides by zero).
    """

    _rule, _slot_names, _slot_groups = "ftrl", ("accumulator", "linear"), (2,)

    def __init__(self, learning_rate=0.001, learning_rate_power=-0.5, initial_accumulator_value=0.1,
                 l1_regularization_strength=0.0, l2_regularization_strength=0.0,
                 l2_shrinkage_regularization_strength=0.0, beta=0.0, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.learning_rate_power = check_number(learning_rate_power, "learning_rate_power", -math.inf, 0)
        self.initial_accumulator_value = check_number(initial_accumulator_value, "initial_accumulator_value")
        self.l1_regularization_strength = check_number(l1_regularization_strength, "l1_regularization_strength")
        self.l2_regularization_strength = check_number(l2_regularization_strength, "l2_regularization_strength")
        self.l2_shrinkage_regularization_strength = check_number(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength"
        )
        self.beta = check_number(beta, "beta")

    def _slot_start(self, name):
        return Constant(self.initial_accumulator_value) if name == "accumulator" else "zeros"

    def _attrs(self):
        names = ("learning_rate_power", "l1_regularization_strength", "l2_regularization_strength",
                 "l2_shrinkage_regularization_strength", "beta")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def get_config(self):
        return {**super().get_config(), "initial_accumulator_value": self.initial_accumulator_value}
