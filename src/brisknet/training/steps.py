"""One step of training, evaluation or prediction: what a Model subclass overrides to have its own."""

from __future__ import annotations

import inspect
import warnings

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.graph.trace import current_graph
from brisknet.layers.call_context import untraced
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.metrics.metric import Metric
from brisknet.metrics.pending import Pending
from brisknet.ops.dispatch import cast
from brisknet.ops.metric import count_step
from brisknet.passes.autodiff import gradients
from brisknet.training.compiled import is_nested
from brisknet.training.sources.unpack import unpack_x_y_sample_weight
from brisknet.variables import Variable

__all__ = ["Steps"]


class Steps:
    """The part of Trainer that computes a step. Steps are traced once and run compiled, unless run_eagerly says otherwise."""

    # ---- what subclasses override ---------------------------------------------------------------------------------
    def train_step(self, data) -> dict:
        """One training step on a batch x, (x, y) or (x, y, sample_weight); returns the logs, {name: scalar}."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        graph = current_graph()
        before = {v: graph.read(v) for v in self.trainable_weights}  # before anything is assigned
        y_pred = self(x, training=True)
        loss = self._loss_of(x, y, y_pred, sample_weight, True)
        self._loss_tracker.update_state(loss, float(_rows(x)))
        self._update_weights(graph, loss, before)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data) -> dict:
        """One step of evaluation on such a batch; returns the logs."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        loss = self._loss_of(x, y, y_pred, sample_weight, False)
        self._loss_tracker.update_state(loss, float(_rows(x)))
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data):
        """The outputs for one batch."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The total loss, a scalar: that of compile(), and what layers have added.

        ValueError where there is neither.
        """
        total = None
        if self._compile_args is not None and self._compile_args["loss"] is not None:
            compiled = self._compiled_for(y_pred)[0]
            preds, n = flatten(y_pred), len(compiled.names)
            ys, weights = _per_output(y, compiled.names), _per_output(sample_weight, compiled.names)
            total = compiled(ys, preds[:n], weights, preds[0].shape[0])
        for penalty in self.losses:
            total = penalty if total is None else total + penalty
        if total is None:
            raise ValueError(
                f"model {self.name!r} has nothing to minimise: give compile() a loss, or add penalties with add_loss()"
            )
        return total

    def compute_metrics(self, x, y, y_pred, sample_weight=None) -> dict:
        """Update the metrics of compile() by a batch; returns the results of all metrics, {name: scalar}."""
        given = self._compile_args or {}
        if given.get("metrics") is not None or given.get("weighted_metrics") is not None:
            metrics = self._compiled_for(y_pred)[1]
            ys, preds = _per_output(y, metrics.names), flatten(y_pred)
            with untraced():
                metrics.build([None if t is None else t.shape for t in ys], [t.shape for t in preds])
            metrics.update(ys, preds, _per_output(sample_weight, metrics.names))
        return self.get_metrics_result()

    # ---- one step at a time ---------------------------------------------------------------------------------------
    def make_train_function(self, force=False):
        """A function iterator -> logs: one training step on the iterator's next batch x, (x, y) or (x, y, sample_weight).

        Kept as train_function until compile(); made anew with force=True. fit does not need it.
        """
        return self._step_function("train", force)

    def make_test_function(self, force=False):
        """As make_train_function(), for a step of evaluation; kept as test_function."""
        return self._step_function("test", force)

    def make_predict_function(self, force=False):
        """A function iterator -> outputs for the iterator's next batch; kept as predict_function."""
        return self._step_function("predict", force)

    def _step_function(self, mode: str, force: bool):
        name = f"{mode}_function"
        if force or getattr(self, name) is None:
            object.__setattr__(self, name, self._predict_next if mode == "predict" else self._next_step(mode))
        return getattr(self, name)

    def _next_step(self, mode: str):
        self._need_compiled(f"make_{mode}_function")
        step = self._step_on(mode)

        def one(iterator):
            step(next(iterator))
            return self._logs(mode)

        return one

    def _predict_next(self, iterator):
        return self.predict_on_batch(unpack_x_y_sample_weight(next(iterator))[0])

    # ---- their parts ------------------------------------------------------------------------------------------------
    def _loss_of(self, x, y, y_pred, sample_weight, training):
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if "training" in inspect.signature(self.compute_loss).parameters:  # later than the others in Keras
            arguments["training"] = training
        loss = self.compute_loss(**arguments)
        if not isinstance(loss, Tensor) or loss.shape not in ((), (1,)):
            raise ValueError(
                f"model {self.name!r}: compute_loss() must return a scalar computed by brisknet.ops from y, y_pred and "
                f"weights, got {loss!r}"
            )
        return loss.reshape(()) if loss.shape else loss

    def _update_weights(self, graph, loss, before) -> None:
        trained = self.trainable_weights
        if not trained:
            hint = "" if self.trainable or not self.weights else (
                " It is frozen: set trainable = True on it before its own steps, and False again before those of a model "
                "that holds it (what is trained is asked at every step, not at compile())."
            )  # fmt: skip
            warnings.warn(f"model {self.name!r} does not have any trainable weights.{hint}", stacklevel=2)
            return
        # Weights that the call has made itself (run_eagerly of a model that was not built) were read in it.
        grads = gradients(self.optimizer.scale_loss(loss), [before[v] if v in before else graph.read(v) for v in trained])
        self.optimizer.observe(loss)
        if any(g is None for g in grads):  # outputs without a loss are no oversight, of which apply() would warn
            if not self.optimizer.built:
                self.optimizer.build(trained)
            trained, grads = [v for v, g in zip(trained, grads, strict=True) if g is not None], [g for g in grads if g is not None]
        self.optimizer.apply(grads, trained)
        self._count_step(graph)

    def _count_step(self, graph) -> None:
        """Random draws depend on the number of the step, whoever's step it is."""
        if self._step_counter not in graph.updates:
            graph.updates[self._step_counter] = count_step(graph.read(self._step_counter), 1)

    def _name_metrics(self, y) -> None:
        """Make the metrics that shapes choose ("accuracy") before a step of a subclass's own asks for self.metrics."""
        metrics = self._metrics
        if metrics is None or metrics.built or not self._overrides("train_step", "test_step"):
            return
        ys = _per_output(y, metrics.names)
        if any(t is not None for t in ys):
            with untraced():
                preds = self._output_shapes()
                metrics.build([None if t is None else t.shape for t in ys], preds)

    def _compiled_for(self, y_pred):
        """(losses, metrics) of compile(); the outputs name them where the model has not done so already."""
        if self._losses_of_outputs is None:
            with untraced():
                self._build_compiled(self._names_of(map_structure(lambda _: 0, y_pred)))
        return self._losses_of_outputs, self._metrics

    # ---- what a traced step leaves behind ---------------------------------------------------------------------------
    def _remember_logs(self, mode: str, logs, graph) -> None:
        """Keep what the step's logs are read from: metrics, and variables that take the values the step computed."""
        if not isinstance(logs, dict):
            raise TypeError(
                f"{mode}_step() of model {self.name!r} must return a dict of logs, e.g. {{'loss': loss}}, got {logs!r}"
            )
        self._step_logs[mode] = [(str(k), self._log_source(f"{mode}/{k}", v, graph)) for k, v in logs.items()]

    def _log_source(self, key: str, value, graph):
        if isinstance(value, (Pending, Metric)):
            return value.metric if isinstance(value, Pending) else value
        if not isinstance(value, Tensor):
            return LoggedValue(value)
        value = value if value.dtype == "float32" else cast(value, "float32")
        logged = self._log_values.get(key)
        if logged is None or logged.value.shape != value.shape:
            logged = self._log_values[key] = LoggedValue(
                Variable(np.zeros(value.shape), dtype="float32", trainable=False, name=key)
            )
        graph.updates[logged.value] = value
        return logged

    def _remember_outputs(self, outputs) -> None:
        """How predict_step() puts the outputs together, where it is a subclass's own."""
        if self._overrides("predict_step"):
            object.__setattr__(self, "_predict_structure", map_structure(lambda _: 0, outputs))

    def _overrides(self, *methods) -> bool:
        """True where a subclass has one of these methods of its own."""
        return any(getattr(type(self), name) is not getattr(Steps, name) for name in methods)

    @property
    def _own_step(self) -> bool:
        """Whether data may have any form: the steps are a subclass's own, and compile() was given no loss for y."""
        own = self._overrides("train_step", "test_step", "compute_loss")
        return own and (self._compile_args is None or self._compile_args["loss"] is None)


class LoggedValue:
    """A number that a step has computed for its logs."""

    def __init__(self, value):
        self.value = value

    def result(self):
        return self.value.numpy() if isinstance(self.value, Variable) else self.value


def _rows(x) -> int:
    return next(t for t in flatten(x) if t is not None).shape[0]


def _per_output(given, names) -> list:
    """One entry an output (None where there is none): of one value, a list in order, or a dict by output name."""
    if is_nested(given):
        return flatten(given)
    if isinstance(given, dict):
        if len(names) == 1 and names[0] not in given:
            return list(given.values())[:1]
        return [given.get(n) for n in names]
    if isinstance(given, (list, tuple)):
        return list(given) + [None] * (len(names) - len(given))
    return [given] + [None] * (len(names) - 1)
