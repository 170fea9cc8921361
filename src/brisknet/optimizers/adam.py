"""Adam and Adam with decoupled weight decay."""

from __future__ import annotations

from brisknet.optimizers.arguments import check_number
from brisknet.optimizers.fused import FusedOptimizer

__all__ = ["Adam", "AdamW"]


class Adam(FusedOptimizer):
    """Kingma & Ba 2014, with Keras' epsilon (added to sqrt(v) before the bias correction is applied).

    amsgrad divides by the largest v so far (Reddi et al. 2018).
    """

    _rule, _slot_names = "adam", ("momentum", "velocity", "velocity_hat")
    _slot_groups = (2, 1)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2 = check_number(beta_1, "beta_1", 0, 1), check_number(beta_2, "beta_2", 0, 1)
        self.epsilon, self.amsgrad = check_number(epsilon, "epsilon"), bool(amsgrad)

    def _attrs(self):
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam with decoupled weight decay: w -= w weight_decay lr before each update. Loshchilov & Hutter 2019."""

    def __init__(self, learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False, ema_momentum=0.99,
                 ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None, name=None,
                 **kwargs):  # fmt: skip
        check_number(weight_decay, "weight_decay")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay, clipnorm, clipvalue,
                         global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
                         gradient_accumulation_steps, name, **kwargs)  # fmt: skip
