"""compile(), metrics, and the programs of a model: one a mode and signature, traced when first needed."""

from __future__ import annotations

import threading

import numpy as np

from brisknet import config, losses, optimizers
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.layers.layer import Layer
from brisknet.metrics.metric import Mean
from brisknet.random import draw_seed
from brisknet.runtime.program import collector_paused, compile_graph, optimize
from brisknet.runtime.reference import ReferenceProgram
from brisknet.training import data
from brisknet.training.compiled import CompiledLosses, CompiledMetrics, check_loss_weights, check_metrics
from brisknet.training.step import Signature, trace_step
from brisknet.variables import Variable

__all__ = ["Compiling"]


class Compiling:
    """The part of Trainer that knows what compile() was told."""

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
        self.compiled = False
        self._compile_args = None
        self._losses_of_outputs = self._metrics = None
        self._loss_tracker = Mean("loss")
        self._forget_programs()

    def _forget_programs(self) -> None:
        object.__setattr__(self, "_programs", {})
        object.__setattr__(self, "_fast", None)

    # ---- compile ------------------------------------------------------------------------------------------------
    def compile(
        self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
        run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True,
    ):  # fmt: skip
        """Set optimizer, losses and metrics, by name or as objects; lists or dicts for several outputs.

        run_eagerly runs every step on the reference executor. steps_per_execution, jit_compile and auto_scale_loss
        are accepted for Keras' sake: steps are always compiled, and as many run at once as Python allows.
        """
        optimizer = optimizers.get(optimizer)
        data.check_count(steps_per_execution, "steps_per_execution")
        for item in flatten(loss) if loss is not None else []:
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
        self.run_eagerly = bool(run_eagerly)
        object.__setattr__(self, "loss", loss)
        self.steps_per_execution, self.jit_compile = steps_per_execution, jit_compile
        self._compile_args = args
        self.compiled = True
        if made is not None:
            self._losses_of_outputs, self._metrics = made

    def _make_compiled(self, args, names):
        keyed = isinstance(self._output_structure(), dict)
        return (
            CompiledLosses(args["loss"], args["loss_weights"], names, keyed),
            CompiledMetrics(args["metrics"], args["weighted_metrics"], names),
        )

    def _build_compiled(self, names) -> None:
        self._losses_of_outputs, self._metrics = self._make_compiled(self._compile_args, names)

    def _need_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(f"model {self.name!r} must be compiled before {method}(): call model.compile(...) first")

    def __setattr__(self, name, value):
        if name == "optimizer":
            object.__setattr__(self, name, value)
        else:
            Layer.__setattr__(self, name, value)

    @property
    def metrics(self) -> list:
        """The loss tracker and all metrics of compile()."""
        made = [self._loss_tracker]
        if self._losses_of_outputs is not None:
            made += self._losses_of_outputs.trackers
        return made + ([m for _, m in self._metrics.named()] if self._metrics else [])

    @property
    def metrics_names(self) -> list[str]:
        return [n for n, _ in self._named_metrics()]

    def _named_metrics(self):
        named = [("loss", self._loss_tracker)]
        if self._losses_of_outputs is None:  # compiled, but not built yet
            return named
        named += [(t.name, t) for t in self._losses_of_outputs.trackers]
        return named + self._metrics.named()

    def reset_metrics(self) -> None:
        """All metrics back to the start."""
        for m in self.metrics:
            m.reset_state()

    def get_metrics_result(self) -> dict:
        """The loss and all metrics, as they are now."""
        return self._logs()

    def _logs(self, prefix="") -> dict:
        named = sorted(self._named_metrics(), key=lambda pair: pair[0])
        return {prefix + n: _plain(m.result()) for n, m in named}

    # ---- programs -----------------------------------------------------------------------------------------------
    def _program(self, mode: str, sig: Signature):
        """The program of a step, from the cache where it was traced before under the same settings."""
        frozen = tuple(v.id for v in self.trainable_weights) if mode == "train" else ()
        eager = mode != "predict" and getattr(self, "run_eagerly", False)
        key = (mode, sig, config.generation, frozen, self._trainable_pattern())
        program = self._programs.get(key)
        if program is None:
            if self._metrics is not None and mode != "predict" and not self._metrics.built:
                self._metrics.build([s and s[0] for s in sig.y], self._output_shapes())
            with collector_paused():
                graph = trace_step(self, mode, sig, self._input_structure(len(sig.x)))
                program = ReferenceProgram(optimize(graph)) if eager else compile_graph(graph)
            while len(self._programs) >= 64:  # shapes come and go (variable-length predict): keep the latest
                self._programs.pop(next(iter(self._programs)))
            self._programs[key] = program
        return program

    def _trainable_pattern(self) -> tuple:
        return tuple(layer._trainable for layer in self._walk())

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


def _plain(value):
    """A metric's result as a Python number where it is one number (a custom metric may give a variable or an array)."""
    if isinstance(value, (float, dict)):
        return value
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else array
