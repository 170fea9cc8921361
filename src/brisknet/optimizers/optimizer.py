"""The base of all optimizers, by Keras 3's formulas and defaults: settings, state, and what one step does."""

from __future__ import annotations

import re
import warnings

import numpy as np

from brisknet import config, initializers, ops
from brisknet.graph.trace import current_graph
from brisknet.ops import optim_state
from brisknet.ops.dispatch import apply
from brisknet.ops.metric import count_step
from brisknet.optimizers.arguments import LearningRate, check_clipping, check_gradients, check_number, check_steps, one_element
from brisknet.optimizers.schedules import LearningRateSchedule
from brisknet.optimizers.schedules import serialize as serialize_schedule
from brisknet.utils.naming import auto_name, to_snake_case
from brisknet.variables import Variable

__all__ = ["Optimizer"]


class Optimizer:
    """Base class. An optimizer of one's own defines update_step(), and build() where it has state of its own.

    learning_rate     a number, settable at any time; a schedules.LearningRateSchedule; or a function without arguments,
                      which is called when a step is traced
    weight_decay      decoupled: variable -= variable * weight_decay * learning_rate before the update
    clipnorm, global_clipnorm, clipvalue   at most one: limits on the gradients
    use_ema           keep an exponential moving average of the weights: average = m average + (1 - m) weight, with
                      m = ema_momentum; every ema_overwrite_frequency updates (None: at the end of fit) the weights become it
    loss_scale_factor              the loss is multiplied by it before the gradients are taken, and these divided by it
    gradient_accumulation_steps    update at every such step only, with the mean of the gradients since the last update
    """

    full_batch = False  # whether fit() must give it all rows at once

    def __init__(
        self, learning_rate, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
        ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
        name=None, **kwargs,
    ):  # fmt: skip
        if kwargs.pop("decay", None) is not None:
            warnings.warn("optimizer: the argument decay is no longer supported and is ignored", stacklevel=3)
        if kwargs:
            raise ValueError(f"{type(self).__name__}: unknown argument(s) {sorted(kwargs)}")
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        given = check_clipping({"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm})
        self.clipnorm, self.clipvalue, self.global_clipnorm = given.values()
        self.weight_decay = None if weight_decay is None else check_number(weight_decay, "weight_decay")
        self.use_ema = bool(use_ema)
        self.ema_momentum = check_number(ema_momentum, "ema_momentum", 0, 1)
        self.ema_overwrite_frequency = check_steps(ema_overwrite_frequency, "ema_overwrite_frequency", 1)
        self.loss_scale_factor = (
            None if loss_scale_factor is None else check_number(loss_scale_factor, "loss_scale_factor", closed=False)
        )
        self.gradient_accumulation_steps = check_steps(gradient_accumulation_steps, "gradient_accumulation_steps", 2)
        self._dtype = config.floatx()
        self._learning_rate = self._rate_holder(learning_rate)
        self._iterations = Variable(np.zeros((), np.int64), trainable=False, name="iteration")
        self._generation = 0  # programs of models are traced anew where it changes
        self.built = False
        self._state: list[Variable] = []
        self._trainable_variables: list[Variable] = []
        self._places: dict[int, int] = {}
        self._model_variables_moving_average: list[Variable] = []
        self._accumulated_gradients: list[Variable] = []
        self._excluded: set[int] = set()
        self._excluded_names: tuple = ()

    # ---- settings -----------------------------------------------------------------------------------------------
    def _rate_holder(self, rate):
        """What holds a learning rate: a variable for a number; schedules and functions themselves."""
        if isinstance(rate, dict):
            raise ValueError("learning_rate: use from_config() for a schedule's config, got a dict")
        if isinstance(rate, LearningRateSchedule) or callable(rate):
            return rate
        value = check_number(one_element(rate), "learning_rate")
        return Variable(np.asarray(value), dtype=self._dtype, trainable=False, name="learning_rate")

    @property
    def learning_rate(self):
        """The learning rate of the next step, a float that also has a variable's numpy() and assign(); settable."""
        if isinstance(self._learning_rate, Variable):
            return LearningRate(float(self._learning_rate.storage), self)
        if isinstance(self._learning_rate, LearningRateSchedule):
            return LearningRate(float(np.asarray(self._learning_rate(int(self._iterations.storage)))), self)
        return LearningRate(float(one_element(self._learning_rate())), self)

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        held = self._learning_rate
        if isinstance(value, LearningRateSchedule) or callable(value):
            self._learning_rate = value
            self._generation += 1
        elif isinstance(held, Variable):
            held.storage[...] = check_number(one_element(value), "learning_rate")
        else:
            raise TypeError(
                f"optimizer {self.name!r} was made with a learning rate that changes by itself ({held!r}), which can't be set "
                "to a number: make the optimizer with a number to set it later"
            )

    lr = learning_rate

    def _rate(self):
        """The rate as an update takes it: a variable, or while a step is traced a tensor."""
        held = self._learning_rate
        if isinstance(held, Variable):
            return held.value
        if isinstance(held, LearningRateSchedule):
            step = self._iterations.value
            rate = held(step if held.reads_counts else ops.cast(step, self._dtype))
        else:
            rate = held()
        rate = rate.value if isinstance(rate, Variable) else rate
        return ops.cast(rate, self._dtype) if hasattr(rate, "dtype") else np.asarray(rate, self._dtype)

    @property
    def iterations(self):
        """Updates done so far: a variable, or with gradient_accumulation_steps a number (a variable counts steps)."""
        if self.gradient_accumulation_steps:
            return int(self._iterations.storage) // self.gradient_accumulation_steps
        return self._iterations

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Leave variables out of weight decay: those of var_list, and those whose name holds one of var_names.

        Names are regular expressions, sought in the variable's own name ("kernel", "bias"), as in Keras. ValueError
        once the optimizer is built.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay() must be called before the optimizer is built (the first step)")
        self._excluded = {v.id for v in var_list or ()}
        self._excluded_names = tuple(var_names or ())

    def _use_weight_decay(self, v) -> bool:
        return v.id not in self._excluded and not any(re.search(n, v.name) for n in self._excluded_names)

    def _decay_of(self, v) -> float:
        """The decoupled weight decay of a variable."""
        return self.weight_decay or 0.0 if self._use_weight_decay(v) else 0.0

    # ---- state --------------------------------------------------------------------------------------------------
    def build(self, variables) -> None:
        """Make the state for these variables; a later call may name the same ones or some of them (others are frozen)."""
        variables = list(variables)
        if self.built:
            self._check_known(variables)
            return
        self._trainable_variables = variables
        self._places = {v.id: i for i, v in enumerate(variables)}
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = self.add_optimizer_variables(variables, "gradient_accumulator")
        self.built = True

    def _check_known(self, variables) -> None:
        if any(v.id not in self._places for v in variables):
            raise ValueError(
                f"optimizer {self.name!r} was built for {[v.path for v in self._trainable_variables]} and can't update "
                f"{[v.path for v in variables]}: make a new optimizer for other variables"
            )

    def add_variable(self, shape, initializer="zeros", dtype=None, name=None) -> Variable:
        """A variable of the optimizer's state; dtype defaults to floatx."""
        dtype = dtype or self._dtype
        value = initializers.get(initializer)(tuple(shape), dtype=dtype)
        variable = Variable(np.asarray(value), dtype=dtype, trainable=False, name=name or "variable")
        variable.path = f"{self.name}/{variable.name}"
        self._state.append(variable)
        return variable

    def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros") -> Variable:
        """A state variable of a weight's shape and dtype, named after it."""
        name = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name)

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """A list of state variables, one a weight; for a list of names (and initializers) a tuple of such lists."""
        names = [name] if isinstance(name, str) else list(name)
        several = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(names) != len(several):
            raise ValueError(f"add_optimizer_variables: {len(names)} names {names}, but {len(several)} initializers")
        made = tuple([] for _ in names)
        for v in trainable_variables:
            for group, n, init in zip(made, names, several, strict=True):
                group.append(self.add_variable_from_reference(v, n, init))
        return made[0] if isinstance(name, str) else made

    def _get_variable_index(self, variable) -> int:
        return self._places[variable.id]

    @property
    def variables(self) -> list[Variable]:
        """The count of steps, the learning rate (where it is a number), then the state in Keras' order."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Variable) else []
        return [self._iterations, *rate, *self._state]

    def set_weights(self, weights) -> None:
        """Set all variables from arrays in the order of `variables`; ValueError before build or where they don't fit."""
        if not self.built:
            raise ValueError("set_weights(): the optimizer has no slots yet; call build(model.trainable_variables) first")
        weights, own = list(weights), self.variables
        shapes = [np.shape(w) for w in weights]
        if shapes != [v.shape for v in own]:
            raise ValueError(f"set_weights(): arrays of shapes {[v.shape for v in own]} expected, got {shapes}")
        for v, w in zip(own, weights, strict=True):
            v.assign(w)

    def get_state(self) -> list[np.ndarray]:
        """Copies of all variables, for pickling."""
        return [v.numpy() for v in self.variables]

    # ---- updating -----------------------------------------------------------------------------------------------
    def apply(self, grads, trainable_variables=None) -> None:
        """Update the variables by one step with their gradients. Works on arrays too.

        A variable whose gradient is None is left alone, with a warning that names it. ValueError where all are None, and
        for a gradient that has not the variable's shape.
        """
        grads = list(grads)
        if trainable_variables is None and not self.built:
            raise ValueError("apply: without variables the optimizer must be built: call build(trainable_variables) first")
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"apply: {len(grads)} gradients for {len(variables)} variables")
        if not self.built:
            self.build(variables)
        self._check_known(variables)
        if (graph := current_graph()) is not None:
            graph.settings.append((self, "_generation", self._generation))
        pairs = [(v, g) for v, g in zip(variables, grads, strict=True) if g is not None]
        if not pairs:
            raise ValueError("apply: no gradient for any variable; the loss does not depend on the trained weights")
        check_gradients(pairs, [v for v, g in zip(variables, grads, strict=True) if g is None])
        chosen, gs = [v for v, _ in pairs], [g for _, g in pairs]
        if self.loss_scale_factor is not None:
            gs = [g / self.loss_scale_factor for g in gs]
        self._update(self._accumulated(gs, chosen), chosen)
        self._update_averages()
        for v in chosen:
            if v.constraint is not None:
                v.assign(v.constraint(v.value))
        self._iterations.assign(count_step(self._iterations, 1))

    def apply_gradients(self, grads_and_vars):
        """apply() for a list of (gradient, variable) pairs; returns the variable that counts steps."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self._iterations

    @property
    def _every(self) -> int:
        return self.gradient_accumulation_steps or 1

    def _accumulated(self, grads, variables):
        """The gradients to update with: these, or their means where they are summed over several steps."""
        if self._every == 1:
            return grads
        sums = [self._accumulated_gradients[self._places[v.id]] for v in variables]
        grads, new = optim_state.accumulate(self._iterations, variables, grads, sums, self._every)
        for v, value in zip(sums, new, strict=True):
            v.assign(value)
        return grads

    def _clipped(self, grads):
        """(gradients clipped by their own norms, a factor for all of them or None); clipvalue is left to do."""
        if self.clipnorm:
            grads = [apply("clip_norm", (g,), clip=self.clipnorm) for g in grads]
        return grads, apply("global_norm", tuple(grads), clip=self.global_clipnorm) if self.global_clipnorm else None

    def _update(self, grads, variables) -> None:
        """Clip, decay, and update_step() for each variable; undone where gradients are only being summed up."""
        traced = current_graph() is not None
        if self._every > 1 and not traced and (int(self._iterations.storage) + 1) % self._every:
            return
        grads, scale = self._clipped(grads)
        before = {v: v.value for v in (*variables, *self._state)} if self._every > 1 and traced else {}
        rate = self._rate()
        for g, v in zip(grads, variables, strict=True):
            g = g if scale is None else g * scale
            g = ops.clip(g, -self.clipvalue, self.clipvalue) if self.clipvalue else g
            if decay := self._decay_of(v):
                v.assign(v.value - v.value * decay * rate)
            self.update_step(g, v, rate)
        due = optim_state.step_due(self._iterations, self._every) if before else None
        for v, old in before.items():
            if v.value is not old:
                v.assign(ops.where(due, v.value, old))

    def update_step(self, gradient, variable, learning_rate) -> None:
        """Update one variable with its gradient: assign to it, and to state of its own, values computed by brisknet.ops."""
        raise NotImplementedError(f"optimizer {type(self).__name__} must define update_step(gradient, variable, learning_rate)")

    def assign(self, variable, value):
        """variable = value."""
        variable.assign(value)

    def assign_add(self, variable, value):
        """variable += value."""
        variable.assign(variable.value + value)

    def assign_sub(self, variable, value):
        """variable -= value."""
        variable.assign(variable.value - value)

    def scale_loss(self, loss):
        """The loss times loss_scale_factor, where there is one."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def observe(self, loss) -> None:
        """Told the loss of the step that is being traced, before apply()."""

    def wrap(self, program):
        """The program that trains, from that of a traced step."""
        return program

    # ---- averages of weights ------------------------------------------------------------------------------------
    def _update_averages(self) -> None:
        if not self.use_ema:
            return
        variables, averages = self._trainable_variables, self._model_variables_moving_average
        new, weights = optim_state.average(
            self._iterations, variables, averages, self.ema_momentum, self.ema_overwrite_frequency or 0, self._every
        )
        for v, value in zip(averages, new, strict=True):
            v.assign(value)
        if self.ema_overwrite_frequency:
            for v, value in zip(variables, weights, strict=True):
                v.assign(value)

    def finalize_variable_values(self, var_list) -> None:
        """With use_ema, the weights of var_list become their averages; fit calls this at its end."""
        if self.use_ema and self.built:
            self._check_known(var_list)
            for v in var_list:
                v.assign(self._model_variables_moving_average[self._places[v.id]].numpy())

    # ---- config -------------------------------------------------------------------------------------------------
    def get_config(self) -> dict:
        held = self._learning_rate
        if isinstance(held, LearningRateSchedule):
            rate = serialize_schedule(held)
        elif isinstance(held, Variable):
            rate = float(held.storage)
        else:
            raise ValueError(f"optimizer {self.name!r}: its learning rate is a function, which can't be written into a config")
        return {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects=None):
        """The optimizer of get_config()'s dict; a learning rate that is a dict is a schedule's."""
        from brisknet.optimizers import schedules

        if isinstance(config.get("learning_rate"), dict):
            config = {**config, "learning_rate": schedules.deserialize(config["learning_rate"], custom_objects)}
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} learning_rate={self.learning_rate}>"
