"""Adadelta."""

from __future__ import annotations

from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Adadelta"]


class Adadelta(FusedOptimizer):
    """Zeiler 2012: steps scaled by the ratio of running means of past steps and gradients."""

    _rule, _slot_names, _slot_groups = "adadelta", ("accumulated_grad", "accumulated_delta_var"), (2,)

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.rho, self.epsilon = check_number(rho, "rho", 0, 1), check_number(epsilon, "epsilon")

    def _attrs(self):
        return {"rho": self.rho, "epsilon": self.epsilon}
