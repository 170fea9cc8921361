"""What a call passes down to the layers inside it, and what must happen outside any trace."""

from __future__ import annotations

import contextlib
import threading

from brisknet.graph import trace
from brisknet.graph.trace import current_graph

__all__ = ["call_context", "calling", "kept_values", "owning", "undone_on_error", "untraced", "weight_path"]

_context = threading.local()


class _CallContext:
    """What a call passes down to the layers inside it. `decoding` is the state of a step of generation, else None."""

    def __init__(self, training=None, model=None, decoding=None):
        self.training, self.model, self.decoding = training, model, decoding


def call_context() -> _CallContext | None:
    """The context of the outermost call under way in this thread."""
    return getattr(_context, "current", None)


@contextlib.contextmanager
def calling(training=None, model=None, decoding=None):
    """Enter a call; inner calls inherit what they are not told."""
    outer = call_context()
    if decoding is None and outer is not None:
        decoding = outer.decoding
    if training is None and outer is not None:
        training = outer.training
    if model is None and outer is not None:
        model = outer.model
    _context.current = _CallContext(training, model, decoding)
    try:
        yield _context.current
    finally:
        _context.current = outer


@contextlib.contextmanager
def owning(layer):
    """Within: the name of `layer` stands in the paths of the weights that are made, after those of the layers around it."""
    outer = getattr(_context, "owners", ())
    _context.owners = outer if outer and outer[-1] is layer else (*outer, layer)
    try:
        yield
    finally:
        _context.owners = outer


def weight_path(layer, name: str) -> str:
    """The path of a weight of `layer` that is made now: "model/block/dense/kernel", as in Keras."""
    owners = getattr(_context, "owners", ())
    if not owners or owners[-1] is not layer:
        owners = (*owners, layer)
    return "/".join([*(owner.name for owner in owners), name])


@contextlib.contextmanager
def undone_on_error(layers):
    """Within: calls that may build `layers`. Where one fails, weights and calls that the block has made are taken back."""
    inside = {id(x): x for layer in layers for x in layer._walk()}.values()
    before = [(x, x.built, list(x._own), list(x._inbound_nodes), getattr(x, "_build_shape", None)) for x in inside]
    try:
        yield
    except BaseException:
        for layer, built, own, nodes, shape in before:
            layer.built, layer._own[:], layer._inbound_nodes[:] = built, own, nodes
            layer._build_shape = shape
        raise


@contextlib.contextmanager
def untraced():
    saved = current_graph()
    trace._state.graph = None
    try:
        yield
    finally:
        trace._state.graph = saved


@contextlib.contextmanager
def kept_values(variables):
    """Within: assignments that the variables forget at the end; while a step is traced, that its graph forgets."""
    graph = current_graph()
    before = dict(graph.updates) if graph is not None else [v.numpy() for v in variables]
    try:
        yield
    finally:
        if graph is not None:
            graph.updates = before
        else:
            for v, value in zip(variables, before, strict=True):
                v.assign(value)
