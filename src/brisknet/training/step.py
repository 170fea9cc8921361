"""Tracing one whole step of a model: forward, loss, penalties, gradients, update, metrics, as one compute graph."""

from __future__ import annotations

from brisknet.graph.ir import Graph
from brisknet.graph.trace import Trace
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.layers.layer import calling
from brisknet.ops.metric import count_step
from brisknet.passes.autodiff import gradients

__all__ = ["Signature", "trace_step"]


class Signature:
    """Static description of one batch: (shape, dtype) of inputs, targets (None: not given) and weights."""

    __slots__ = ("x", "y", "weights", "_key")

    def __init__(self, x, y=(), weights=()):
        self.x, self.y, self.weights = tuple(x), tuple(y), tuple(weights)
        self._key = (self.x, self.y, self.weights)

    def __eq__(self, other):
        return self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def with_rows(self, rows: int) -> Signature:
        """The same batch with another number of rows."""

        def resize(specs):
            return tuple(None if s is None else ((rows, *s[0][1:]), s[1]) for s in specs)

        return Signature(resize(self.x), resize(self.y), resize(self.weights))


def trace_step(model, mode: str, sig: Signature, structure) -> Graph:
    """The graph of one "train", "test" or "predict" step. `structure` shapes the flat inputs as the model wants them.

    Inputs of the graph, in order: x..., then the targets given, then the weights given.
    """
    with Trace() as graph, calling(training=mode == "train", model=model):
        xs = [graph.add_input(s, d, f"x{i}") for i, (s, d) in enumerate(sig.x)]
        ys = [None if s is None else graph.add_input(s[0], s[1], f"y{i}") for i, s in enumerate(sig.y)]
        ws = [None if s is None else graph.add_input(s[0], s[1], f"w{i}") for i, s in enumerate(sig.weights)]
        if mode == "train":  # read before anything is assigned
            trained = [v for v in model.trainable_weights]
            reads = [graph.read(v) for v in trained]
        model._clear_losses()
        y_pred = model(_pack(xs, structure), training=mode == "train")
        preds = flatten(y_pred)
        if mode == "predict":
            graph.outputs = preds
            model._clear_losses()
            return graph
        rows = sig.x[0][0][0]
        total = _total_loss(model, ys, preds, ws, rows)
        if mode == "train":
            grads = gradients(total, reads)
            model.optimizer.apply(grads, trained)
            graph.updates[model._step_counter] = count_step(graph.read(model._step_counter), 1)
        model._loss_tracker.update_state(total, float(rows))
        model._metrics.update(ys, preds, ws)
        model._clear_losses()
    return graph


def _total_loss(model, ys, preds, weights, rows):
    total = model._losses_of_outputs(ys, preds, weights, rows)
    for penalty in model.losses:
        total = penalty if total is None else total + penalty
    if total is None:
        raise ValueError(
            f"model {model.name!r} has nothing to minimise: give compile() a loss, or add penalties with add_loss()"
        )
    return total


def _pack(values, structure):
    todo = list(values)
    return map_structure(lambda _: todo.pop(0), structure)
