"""Adagrad."""

from __future__ import annotations

from brisknet.initializers import Constant
from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Adagrad"]


class Adagrad(FusedOptimizer):
    """a += g^2; w -= lr g / sqrt(a + epsilon). Duchi et al. 2011."""

    _rule, _slot_names = "adagrad", ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.initial_accumulator_value = check_number(initial_accumulator_value, "initial_accumulator_value")
        self.epsilon = check_number(epsilon, "epsilon")

    def _slot_start(self, name):
        return Constant(self.initial_accumulator_value)

    def _attrs(self):
        return {"epsilon": self.epsilon}

    def get_config(self):
        return {**super().get_config(), "initial_accumulator_value": self.initial_accumulator_value}
