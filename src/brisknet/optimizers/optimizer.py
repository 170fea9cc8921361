"""Optimizers, by Keras 3's formulas and defaults. Each step is one fused update over all variables."""

from __future__ import annotations

import re
import warnings

import numpy as np

from brisknet import config
from brisknet.ops import optim
from brisknet.ops.dispatch import apply
from brisknet.ops.metric import count_step
from brisknet.utils.naming import auto_name, lookup, to_snake_case
from brisknet.variables import Variable

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Optimizer", "RMSprop", "deserialize", "get", "serialize"]


def _number(value, name, low=0.0, high=np.inf, closed=True):
    ok = not isinstance(value, bool) and isinstance(value, (int, float, np.floating, np.integer)) and np.isfinite(value)
    if not ok or not (low <= value if closed else low < value) or value > high:
        bounds = f"{'>=' if closed else '>'} {low:g}" + (f" and <= {high:g}" if np.isfinite(high) else "")
        raise ValueError(f"{name} must be a number {bounds}, got {value!r}")
    return float(value)


def _unsupported(use_ema, loss_scale_factor, gradient_accumulation_steps) -> None:
    """ValueError for arguments of Keras' optimizers that are known and not supported."""
    for name, value in (
        ("use_ema", use_ema), ("loss_scale_factor", loss_scale_factor),
        ("gradient_accumulation_steps", gradient_accumulation_steps),
    ):  # fmt: skip
        if value not in (None, False):
            raise ValueError(f"optimizer: {name}={value!r} is not supported; leave it at its default")


def _scalar(value):
    """A variable's or an array's one element; other values as they are."""
    value = value.numpy() if isinstance(value, Variable) else value
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


class LearningRate(float):
    """What Optimizer.learning_rate gives: the number, with the methods of the variable that holds it."""

    __slots__ = ("_variable",)

    def __new__(cls, variable):
        self = super().__new__(cls, float(variable.storage))
        self._variable = variable
        return self

    def numpy(self) -> np.ndarray:
        """The rate as a 0-d array."""
        return self._variable.numpy()

    @property
    def value(self):
        """The rate as the variable's value."""
        return self._variable.value

    def assign(self, value):
        """Set the rate of the optimizer."""
        return self._variable.assign(_number(_scalar(value), "learning_rate"))

    def __reduce__(self):
        return float, (float(self),)


