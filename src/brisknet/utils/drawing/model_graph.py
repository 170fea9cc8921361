"""What a picture of a model shows: boxes with texts, models inside models, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from brisknet.layers.keras_tensor import KerasTensor, map_structure

__all__ = ["Box", "Edge", "ModelGraph", "Shown", "model_graph"]


@dataclass(frozen=True)
class Shown:
    """What the boxes show, as in Keras' plot_model."""

    shapes: bool = False
    dtype: bool = False
    layer_names: bool = False
    layer_activations: bool = False
    trainable: bool = False


@dataclass
class Box:
    """One layer: a title (name in bold, and class), a line for the activation, and a row of cells (text, colour)."""

    key: int
    title: tuple[str, str]
    activation: str | None = None
    cells: list[tuple[str, str, str]] = field(default_factory=list)  # (label, value, colour)
    inner: ModelGraph | None = None  # a model that is drawn as a frame around its own boxes


@dataclass(frozen=True)
class Edge:
    """From output number `out` of one box to input number `into` of another; the numbers matter for frames only."""

    source: int
    target: int
    out: int = 0
    into: int = 0


@dataclass
class ModelGraph:
    """Boxes, the edges between them, and at which box each input begins and each output ends."""

    name: str
    boxes: list[Box]
    edges: list[Edge]
    inputs: list[int]
    outputs: list[tuple[int, int]]  # (box, number of its output)


def model_graph(model, shown: Shown, expand_nested: bool = False) -> ModelGraph:
    """The boxes and edges of a model; a subclassed model is one box. ValueError for a model that is not built."""
    if not model.built:
        raise ValueError(
            f"plot_model: model {model.name!r} is not built yet: call build(), or the model on a batch of data, first"
        )
    if _is_stack(model):
        return _stack(model, shown, expand_nested)
    if not model._has_graph():
        return ModelGraph(model.name, [_box(model, shown, False)], [], [id(model)], [(id(model), 0)])
    nodes = {(id(n.layer), n.number): n for n in model._nodes}
    edges = []
    for node in nodes.values():
        for i, t in enumerate(node.inputs):
            source, _, out = t._keras_history
            edges.append(Edge(id(source), id(node.layer), out, i))
    boxes = [_box(layer, shown, expand_nested) for layer in model.layers]
    framed = {b.key for b in boxes if b.inner is not None}
    return ModelGraph(
        model.name, boxes, _unique(edges, framed), [id(t._keras_history[0]) for t in model.inputs],
        [(id(t._keras_history[0]), t._keras_history[2]) for t in model.outputs],
    )  # fmt: skip


def _is_stack(model) -> bool:
    from brisknet.models.sequential import Sequential

    return isinstance(model, Sequential)


def _stack(model, shown, expand_nested) -> ModelGraph:
    boxes = [_box(layer, shown, expand_nested) for layer in model.layers]
    keys = [b.key for b in boxes]
    return ModelGraph(model.name, boxes, [Edge(a, b) for a, b in zip(keys, keys[1:])], keys[:1], [(keys[-1], 0)])


def _unique(edges, framed) -> list[Edge]:
    """Each edge once: several calls of a shared layer look the same. Which output it is matters at frames only."""
    plain = [Edge(e.source, e.target, e.out if e.source in framed else 0, e.into if e.target in framed else 0) for e in edges]
    return list(dict.fromkeys(plain))


# ---- one box ----------------------------------------------------------------------------------------------------------
def _box(layer, shown: Shown, expand_nested: bool) -> Box:
    kind = type(layer).__name__
    if expand_nested and (_is_stack(layer) or getattr(layer, "_has_graph", bool)()):
        return Box(id(layer), (layer.name, kind), inner=model_graph(layer, shown, True))
    title = (layer.name, f"({kind})") if shown.layer_names else (kind, "")
    activation = getattr(layer, "activation", None) if shown.layer_activations else None
    return Box(id(layer), title, activation and _name_of(activation), _cells(layer, shown, kind))


def _cells(layer, shown: Shown, kind: str) -> list[tuple[str, str, str]]:
    cells = []
    if shown.shapes:
        if kind != "InputLayer":
            cells.append(("Input shape", _of_tensors(layer, "input", "shape"), "white"))
        cells.append(("Output shape", _of_tensors(layer, "output", "shape"), "white"))
    if shown.dtype:
        cells.append(("Output dtype", _of_tensors(layer, "output", "dtype"), "white"))
    if shown.trainable and layer.weights:
        cells.append(("", "Trainable", "forestgreen") if layer.trainable else ("", "Non-trainable", "firebrick"))
    return cells


def _of_tensors(layer, which: str, attribute: str) -> str:
    """Shapes or dtypes of the layer's symbolic input or output, in its structure; "?" where it has none."""
    try:
        structure = getattr(layer, which)
    except (AttributeError, ValueError):
        return "?"
    found = map_structure(lambda t: _Text(getattr(t, attribute)) if isinstance(t, KerasTensor) else t, structure)
    if isinstance(found, dict):
        return ", ".join(f"{k}: {v}" for k, v in found.items())
    return str(found)


class _Text:
    """A shape or dtype as a leaf, printed as itself inside lists and tuples."""

    def __init__(self, value):
        self.value = value

    def __repr__(self) -> str:
        return str(self.value)


def _name_of(activation) -> str:
    return getattr(activation, "name", None) or getattr(activation, "__name__", None) or str(activation)
