"""compile(), metrics, and the programs of a model: one a mode and signature, traced when first needed."""

from __future__ import annotations

import threading

import numpy as np

from brisknet import config, losses, optimizers
from brisknet.graph.trace import current_graph
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.layers.layer import Layer
from brisknet.metrics import Mean
from brisknet.metrics.pending import Pending
from brisknet.random import draw_seed
from brisknet.runtime.eager import EagerProgram
from brisknet.runtime.program import collector_paused, compile_graph
from brisknet.training import data
from brisknet.training.compiled import (
    CompiledLosses, CompiledMetrics, check_loss_weights, check_metrics, is_nested, log_names, named_by_shape, unnested,
)  # fmt: skip
from brisknet.training.step import Signature, trace_step
from brisknet.training.storms import warn_of_storms
from brisknet.variables import Variable

__all__ = ["Compiling", "results"]


class Compiling:
    """The part of Trainer that knows what compile() was told."""

    run_eagerly = False
    loss = None
    steps_per_execution, jit_compile = 1, "auto"
    train_function = test_function = predict_function = None  # see make_train_function()
    # How the targets and weights that fit was given are put together, where the model's own steps take any form.
    _target_structures = (0, 0)
    _target_form = None

    def __init__(self):
        object.__setattr__(self, "_step_counter", Variable(np.zeros((), np.int64), trainable=False, name="step"))
        self._shuffle_key = draw_seed()
        self._epochs_begun = 0
        self.stop_training = False
        self._renew()

    def _renew(self) -> None:
        """What no copy of a model takes along: nothing compiled, a lock of its own."""
        self._reset_compiled()
        object.__setattr__(self, "_lock", threading.RLock())

    def _reset_compiled(self) -> None:
        object.__setattr__(self, "optimizer", None)
        # {mode: [(name, what its value is read from)]} as the latest traced step returned them, and values it computed.
        object.__setattr__(self, "_step_logs", {})
        object.__setattr__(self, "_log_values", {})
        self.compiled = False
        for mode in ("train", "test", "predict"):
            object.__setattr__(self, f"{mode}_function", None)
        self._compile_args = None
        self._losses_of_outputs = self._metrics = None
        self._loss_tracker = Mean("loss")
        self._forget_programs()

    def _forget_programs(self) -> None:
        object.__setattr__(self, "_programs", {})
        object.__setattr__(self, "_short", {})  # steps on single batches, by batch_key()
        object.__setattr__(self, "_id_bounds", None)
        object.__setattr__(self, "_step_logs", {})
        object.__setattr__(self, "_fast", None)

    # ---- compile ------------------------------------------------------------------------------------------------
    def compile(
        self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
        run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True,
    ):  # fmt: skip
        """Set optimizer, losses and metrics, by name or as objects; lists or dicts for several outputs.

        run_eagerly runs the Python of every step anew, each op at once through NumPy: prints, breakpoints and decisions
        by values work in call(), losses and metrics. steps_per_execution, jit_compile and auto_scale_loss are accepted
        for Keras' sake: steps are compiled otherwise, and as many run at once as Python allows.
        """
        optimizer = optimizers.get(optimizer)
        data.check_count(steps_per_execution, "steps_per_execution")
        for item in flatten(loss) if loss is not None else []:
            if not named_by_shape(item):
                losses.get(item)
        check_loss_weights(loss_weights)
        check_metrics(metrics, "metrics")
        check_metrics(weighted_metrics, "weighted_metrics")
        args = {
            "loss": loss, "loss_weights": loss_weights, "metrics": metrics, "weighted_metrics": weighted_metrics
        }  # fmt: skip
        made = None
        if self.built and getattr(self, "output_names", None):
            made = self._make_compiled(args, self._names_of_outputs())
        # From here on nothing fails: a bad call leaves the model as it was.
        self._reset_compiled()
        object.__setattr__(self, "optimizer", optimizer)
        self.run_eagerly = run_eagerly
        object.__setattr__(self, "loss", loss)
        self.steps_per_execution, self.jit_compile = steps_per_execution, jit_compile
        self._compile_args = args
        self.compiled = True
        if made is not None:
            self._losses_of_outputs, self._metrics = made

    def _make_compiled(self, args, names):
        struct = self._output_structure()
        loss, loss_weights, metrics, weighted = (
            unnested(args[k], struct, k) for k in ("loss", "loss_weights", "metrics", "weighted_metrics")
        )
        keyed = isinstance(struct, dict)
        return (
            CompiledLosses(loss, loss_weights, names, keyed, log_names(struct, names)),
            CompiledMetrics(metrics, weighted, names),
        )

    def _build_compiled(self, names) -> None:
        self._losses_of_outputs, self._metrics = self._make_compiled(self._compile_args, names)

    def _need_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"model {self.name!r} must be compiled before {method}(): call model.compile(...) first")

    def __setattr__(self, name, value):
        if name == "optimizer":
            object.__setattr__(self, name, value)
        elif name == "run_eagerly":
            object.__setattr__(self, name, bool(value))
            self._forget_programs()
        else:
            Layer.__setattr__(self, name, value)

    @property
    def metrics(self) -> list:
        """The loss tracker, the metrics of compile(), then those that the model and its layers keep in attributes."""
        made = [self._loss_tracker] if self.compiled else []
        if self.compiled and self._losses_of_outputs is not None:
            made += self._losses_of_outputs.trackers
            made += [m for _, m in self._metrics.named()] if self._metrics else []
        for layer in self._walk():  # a model inside has a training of its own
            if layer is self or not isinstance(layer, Compiling):
                made += layer.__dict__.get("_own_metrics", ())
        return made

    @property
    def metrics_variables(self) -> list:
        """The states of all metrics."""
        return [v for m in self.metrics for v in m.variables]

    @property
    def metrics_names(self) -> list[str]:
        return [n for n, _ in self._named_metrics()]

    def _named_metrics(self, mode=None) -> list:
        """(name in the logs, metric) of all metrics; with a mode, what the logs of its steps are read from."""
        logged = self._step_logs.get(mode)
        if logged is not None:
            return logged
        names = {id(m): n for n, m in self._metrics.named()} if self._metrics is not None else {}
        return [(names.get(id(m), m.name), m) for m in self.metrics]

    def reset_metrics(self) -> None:
        """All metrics back to the start."""
        for m in self.metrics:
            m.reset_state()

    def get_metrics_result(self) -> dict:
        """The results of all metrics, {name: scalar}; those of a metric that has several stand side by side."""
        if current_graph() is not None:
            return {n: Pending(m) for n, m in self._named_metrics()}
        return results(self._named_metrics())

    def _logs(self, mode="train") -> dict:
        """The logs of the latest step of this mode, by name."""
        return dict(sorted(results(self._named_metrics(mode)).items()))

    # ---- programs -----------------------------------------------------------------------------------------------
    def _program(self, mode: str, sig: Signature):
        """The program of a step, from the cache where it was traced before under the same settings."""
        if self.run_eagerly:
            if mode == "train" and self.optimizer.full_batch:
                raise ValueError(f"{type(self.optimizer).__name__} needs traced steps: compile without run_eagerly")
            structures = self._structures(sig)
            return EagerProgram(lambda graph: trace_step(self, mode, sig, structures, graph), sig.given)
        frozen = tuple(v.id for v in self.trainable_weights) if mode == "train" else ()
        schedule = self.optimizer._generation if mode == "train" else 0
        key = (mode, sig, config.generation, frozen, schedule, self._trainable_pattern(), self._target_form)
        program = self._programs.get(key)
        if program is None or not _holds(program):
            warn_of_storms(self, mode, sig)
            with collector_paused():
                program = compile_graph(trace_step(self, mode, sig, self._structures(sig)))
            if mode == "train":
                program = self.optimizer.wrap(program)
            while len(self._programs) >= 64:  # shapes come and go (variable-length predict): keep the latest
                self._programs.pop(next(iter(self._programs)))
            self._programs[key] = program
        return program

    def _trainable_pattern(self) -> tuple:
        return tuple(layer._trainable for layer in self._walk())

    def _structures(self, sig) -> tuple:
        """How the flat inputs, targets and weights of a batch are put together for train_step() and the like."""
        if self._own_step:
            targets, weights = self._target_structures
        else:
            targets = weights = self._structure_of_targets(max(len(sig.y), len(sig.weights)))
        return self._input_structure(len(sig.x)), targets, weights

    def _structure_of_targets(self, n: int):
        """A number for one target, else a list, or a dict where the outputs are one."""
        if n < 2:
            return 0
        names, struct = self._losses_of_outputs.names, self._output_structure()
        if is_nested(struct):
            return map_structure(lambda _: 0, struct)
        return {name: 0 for name in names} if isinstance(struct, dict) else [0] * n

    def _input_structure(self, n: int):
        struct = self._input_shape_structure()
        if struct is not None and len(flatten(struct)) == n:
            return map_structure(lambda _: 0, struct)
        return 0 if n == 1 else [0] * n

    # ---- state --------------------------------------------------------------------------------------------------
    def _compiled_state(self):
        if not self.compiled:
            return None
        opt = self.optimizer
        return {
            "optimizer": optimizers.serialize(opt),
            "args": self._compile_args,
            "optimizer_built": opt.built,
            "optimizer_state": opt.get_state(),
            "run_eagerly": self.run_eagerly,
        }

    def _restore_compiled(self, state) -> None:
        if state is None:
            return
        optimizer = optimizers.deserialize(state["optimizer"])
        self.compile(optimizer, **state["args"], run_eagerly=state["run_eagerly"])
        if state["optimizer_built"]:
            optimizer.build(self.trainable_weights)
        for v, value in zip(optimizer.variables, state["optimizer_state"], strict=True):
            v.assign(value)


def _holds(program) -> bool:
    """Whether the optimizers that a step uses still are as they were when it was traced."""
    return all(getattr(thing, name) == value for thing, name, value in program.graph.settings)


def results(named) -> dict:
    """{name: number or array} of (name, metric) pairs; a metric whose result is a dict stands there by its own names."""
    found = {}
    for name, metric in named:
        value = metric.result()
        found.update({k: _plain(v) for k, v in value.items()} if isinstance(value, dict) else {name: _plain(value)})
    return found


def _plain(value):
    """A metric's result as a Python number where it is one number (a custom metric may give a variable or an array)."""
    if isinstance(value, (float, dict)):
        return value
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array