class Optimizer:
    """Base class: learning rate, clipping, weight decay, slots. Subclasses name a rule of ops.optim.

    learning_rate     settable at any time
    weight_decay      decoupled: variable -= variable * weight_decay * learning_rate before the update
    clipnorm, global_clipnorm, clipvalue   at most one: limits on the gradients
    use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps
                      Keras' arguments, accepted at their defaults; ValueError where they ask for something
    """

    _rule = ""
    _slot_names: tuple = ()
    # Groups of slots that Keras makes together, variable by variable, in the order of optimizer.variables.
    _slot_groups: tuple = ()

    def __init__(
        self, learning_rate, weight_decay=None, clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
        ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None, gradient_accumulation_steps=None,
        name=None, **kwargs,
    ):  # fmt: skip
        if kwargs.pop("decay", None) is not None:
            warnings.warn("optimizer: the argument decay is no longer supported and is ignored", stacklevel=3)
        if kwargs:
            raise ValueError(f"{type(self).__name__}: unknown argument(s) {sorted(kwargs)}")
        _unsupported(use_ema, loss_scale_factor, gradient_accumulation_steps)
        self._ema = {"use_ema": False, "ema_momentum": ema_momentum, "ema_overwrite_frequency": ema_overwrite_frequency}
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        given = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        if sum(v is not None for v in given.values()) > 1:
            raise ValueError(f"only one of clipnorm, clipvalue and global_clipnorm can be set, got {given}")
        for key, value in given.items():
            setattr(self, key, None if value is None else _number(value, key, closed=False))
        self.weight_decay = None if weight_decay is None else _number(weight_decay, "weight_decay")
        self._learning_rate = Variable(
            np.asarray(_number(learning_rate, "learning_rate")), dtype=config.floatx(), trainable=False,
            name="learning_rate",
        )  # fmt: skip
        self.iterations = Variable(np.zeros((), np.int64), trainable=False, name="iteration")
        self.built = False
        self._variables_list: list[Variable] = []
        self._slots: list[list[Variable]] = []
        self._excluded: set[int] = set()
        self._excluded_names: tuple = ()

    # ---- settings -----------------------------------------------------------------------------------------------
    @property
    def learning_rate(self):
        """The learning rate, a float that also has a variable's numpy() and assign(); set it to change it between steps."""
        return LearningRate(self._learning_rate)

    @learning_rate.setter
    def learning_rate(self, value) -> None:
        self._learning_rate.storage[...] = _number(_scalar(value), "learning_rate")

    lr = learning_rate

    def _attrs(self) -> dict:
        """The rule's hyperparameters."""
        return {}

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        """Leave variables out of weight decay: those of var_list, and those whose name holds one of var_names.

        Names are regular expressions, sought in the variable's own name ("kernel", "bias"), as in Keras. ValueError
        once the optimizer is built.
        """
        if self.built:
            raise ValueError("exclude_from_weight_decay() must be called before the optimizer is built (the first step)")
        self._excluded = {v.id for v in var_list or ()}
        self._excluded_names = tuple(var_names or ())

    def _decays(self, variables) -> tuple:
        return tuple(
            0.0 if v.id in self._excluded or any(re.search(n, v.name) for n in self._excluded_names)
            else self.weight_decay or 0.0
            for v in variables
        )  # fmt: skip

    # ---- state --------------------------------------------------------------------------------------------------
    def build(self, variables) -> None:
        """Make the slots for these variables; a later call may name the same ones or some of them (others are frozen)."""
        variables = list(variables)
        if self.built:
            known = {v.id for v in self._variables_list}
            if any(v.id not in known for v in variables):
                raise ValueError(
                    f"optimizer {self.name!r} was built for {[v.path for v in self._variables_list]} and can't update "
                    f"{[v.path for v in variables]}: make a new optimizer for other variables"
                )
            return
        self._variables_list = variables
        count = optim.slot_count(self._rule, self._attrs())
        self._slots = [[self._new_slot(v, name) for v in variables] for name in self._slot_names[:count]]
        self.built = True

    def _new_slot(self, v: Variable, name: str) -> Variable:
        name = f"{v.path.replace('/', '_')}_{name}"  # as Keras names slots
        slot = Variable(np.full(v.shape, self._slot_start(), v.dtype), dtype=v.dtype, trainable=False, name=name)
        slot.path = f"{self.name}/{name}"
        return slot

    def _slot_start(self) -> float:
        return 0.0

    @property
    def variables(self) -> list[Variable]:
        """iterations, learning rate, then the slots in Keras' order."""
        slots, start = [], 0
        for size in self._slot_groups or (1,) * len(self._slots):
            group = self._slots[start : start + size]  # empty where the rule has none, as Adam without amsgrad
            slots += [v for of_one in zip(*group, strict=True) for v in of_one]
            start += size
        return [self.iterations, self._learning_rate, *slots]

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

    # ---- updating -----------------------------------------------------------------------------------------------
    def apply(self, grads, trainable_variables=None) -> None:
        """Update the variables by one step with their gradients (None: variable left alone). Works on arrays too."""
        grads = list(grads)
        variables = list(self._variables_list if trainable_variables is None else trainable_variables)
        if len(grads) != len(variables):
            raise ValueError(f"apply: {len(grads)} gradients for {len(variables)} variables")
        self.build(variables)
        pairs = [(i, g) for i, g in enumerate(grads) if g is not None]
        if not pairs:
            raise ValueError("apply: no gradient for any variable; the loss does not depend on the trained weights")
        chosen = [variables[i] for i, _ in pairs]
        gs = [g for _, g in pairs]
        if self.clipnorm:
            gs = [apply("clip_norm", (g,), clip=self.clipnorm) for g in gs]
        scale = apply("global_norm", tuple(gs), clip=self.global_clipnorm) if self.global_clipnorm else None
        place = {v.id: i for i, v in enumerate(self._variables_list)}
        slots = [[group[place[v.id]] for v in chosen] for group in self._slots]
        attrs = {**self._attrs(), **({"clipvalue": self.clipvalue} if self.clipvalue else {})}
        new, new_slots = optim.update(
            self._rule, self._learning_rate, self.iterations, scale, chosen, gs, slots, self._decays(chosen), **attrs
        )
        for v, value in zip(chosen, new, strict=True):
            v.assign(value)
        for group, values in zip(slots, new_slots, strict=True):
            for v, value in zip(group, values, strict=True):
                v.assign(value)
        for v in chosen:
            if v.constraint is not None:
                v.assign(v.constraint(v.value))
        self.iterations.assign(count_step(self.iterations, 1))

    def apply_gradients(self, grads_and_vars):
        """apply() for a list of (gradient, variable) pairs; returns `iterations`."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self.iterations

    # ---- config -------------------------------------------------------------------------------------------------
    def get_config(self) -> dict:
        return {
            "name": self.name,
            "learning_rate": float(self.learning_rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            **self._ema,
            "loss_scale_factor": None,
            "gradient_accumulation_steps": None,
        }

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def get_state(self) -> list[np.ndarray]:
        """Copies of all variables, for pickling."""
        return [v.numpy() for v in self.variables]

    def __repr__(self):
        return f"<{type(self).__name__} learning_rate={self.learning_rate}>"


class SGD(Optimizer):
    """w -= lr g; with momentum m = momentum m - lr g, w += m; with nesterov w += momentum m - lr g."""

    _rule, _slot_names = "sgd", ("momentum",)

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.momentum, self.nesterov = _number(momentum, "momentum", 0, 1), bool(nesterov)

    def _attrs(self):
        return {"momentum": self.momentum, "nesterov": self.nesterov}

    def get_config(self):
        return {**super().get_config(), **self._attrs()}


class RMSprop(Optimizer):
    """v = rho v + (1 - rho) g^2; w -= lr g / sqrt(v + epsilon). Tieleman & Hinton 2012."""

    _rule = "rmsprop"

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.rho, self.momentum = _number(rho, "rho", 0, 1), _number(momentum, "momentum", 0, 1)
        self.epsilon, self.centered = _number(epsilon, "epsilon"), bool(centered)

    @property
    def _slot_names(self):
        return ("velocity", *(("momentum",) if self.momentum else ()), *(("average_gradient",) if self.centered else ()))

    def _attrs(self):
        return {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}

    def get_config(self):
        return {**super().get_config(), **self._attrs()}


class Adam(Optimizer):
    """Kingma & Ba 2014, with Keras' epsilon (added to sqrt(v) before the bias correction is applied)."""

    _rule, _slot_names = "adam", ("momentum", "velocity", "velocity_hat")
    _slot_groups = (2, 1)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.beta_1, self.beta_2 = _number(beta_1, "beta_1", 0, 1), _number(beta_2, "beta_2", 0, 1)
        self.epsilon, self.amsgrad = _number(epsilon, "epsilon"), bool(amsgrad)

    def _attrs(self):
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon, "amsgrad": self.amsgrad}

    def get_config(self):
        return {**super().get_config(), **self._attrs()}


