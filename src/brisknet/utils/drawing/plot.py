"""plot_model and model_to_dot: the layers of a model as a picture."""

from __future__ import annotations

import os
import sys

from brisknet.utils.drawing.dot import Dot, draw_dot
from brisknet.utils.drawing.model_graph import ModelGraph, Shown, model_graph
from brisknet.utils.drawing.svg import draw_svg

__all__ = ["model_to_dot", "plot_model"]

_DIRECTIONS = ("TB", "BT", "LR", "RL")
_SPLINES = ("ortho", "curved", "polyline", "spline", "line")


def model_to_dot(
    model, show_shapes=False, show_dtype=False, show_layer_names=True, rankdir="TB", expand_nested=False, dpi=200,
    subgraph=False, show_layer_activations=False, show_trainable=False, splines="ortho", **kwargs,
) -> Dot:  # fmt: skip
    """The model in graphviz' language: a string that also has pydot's to_string() and write(path, format=...).

    Arguments as in plot_model; subgraph=True gives a cluster to be put into another graph. ValueError for a model that is
    not built.
    """
    graph = _graph(model, rankdir, splines, expand_nested, kwargs, show_shapes, show_dtype, show_layer_names,
                   show_layer_activations, show_trainable)  # fmt: skip
    return draw_dot(graph, rankdir, dpi, splines, subgraph)


def plot_model(
    model, to_file="model.png", show_shapes=False, show_dtype=False, show_layer_names=False, rankdir="TB",
    expand_nested=False, dpi=200, show_layer_activations=False, show_trainable=False, splines="ortho", **kwargs,
):  # fmt: skip
    """Write a picture of the model's layers; in a notebook it is returned as well, to be shown.

    to_file                 a path in .svg is written as it is, without any other program; .dot is the text for graphviz;
                            all other formats (.png, .pdf, ...) are drawn by graphviz, where that is installed
    show_shapes             shapes of inputs and outputs
    show_dtype              dtypes of outputs
    show_layer_names        names of the layers, not only their classes
    rankdir                 where the picture flows to: "TB" (down), "LR" (to the right), "BT" or "RL"
    expand_nested           models inside the model as frames around their layers
    dpi                     resolution of what graphviz draws
    show_layer_activations  activations of layers that have one
    show_trainable          whether the weights of a layer are trained
    splines                 how edges run: "ortho", "curved", "spline", "polyline" or "line"

    A subclassed model is one box, as in Keras. ValueError for a model that is not built and for other arguments;
    ImportError where graphviz is needed and not installed.
    """
    if not isinstance(to_file, (str, os.PathLike)):
        raise TypeError(f"plot_model: to_file must be a path, got {to_file!r}")
    path = os.fspath(to_file)
    extension = os.path.splitext(path)[1][1:].lower() or "png"
    graph = _graph(model, rankdir, splines, expand_nested, kwargs, show_shapes, show_dtype, show_layer_names,
                   show_layer_activations, show_trainable)  # fmt: skip
    if extension == "svg":
        text = draw_svg(graph, rankdir, splines)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        draw_dot(graph, rankdir, dpi, splines).write(path, extension)
    return _shown(path, extension)


def _graph(model, rankdir, splines, expand_nested, kwargs, shapes, dtype, names, activations, trainable) -> ModelGraph:
    from brisknet.models.model import Model

    if not isinstance(model, Model):
        raise TypeError(f"plot_model: a model expected, got {model!r}")
    if kwargs.pop("layer_range", None) is not None:
        raise ValueError("plot_model: the argument layer_range is no longer supported (as in Keras)")
    if kwargs:
        raise ValueError(f"plot_model: unknown argument(s) {sorted(kwargs)}")
    for name, value, known in (("rankdir", rankdir, _DIRECTIONS), ("splines", splines, _SPLINES)):
        if value not in known:
            raise ValueError(f"plot_model: {name} must be one of {', '.join(known)}, got {value!r}")
    return model_graph(model, Shown(shapes, dtype, names, activations, trainable), expand_nested)


def _shown(path: str, extension: str):
    """What a notebook displays; None outside of one."""
    if "IPython" not in sys.modules or extension not in ("svg", "png", "jpg", "jpeg", "gif"):
        return None
    from IPython import display

    return (display.SVG if extension == "svg" else display.Image)(filename=path)
