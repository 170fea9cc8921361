"""Learning rates that change from step to step, as in keras.optimizers.schedules. They are computed inside the step."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.ops.dispatch import is_symbolic
from brisknet.ops.optim_state import SCHEDULES, scheduled_rate
from brisknet.optimizers.arguments import check_number
from brisknet.utils.naming import lookup

__all__ = [
    "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay", "LearningRateSchedule",
    "PiecewiseConstantDecay", "PolynomialDecay", "deserialize", "serialize",
]  # fmt: skip


class LearningRateSchedule:
    """Base class. A schedule of one's own defines __call__(step) -> rate and, to be saved, get_config().

    While a step is traced `step` is a float tensor, to be computed with by operators and brisknet.ops; it counts from 0.
    """

    # Whether __call__ takes the integer count as it is; else it gets a float.
    reads_counts = False

    def __call__(self, step):
        raise NotImplementedError(f"learning-rate schedule {type(self).__name__} must define __call__(step)")

    def get_config(self) -> dict:
        raise NotImplementedError(f"learning-rate schedule {type(self).__name__} must define get_config() to be saved")

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__}>"


class _BuiltIn(LearningRateSchedule):
    """A schedule that has a kernel: its kind, and its parameters in the kernel's order."""

    reads_counts, _kind = True, ""

    def _parameters(self) -> tuple:
        raise NotImplementedError

    def __call__(self, step):
        """The rate of a step: a tensor for a tensor, else an array of the step's shape."""
        if is_symbolic(step):
            return scheduled_rate(step, self._kind, self._parameters(), config.floatx())
        fn, parameters = SCHEDULES[self._kind], [float(p) for p in self._parameters()]
        steps = np.asarray(step)
        rates = [fn(float(s), parameters) for s in steps.reshape(-1)]
        return np.array(rates, config.floatx()).reshape(steps.shape)


def _rate(value, name="initial_learning_rate"):
    return check_number(value, name)


def _steps(value, name="decay_steps"):
    check_number(value, name, closed=False)
    return value


class ExponentialDecay(_BuiltIn):
    """initial_learning_rate * decay_rate ^ (step / decay_steps), the exponent rounded down with staircase."""

    _kind = "exponential"

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="ExponentialDecay"):
        self.initial_learning_rate, self.decay_steps = _rate(initial_learning_rate), _steps(decay_steps)
        self.decay_rate, self.staircase, self.name = check_number(decay_rate, "decay_rate"), staircase, name

    def _parameters(self):
        return self.initial_learning_rate, self.decay_steps, self.decay_rate, bool(self.staircase)

    def get_config(self):
        names = ("initial_learning_rate", "decay_steps", "decay_rate", "staircase", "name")
        return {n: getattr(self, n) for n in names}


class InverseTimeDecay(ExponentialDecay):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), the quotient rounded down with staircase."""

    _kind = "inverse_time"

    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name="InverseTimeDecay"):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)


class PiecewiseConstantDecay(_BuiltIn):
    """values[0] up to and with step boundaries[0], then values[1] up to boundaries[1], and so on."""

    _kind = "piecewise"

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"boundaries: one fewer than the {len(values)} values expected, got {len(boundaries)}: {boundaries}"
            )
        for b in boundaries:
            check_number(b, "boundaries", -np.inf)
        if any(a > b for a, b in zip(boundaries, boundaries[1:], strict=False)):
            raise ValueError(f"boundaries: ascending steps expected, got {boundaries}")
        for v in values:
            check_number(v, "values")
        self.boundaries, self.values, self.name = boundaries, values, name

    def _parameters(self):
        return *self.boundaries, *self.values

    def get_config(self):
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}


class PolynomialDecay(_BuiltIn):
    """From initial_learning_rate to end_learning_rate in decay_steps, by (1 - step / decay_steps) ^ power; with cycle the
    end moves to the next multiple of decay_steps instead of being kept."""

    _kind = "polynomial"

    def __init__(
        self, initial_learning_rate, decay_steps, end_learning_rate=0.0001, power=1.0, cycle=False, name="PolynomialDecay"
    ):
        self.initial_learning_rate, self.decay_steps = _rate(initial_learning_rate), _steps(decay_steps)
        self.end_learning_rate = _rate(end_learning_rate, "end_learning_rate")
        self.power, self.cycle, self.name = check_number(power, "power"), cycle, name

    def _parameters(self):
        return self.initial_learning_rate, self.decay_steps, self.end_learning_rate, self.power, bool(self.cycle)

    def get_config(self):
        names = ("initial_learning_rate", "decay_steps", "end_learning_rate", "power", "cycle", "name")
        return {n: getattr(self, n) for n in names}


class CosineDecay(_BuiltIn):
    """Half a cosine from initial_learning_rate to alpha times it in decay_steps. Loshchilov & Hutter 2016.

    With warmup_target the rate first goes in a line from initial_learning_rate to it in warmup_steps, and decays from there.
    """

    _kind = "cosine"

    def __init__(self, initial_learning_rate, decay_steps, alpha=0.0, name="CosineDecay", warmup_target=None, warmup_steps=0):
        self.initial_learning_rate, self.decay_steps = _rate(initial_learning_rate), _steps(decay_steps)
        self.alpha, self.name = check_number(alpha, "alpha"), name
        self.warmup_target = None if warmup_target is None else _rate(warmup_target, "warmup_target")
        check_number(warmup_steps, "warmup_steps")
        self.warmup_steps = warmup_steps

    def _parameters(self):
        warm = (0.0, -1.0) if self.warmup_target is None else (self.warmup_target, self.warmup_steps)
        return self.initial_learning_rate, self.decay_steps, self.alpha, *warm

    def get_config(self):
        names = ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target", "warmup_steps")
        return {n: getattr(self, n) for n in names}


class CosineDecayRestarts(_BuiltIn):
    """Cosine decays one after another: the first of first_decay_steps, each t_mul times longer and from m_mul times the
    height of the one before. Loshchilov & Hutter 2016."""

    _kind = "restarts"

    def __init__(self, initial_learning_rate, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0, name="SGDRDecay"):
        self.initial_learning_rate = _rate(initial_learning_rate)
        self.first_decay_steps = _steps(first_decay_steps, "first_decay_steps")
        self._t_mul, self._m_mul = check_number(t_mul, "t_mul", 1), check_number(m_mul, "m_mul")
        self.alpha, self.name = check_number(alpha, "alpha"), name

    def _parameters(self):
        return self.initial_learning_rate, self.first_decay_steps, self._t_mul, self._m_mul, self.alpha

    def get_config(self):
        return {
            "initial_learning_rate": self.initial_learning_rate, "first_decay_steps": self.first_decay_steps,
            "t_mul": self._t_mul, "m_mul": self._m_mul, "alpha": self.alpha, "name": self.name,
        }  # fmt: skip


_TABLE = {
    c.__name__: c
    for c in (ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay, CosineDecay, CosineDecayRestarts)
}


def serialize(learning_rate_schedule) -> dict:
    """{"class_name", "config"} of a schedule."""
    return {"class_name": type(learning_rate_schedule).__name__, "config": learning_rate_schedule.get_config()}


def deserialize(config: dict, custom_objects=None):
    """The schedule of a config dict; ValueError for an unknown class."""
    from brisknet.saving.objects import _registered

    table = {**_TABLE, **_registered, **(custom_objects or {})}
    return lookup("learning-rate schedule", config["class_name"], table).from_config(dict(config.get("config", {})))