class Adagrad(Optimizer):
    """a += g^2; w -= lr g / sqrt(a + epsilon). Duchi et al. 2011."""

    _rule, _slot_names = "adagrad", ("accumulator",)

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.initial_accumulator_value = _number(initial_accumulator_value, "initial_accumulator_value")
        self.epsilon = _number(epsilon, "epsilon")

    def _slot_start(self):
        return self.initial_accumulator_value

    def _attrs(self):
        return {"epsilon": self.epsilon}

    def get_config(self):
        return {
            **super().get_config(), **self._attrs(), "initial_accumulator_value": self.initial_accumulator_value
        }  # fmt: skip


class Adadelta(Optimizer):
    """Zeiler 2012: steps scaled by the ratio of running means of past steps and gradients."""

    _rule, _slot_names = "adadelta", ("accumulated_grad", "accumulated_delta_var")
    _slot_groups = (2,)

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None,
                 clipnorm=None, clipvalue=None, global_clipnorm=None, use_ema=False,
                 ema_momentum=0.99, ema_overwrite_frequency=None, loss_scale_factor=None,
                 gradient_accumulation_steps=None, name=None, **kwargs):  # fmt: skip
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
                         ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, **kwargs)  # fmt: skip
        self.rho, self.epsilon = _number(rho, "rho", 0, 1), _number(epsilon, "epsilon")

    def _attrs(self):
        return {"rho": self.rho, "epsilon": self.epsilon}

    def get_config(self):
        return {**super().get_config(), **self._attrs()}


_CLASSES = {c.__name__: c for c in (SGD, RMSprop, Adam, Adagrad, Adadelta)}
_TABLE = {alias: c for n, c in _CLASSES.items() for alias in (n, n.lower())}


def get(identifier):
    """An optimizer from a name in any case, a class, an instance or a config dict."""
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, str):
        return lookup("optimizer", identifier, _TABLE)()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    raise ValueError(f"optimizer: a name or an Optimizer expected, got {identifier!r}")


def serialize(optimizer) -> dict:
    """{"class_name", "config"} of an optimizer."""
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(config: dict, custom_objects=None):
    """The optimizer of a config dict; ValueError for an unknown class."""
    table = {**_TABLE, **(custom_objects or {})}
    return lookup("optimizer", config["class_name"], table).from_config(config.get("config", {}))


