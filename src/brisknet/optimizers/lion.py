"""Lion."""

from __future__ import annotations

from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Lion"]


class Lion(FusedOptimizer):
    """w -= lr sign(beta_1 m + (1 - beta_1) g); m = beta_2 m + (1 - beta_2) g. Chen et al. 2023."""

    _rule, _slot_names = "lion", ("momentum",)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1 = check_number(beta_1, "beta_1", 0, 1, closed=False)
        self.beta_2 = check_number(beta_2, "beta_2", 0, 1)

    def _attrs(self):
        return {"beta_1": self.beta_1, "beta_2": self.beta_2}
