"""Tracing one whole step of a model: forward, loss, penalties, gradients, update, metrics, as one compute graph."""

from __future__ import annotations

from brisknet.graph.ir import Graph
from brisknet.graph.trace import Trace
from brisknet.layers.keras_tensor import flatten, map_structure
from brisknet.layers.layer import calling
from brisknet.training.sources.unpack import pack_x_y_sample_weight

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

    @property
    def given(self) -> list:
        """The (shape, dtype) of all arrays that a step is fed, in order."""
        return [s for s in (*self.x, *self.y, *self.weights) if s is not None]


def trace_step(model, mode: str, sig: Signature, structures, graph: Graph | None = None) -> Graph:
    """The graph of one step: "train", "test", "predict", or "call", which is model(x) without its predict_step().

    structures   how the flat (inputs, targets, weights) are put together for the model
    graph        the graph to record into, a new one by default

    Inputs of the graph, in order: x..., then the targets given, then the weights given. What a step of the model's own calls
    without `training` runs as in inference, as in Keras: the built-in steps say which of the two they mean.
    """
    with Trace(graph) as graph, calling(model=model):
        leaves = []
        for letter, specs in zip("xyw", (sig.x, sig.y, sig.weights), strict=True):
            leaves.append([None if s is None else graph.add_input(*s, f"{letter}{i}") for i, s in enumerate(specs)])
        x, y, weights = (_pack(values, struct) for values, struct in zip(leaves, structures, strict=True))
        model._clear_losses()
        if mode in ("predict", "call"):
            outputs = model.predict_step(pack_x_y_sample_weight(x)) if mode == "predict" else model(x, training=False)
            graph.outputs = flatten(outputs)
            if mode == "predict":
                model._remember_outputs(outputs)
        else:
            step = model.train_step if mode == "train" else model.test_step
            model._name_metrics(y)
            model._remember_logs(mode, step(pack_x_y_sample_weight(x, y, weights)), graph)
            if mode == "train":
                model._count_step(graph)
        model._clear_losses()
    return graph


def _pack(values, structure):
    """The leaves in their structure; None where all of them are missing."""
    todo = list(values)
    if all(v is None for v in todo):
        return None
    return map_structure(lambda _: todo.pop(0), structure)
