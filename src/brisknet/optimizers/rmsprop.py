"""RMSprop."""

from __future__ import annotations

from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["RMSprop"]


class RMSprop(FusedOptimizer):
    """v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon). Tieleman & Hinton 2012.

    centered subtracts the square of the mean gradient from v under the root; momentum sums steps up.
    """

    _rule = "rmsprop"

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.rho, self.momentum = check_number(rho, "rho", 0, 1), check_number(momentum, "momentum", 0, 1)
        self.epsilon, self.centered = check_number(epsilon, "epsilon"), bool(centered)

    @property
    def _slot_names(self):
        return ("velocity", *(("momentum",) if self.momentum else ()), *(("average_gradient",) if self.centered else ()))

    def _attrs(self):
        return {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
