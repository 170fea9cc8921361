"""Muon."""

from __future__ import annotations

import re

from brisknet import ops
from brisknet.ops.optim_state import step_number
from brisknet.optimizers.arguments import check_number, check_steps
from brisknet.optimizers.optimizer import Optimizer

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum made orthogonal by Newton-Schulz steps for matrices, Adam with weight decay for all else. Jordan 2024.

    exclude_layers      regular expressions of paths of matrices that Adam updates too
    exclude_embeddings  the same for matrices with "embedding" in their path
    rms_rate            scales steps by sqrt(the larger dimension) * rms_rate (Liu et al. 2025); None: not at all
    """

    def __init__(self, learning_rate=0.001, adam_beta_1=0.9, adam_beta_2=0.999, adam_weight_decay=0.004, epsilon=1e-7,
                 weight_decay=0.004, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, exclude_layers=None, exclude_embeddings=True,
                 muon_a=3.4445, muon_b=-4.7750, muon_c=2.0315, adam_lr_ratio=1, momentum=0.95, ns_steps=5,
                 nesterov=True, rms_rate=0.2, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.adam_beta_1 = check_number(adam_beta_1, "adam_beta_1", 0, 1)
        self.adam_beta_2 = check_number(adam_beta_2, "adam_beta_2", 0, 1)
        self.adam_weight_decay = None if adam_weight_decay is None else check_number(adam_weight_decay, "adam_weight_decay")
        self.epsilon, self.momentum = check_number(epsilon, "epsilon"), check_number(momentum, "momentum", 0, 1)
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.adam_lr_ratio, self.rms_rate = adam_lr_ratio, rms_rate
        self.ns_steps, self.nesterov = check_steps(ns_steps, "ns_steps", 1), bool(nesterov)
        self.exclude_embeddings, self.exclude_layers = bool(exclude_embeddings), list(exclude_layers or ())

    def _should_use_adamw(self, v) -> bool:
        excluded = self.exclude_embeddings and "embedding" in v.path.lower()
        return len(v.shape) != 2 or excluded or any(re.search(word, v.path) for word in self.exclude_layers)

    def build(self, variables):
        made = self.built
        super().build(variables)
        if made:
            return
        self.momentums, self.adam_velocities = [], []
        for v in self._trainable_variables:
            self.momentums.append(self.add_variable_from_reference(v, "momentum"))
            adam = self._should_use_adamw(v)
            self.adam_velocities.append(self.add_variable_from_reference(v, "velocity") if adam else None)

    def _decay_of(self, v):
        decay = self.adam_weight_decay if self._should_use_adamw(v) else self.weight_decay
        return decay or 0.0 if self._use_weight_decay(v) else 0.0

    def update_step(self, gradient, variable, learning_rate):
        i = self._get_variable_index(variable)
        if self.adam_velocities[i] is None:
            self._muon_step(gradient, variable, learning_rate, self.momentums[i])
        else:
            rate = learning_rate * float(self.adam_lr_ratio)
            self._adamw_step(gradient, variable, rate, self.momentums[i], self.adam_velocities[i])

    def _muon_step(self, gradient, variable, rate, m):
        self.assign(m, gradient + m.value * self.momentum)
        g = gradient + m.value * self.momentum if self.nesterov else m.value
        scale = 1.0 if self.rms_rate is None else max(variable.shape) ** 0.5 * self.rms_rate
        self.assign_sub(variable, self.zeropower_via_newtonschulz5(g, self.ns_steps) * rate * scale)

    def _adamw_step(self, gradient, variable, rate, m, v):
        t = step_number(self._iterations, self._every, variable.dtype)
        one = [1 - ops.power(ops.cast(b, variable.dtype), t) for b in (self.adam_beta_1, self.adam_beta_2)]
        alpha = rate * ops.sqrt(one[1]) / one[0]
        self.assign_add(m, (gradient - m.value) * (1 - self.adam_beta_1))
        self.assign_add(v, (ops.square(gradient) - v.value) * (1 - self.adam_beta_2))
        self.assign_sub(variable, m.value * alpha / (ops.sqrt(v.value) + self.epsilon))

    def zeropower_via_newtonschulz5(self, x, steps: int):
        """The nearest orthogonal matrix, roughly: `steps` times x = a x + (b A + c A A) x, where A = x x^T."""
        tall = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if tall else x
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(steps):
            a = ops.matmul(x, ops.transpose(x))
            x = x * self.muon_a + ops.matmul(a * self.muon_b + ops.matmul(a, a) * self.muon_c, x)
        return ops.transpose(x) if tall else x

    def get_config(self):
        names = ("adam_beta_1", "adam_beta_2", "epsilon", "exclude_layers", "muon_a", "muon_b", "muon_c", "adam_lr_ratio",
                 "momentum", "ns_steps", "nesterov", "exclude_embeddings", "adam_weight_decay", "rms_rate")  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
