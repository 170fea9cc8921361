"""Gradient descent."""

from __future__ import annotations

from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["SGD"]


class SGD(FusedOptimizer):
    """w -= lr g; with momentum m = momentum m - lr g, w += m; with nesterov w += momentum m - lr g."""

    _rule, _slot_names = "sgd", ("momentum",)

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.momentum, self.nesterov = check_number(momentum, "momentum", 0, 1), bool(nesterov)

    def _attrs(self):
        return {"momentum": self.momentum, "nesterov": self.nesterov}
