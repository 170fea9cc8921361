"""Optimizers whose step is one fused update over all variables, by a rule of ops/optim_rules.py."""

from __future__ import annotations

from brisknet.ops import optim
from brisknet.optimizers.optimizer import Optimizer

__all__ = ["FusedOptimizer"]


class FusedOptimizer(Optimizer):
    """Base class. Subclasses name the rule and its slots; one that overrides update_step() is updated by that instead."""

    _rule = ""
    _slot_names: tuple = ()
    # How many slots Keras makes together, variable by variable: the order of optimizer.variables. Else one by one.
    _slot_groups: tuple = ()

    def _attrs(self) -> dict:
        """The rule's hyperparameters, which are part of the config too."""
        return {}

    def build(self, variables) -> None:
        if self.built:
            super().build(variables)
            return
        super().build(variables)
        names = list(self._slot_names[: optim.slot_count(self._rule, self._attrs())])
        self._slots = []
        for size in self._slot_groups or (1,) * len(names):
            group, names = names[:size], names[size:]
            if group:
                starts = [self._slot_start(name) for name in group]
                self._slots += self.add_optimizer_variables(self._trainable_variables, group, starts)

    def _slot_start(self, name: str):
        """The initializer of a slot."""
        return "zeros"

    def _update(self, grads, variables) -> None:
        if type(self).update_step is not Optimizer.update_step:
            super()._update(grads, variables)
            return
        grads, scale = self._clipped(grads)
        slots = [[group[self._places[v.id]] for v in variables] for group in self._slots]
        attrs = {**self._attrs(), **({"clipvalue": self.clipvalue} if self.clipvalue else {})}
        if self._every > 1:
            attrs["every"] = self._every
        new, new_slots = optim.update(
            self._rule, self._rate(), self._iterations, scale, variables, grads, slots,
            [self._decay_of(v) for v in variables], self._product(), **attrs,
        )  # fmt: skip
        for group, values in ((variables, new), *zip(slots, new_slots, strict=True)):
            for v, value in zip(group, values, strict=True):
                v.assign(value)

    def _product(self):
        """Nadam's running product, moved on by this step."""
        return None

    def get_config(self) -> dict:
        return {**super().get_config(), **self._attrs()}
