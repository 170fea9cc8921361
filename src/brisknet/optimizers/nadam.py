"""Nadam."""

from __future__ import annotations

from brisknet.ops.optim_state import nadam_product
from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Nadam"]


class Nadam(FusedOptimizer):
    """Adam with Nesterov's momentum, whose factor at step t is beta_1 (1 - 0.96^t / 2). Dozat 2015."""

    _rule, _slot_names, _slot_groups = "nadam", ("momentum", "velocity"), (2,)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2 = check_number(beta_1, "beta_1", 0, 1), check_number(beta_2, "beta_2", 0, 1)
        self.epsilon = check_number(epsilon, "epsilon")

    def _attrs(self):
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    def build(self, variables):
        made = self.built
        super().build(variables)
        if not made:
            dtype = self._trainable_variables[0].dtype if self._trainable_variables else None
            self._u_product = self.add_variable((), "ones", dtype, "u_product")

    def _product(self):
        product = nadam_product(self._u_product, self._iterations, self.beta_1, self._every)
        self._u_product.assign(product)
        return product
