"""Token ids among what users feed: an error says where one is out of range, before a step runs."""

from __future__ import annotations

from brisknet.layers.core.embedding import Embedding
from brisknet.ops.embedding import check_ids, check_whole
from brisknet.training.step import Signature, trace_step

__all__ = ["check_token_ids", "id_bounds"]


def id_bounds(model, arrays) -> dict:
    """{input: entries of the smallest table that its ids go to}, found once in a trace of the model's call."""
    if model._id_bounds is None:  # forgotten with the model's programs
        object.__setattr__(model, "_id_bounds", _traced_bounds(model, arrays) if _embeds(model) else {})
    return model._id_bounds


def _embeds(model) -> bool:
    return not model.run_eagerly and any(isinstance(layer, Embedding) for layer in model._walk())


def _traced_bounds(model, arrays) -> dict:
    sig = Signature([((1, *a.shape[1:]), model._input_dtype(i, a)) for i, a in enumerate(arrays)])
    graph = trace_step(model, "call", sig, (model._input_structure(len(arrays)), 0, 0))
    bounds: dict = {}
    for node in graph.nodes:
        if node.op == "embedding":
            source = node.inputs[1]
            while source.node.op in ("cast", "reshape", "transpose", "slice"):
                source = source.node.inputs[0]
            if source.node.op == "input":
                entries, place = node.inputs[0].shape[0], source.node.attrs["position"]
                bounds[place] = min(bounds.get(place, entries), entries)
    return bounds


def check_token_ids(model, arrays, label_of) -> None:
    """ValueError that names position and vocabulary size for an id of these inputs that is out of range, or not whole."""
    for i, entries in id_bounds(model, arrays).items():
        ids = arrays[i]
        if ids.dtype.kind == "f":
            check_whole(ids, label_of(i))
        check_ids(ids, entries, label_of(i))
