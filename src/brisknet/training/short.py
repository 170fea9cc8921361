"""Steps on single batches, the short way: for one more batch like an earlier one, what was found out then still counts."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.layers.weights import Weights
from brisknet.training.compiling import Compiling
from brisknet.training.ids import id_bounds

__all__ = ["ShortStep", "batch_key", "short_step"]

_KNOWN_RANGE = frozenset(["f2", "f4", "f8", "i1", "i2", "i4", "u1", "u2", "b1"])  # dtypes of inputs whose values need no look
MOST = 64  # kinds of batches that are remembered


def batch_key(mode: str, x, y):
    """What two batches that one ShortStep serves have in common; None for a batch that must go the long way."""
    if type(x) is not np.ndarray or not (y is None or type(y) is np.ndarray):
        return None
    return (mode, x.shape, x.dtype, None if y is None else (y.shape, y.dtype))


def short_step(model, mode: str, x, y, program, logs: dict):
    """The short way of a step that has just run the long way; None where values have to be looked at every time."""
    standard = all(getattr(type(model), n) is getattr(Weights, n) for n in ("trainable_weights", "_walk"))
    if not standard or model.run_eagerly or x.dtype.str[1:] not in _KNOWN_RANGE or x.dtype.byteorder == ">":
        return None
    return None if id_bounds(model, [x]) else ShortStep(model, mode, y, program, logs)


class ShortStep:
    """The program of a step and what it was chosen by. It serves while nothing has changed that a step is traced from."""

    __slots__ = ("program", "mode", "logged", "named", "order", "dtypes", "parts", "kept", "settings", "looks", "metrics")

    def __init__(self, model, mode: str, y, program, logs: dict):
        self.program, self.mode = program, mode
        self.logged = model._step_logs.get(mode)
        self.named = model._named_metrics(mode)
        self.order = model._log_order(logs)
        self.dtypes = [t.dtype for t in program.graph.inputs]
        self.parts, self.kept = _parts(model)
        self.settings = self._settings(model)
        self.looks = self._look(model, y)
        # A model that has metrics of its own making, or another way to reset them, is asked for them every time.
        own = any(getattr(type(model), n) is not getattr(Compiling, n) for n in ("metrics", "reset_metrics"))
        self.metrics = None if own else model.metrics

    @staticmethod
    def _look(model, y) -> str:
        """What is to be looked at in the values of targets: "" nothing, "nan" that they are numbers, "all" for the losses to say."""
        if y is None or model._own_step or model._losses_of_outputs.losses[0] is None:
            return ""
        if model._losses_of_outputs.is_sparse(0) or model._losses_of_outputs.losses[0].targets == "other":
            return "all"
        return "nan" if y.dtype.kind == "f" else ""

    def _settings(self, model) -> tuple:
        return config.generation, model.optimizer, model.optimizer._generation, model._target_form

    def holds(self, model) -> bool:
        """Whether the model and its optimizers are as they were."""
        return (
            self.logged is model._step_logs.get(self.mode) and self.settings == self._settings(model)
            and self.parts == _parts(model)[0]
            and all(getattr(thing, name) == value for thing, name, value in self.program.graph.settings)
        )  # fmt: skip

    def run(self, model, x, y) -> None:
        """One step; ValueError, before anything is changed, for targets that the losses cannot take."""
        if self.looks == "all" or (self.looks == "nan" and np.isnan(y).any()):
            model._losses_of_outputs.check_targets([y], model._output_shapes())
        if self.metrics is None:
            model.reset_metrics()
        else:
            for metric in self.metrics:
                metric.reset_state()
        feeds = (x,) if y is None else (x, y)
        self.program.run([a.astype(d, copy=False) for a, d in zip(feeds, self.dtypes, strict=True)])


def _parts(model) -> tuple:
    """(what tells whether the layers, weights and metrics inside are the same, trained as before; the layers themselves)"""
    found, layers, seen, todo = [], [], set(), [model]
    while todo:
        layer = todo.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        layers.append(layer)
        inside = layer.__dict__
        found += id(layer), inside["_trainable"]
        for v in inside["_own"]:
            found += v.id, v.trainable
        found += map(id, inside.get("_own_metrics", ()))
        todo += inside["_layers"]
    return found, layers
