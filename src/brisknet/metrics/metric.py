"""The base class of metrics, and of those whose states a step adds to natively."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.metrics.pending import pending_in_steps
from brisknet.utils.naming import auto_name, to_snake_case
from brisknet.variables import Variable

__all__ = ["Metric", "StreamingMetric"]


class Metric:
    """Base class. Subclasses define update_state(y_true, y_pred, sample_weight=None) and result().

    name    in logs; by default the class's own in snake case, numbered
    dtype   of results, and of states unless they are given another; by default config.floatx()

    States are made by add_variable(). Inside a model, update_state is traced with the step and runs natively: compute with
    brisknet.ops, or with operators on the tensors, and assign to the states. Metrics kept as attributes belong to it.
    """

    # "up" or "down": what is better, for callbacks that watch the metric; None: they can't tell.
    _direction = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "result" in vars(cls):
            cls.result = pending_in_steps(cls.result)

    def __init__(self, dtype=None, name=None):
        self.name = name or auto_name(to_snake_case(type(self).__name__))
        self.dtype = _dtype_name(dtype)
        self._variables: list[Variable] = []
        self._metrics: list[Metric] = []

    def __setattr__(self, name, value):
        if "_metrics" in self.__dict__ and not name.startswith("__"):
            for item in value if isinstance(value, (list, tuple)) else (value,):
                kept = self._metrics if isinstance(item, Metric) else self._variables if isinstance(item, Variable) else None
                if kept is not None and not any(item is other for other in kept):
                    kept.append(item)
        super().__setattr__(name, value)

    def add_variable(self, shape, initializer="zeros", dtype=None, aggregation="sum", name=None) -> Variable:
        """A state of the metric, of the metric's dtype unless told otherwise. `aggregation` is Keras' and has no effect."""
        from brisknet import initializers

        if "_variables" not in self.__dict__:
            raise RuntimeError(
                f"metric {type(self).__name__}: call super().__init__() at the start of __init__(), before add_variable()"
            )
        v = Variable(
            shape=(shape,) if isinstance(shape, int) else tuple(shape), dtype=dtype or self.dtype,
            initializer=initializers.get(initializer or "zeros"), trainable=False, name=name or "state",
        )  # fmt: skip
        v.path = f"{self.name}/{v.name}"
        self._variables.append(v)
        return v

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None) -> Variable:
        """add_variable() with a scalar of zero as the default."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The states, those of metrics that are attributes included."""
        return [*self._variables, *(v for m in self._metrics for v in m.variables)]

    def reset_state(self) -> None:
        """Back to the start: all states zero."""
        for v in self.variables:
            v.storage[...] = 0

    def update_state(self, *args, **kwargs):
        raise NotImplementedError(f"metric {type(self).__name__} must define update_state()")

    def result(self):
        raise NotImplementedError(f"metric {type(self).__name__} must define result()")

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    # ---- the same without side effects --------------------------------------------------------------------------
    def stateless_update_state(self, metric_variables, *args, **kwargs) -> list[np.ndarray]:
        """The states that update_state(*args, **kwargs) makes of these, one array a variable; the metric's own stay."""
        with _Holding(self, metric_variables):
            self.update_state(*args, **kwargs)
            return [v.numpy() for v in self.variables]

    def stateless_result(self, metric_variables):
        """result() as it would be with these states, one array a variable."""
        with _Holding(self, metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[np.ndarray]:
        """The states at the start, one array a variable."""
        with _Holding(self, [v.numpy() for v in self.variables]):
            self.reset_state()
            return [v.numpy() for v in self.variables]

    # ---- configs ------------------------------------------------------------------------------------------------
    def get_config(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict):
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


def _dtype_name(dtype) -> str:
    """A dtype, or a policy with a compute_dtype, by name; "int" is int32 and "float" float32, as in Keras."""
    if dtype is None:
        return config.floatx()
    given = getattr(dtype, "compute_dtype", dtype)
    short = {"int": "int32", "float": "float32"}
    try:
        return np.dtype(short.get(given, given) if isinstance(given, str) else given).name
    except TypeError:
        raise ValueError(f'metric: dtype must be the name of a type, such as "float32", got {dtype!r}') from None


class _Holding:
    """While it lasts, the variables of a metric have other values."""

    def __init__(self, metric: Metric, values):
        values = list(values)
        if len(values) != len(metric.variables):
            raise ValueError(
                f"metric {metric.name!r}: metric_variables must hold one value for each of its {len(metric.variables)} "
                f"variables, got {len(values)}"
            )
        self.variables, self.values = metric.variables, values

    def __enter__(self):
        self.before = [v.numpy() for v in self.variables]
        for v, value in zip(self.variables, self.values, strict=True):
            v.assign(value)

    def __exit__(self, *exc):
        for v, value in zip(self.variables, self.before, strict=True):
            v.assign(value)


class StreamingMetric(Metric):
    """A metric whose result is a function of float64 states, whatever their number of leading axes.

    So the results of many epochs are computed at once from the states that each of them ended with (training/bulk.py).
    """

    _empty = 0.0  # the result while there are no states yet, which wait for the shape of a first batch

    def __init__(self, dtype=None, name=None):
        super().__init__(dtype, name)
        self._states: list[Variable] = []

    def _add_state(self, name: str, shape=()) -> Variable:
        """float64, so that long epochs lose nothing."""
        state = self.add_variable(shape, dtype="float64", name=name)
        self._states.append(state)
        return state

    def result_of(self, *states: np.ndarray):
        """The result for states [...] + shape, one result for each of the leading axes."""
        raise NotImplementedError(f"metric {type(self).__name__} must define result_of()")

    def result(self):
        """The result so far: a Python float, or an array where there are several; before the first batch it may be unknown."""
        if not self._states:
            return self._empty
        quick = self._quick_result()
        if quick is not None:
            return quick
        with np.errstate(all="ignore"):
            found = np.asarray(self.result_of(*[v.array() for v in self._states])).astype(self._result_dtype())
        return found if found.ndim else float(found)

    def _quick_result(self) -> float | None:
        """result() in Python floats where that is simple; None elsewhere."""
        return None

    def results_of(self, *states: np.ndarray) -> list:
        """What result() would be for each of several states [n] + shape."""
        with np.errstate(all="ignore"):
            found = np.asarray(self.result_of(*states)).astype(self._result_dtype())
        return found.tolist() if found.ndim == 1 else list(found)

    def _result_dtype(self) -> str:
        return self.dtype if np.dtype(self.dtype).kind == "f" else "float32"


def divide_no_nan(a, b) -> np.ndarray:
    """a / b, 0 where b is 0."""
    if np.ndim(a) == np.ndim(b) == 0:  # what a mean needs after every batch, where a callback looks at it
        return np.asarray(a / b if b else 0.0, np.float64)
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.divide(a, b, out=np.zeros_like(b), where=b != 0)
