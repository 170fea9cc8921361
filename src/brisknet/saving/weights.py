"""Weights in files: NumPy's .npz, or Keras' .weights.h5 where h5py is installed. Both hold the same arrays by the same names.

The names are those of Keras' .weights.h5: where a weight is in the model, by attributes and classes ("layers/dense_1/vars/0",
"encoder/blocks/dense/vars/1"), never the names of layers, which are numbered anew in every process.
"""

from __future__ import annotations

import os
import warnings

import numpy as np

from brisknet.saving.arrays import CONFIG, check_name, read_arrays, write_arrays
from brisknet.utils.naming import to_snake_case
from brisknet.variables import Variable

__all__ = ["load_weights", "model_arrays", "need_built", "save_weights", "set_arrays", "weight_groups"]


# ---- names --------------------------------------------------------------------------------------------------------------
def weight_groups(model) -> dict:
    """{place: (layer, its own weights)} of the model and all inside, then of its optimizer."""
    groups: dict[str, tuple] = {}
    _visit(model, "", groups, set())
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and optimizer.built:
        groups["optimizer"] = (optimizer, optimizer.variables)
    return groups


def _visit(layer, path: str, groups: dict, seen: set) -> None:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    own = [v for v in layer._own if v.born_trainable] + [v for v in layer._own if not v.born_trainable]
    if own:
        groups[path] = (layer, own)
    for name, value in _attributes(layer):
        _visit_value(value, f"{path}/{name}" if path else name, groups, seen)


def _attributes(layer):
    """(name, value) of what may hold layers, in Keras' order: public names first, "layers" foremost where a graph is."""
    from brisknet.models.model import Model

    found = {k: v for k, v in vars(layer).items() if k not in _NOT_PARTS}
    if isinstance(layer, Model):
        if layer._has_graph():
            yield "layers", layer.layers
        else:
            found["layers"] = layer.layers
    for name in sorted(found, key=lambda n: f"~{n}" if n.startswith("_") else n):
        yield name, found[name]
    yield "layers", layer._layers  # those that no attribute holds


_NOT_PARTS = frozenset({"_own", "_layers", "_stack", "_functional", "_nodes", "_inbound_nodes", "_given", "optimizer"})


def _visit_value(value, path: str, groups: dict, seen: set) -> None:
    from brisknet.layers.layer import Layer

    if isinstance(value, Layer):
        return _visit(value, path, groups, seen)
    if not isinstance(value, (list, tuple, dict)):
        return
    used: dict[str, int] = {}
    for item in value.values() if isinstance(value, dict) else value:
        kind = to_snake_case(type(item).__name__) if isinstance(item, Layer) else "container"
        if not isinstance(item, (Layer, list, tuple, dict)):
            continue
        used[kind] = used.get(kind, -1) + 1
        _visit_value(item, f"{path}/{kind}_{used[kind]}" if used[kind] else f"{path}/{kind}", groups, seen)


def _key(place: str, i: int) -> str:
    return f"{place}/vars/{i}" if place else f"vars/{i}"


# ---- models -------------------------------------------------------------------------------------------------------------
def model_arrays(model) -> dict[str, np.ndarray]:
    """All weights of a model and the state of its optimizer by name."""
    return {_key(place, i): v.numpy() for place, (_, own) in weight_groups(model).items() for i, v in enumerate(own)}


def save_weights(model, filepath, overwrite: bool = True) -> None:
    """Write all weights of a model, and its optimizer's state, into a .npz (or .weights.h5) file.

    The file appears whole or not at all. ValueError for a model that is not built yet.
    """
    check_name(filepath)
    need_built(model, "save_weights")
    write_arrays(filepath, model_arrays(model), overwrite)


def load_weights(model, filepath, skip_mismatch: bool = False) -> None:
    """Set the weights of a model from a file that save_weights() wrote (or Keras, where it is .weights.h5).

    Weights are found by their place in the model. ValueError, before anything is changed, where a layer's weights are
    missing or have other shapes; with skip_mismatch=True such layers stay as they are, with a warning. The state of the
    optimizer is set where the file has it and the optimizer is built and fits.
    """
    check_name(filepath)
    need_built(model, "load_weights")
    arrays = read_arrays(filepath)
    arrays.pop(CONFIG, None)  # a whole model's file has weights too
    set_arrays(model, arrays, os.fspath(filepath), skip_mismatch)


def set_arrays(model, arrays: dict, source: str, skip_mismatch: bool = False) -> None:
    """load_weights() for arrays in memory; `source` is how errors name them."""
    groups = weight_groups(model)
    optimizer = groups.pop("optimizer", None)
    todo, wrong = [], []
    for place, (layer, own) in groups.items():
        problem = _mismatch(place, layer, own, arrays)
        if problem:
            wrong.append(problem)
        else:
            todo += [(v, arrays[_key(place, i)]) for i, v in enumerate(own)]
    known = set(groups) | {"optimizer"}
    extra = sorted({name.rpartition("vars/")[0].rstrip("/") for name in arrays} - known)
    if extra:
        wrong.append(f"the file has weights of {', '.join(map(repr, extra))}, which the model has not")
    if wrong:
        text = f"{len(wrong)} part(s) of {source!r} do not fit model {model.name!r}: " + "; ".join(wrong[:8])
        if not skip_mismatch:
            raise ValueError(f"{text}. Build the same model, or give skip_mismatch=True to leave such layers as they are")
        warnings.warn(text, stacklevel=4)
    for v, array in todo:
        v.assign(array)
    if optimizer is not None and "optimizer/vars/0" in arrays:
        _load_optimizer(*optimizer, arrays, source)


def _mismatch(place: str, layer, own: list[Variable], arrays: dict) -> str | None:
    """What is wrong with the arrays for one layer, or None."""
    given = [arrays.get(_key(place, i)) for i in range(len(own))]
    where = f"layer {layer.name!r}" + (f" (at {place!r})" if place else "")
    if all(a is None for a in given):
        return f"{where} finds no weights in the file"
    if None in map(lambda a: a if a is None else 0, given) or _key(place, len(own)) in arrays:
        n = sum(name.startswith(f"{place}/vars/" if place else "vars/") for name in arrays)
        return f"{where} has {len(own)} weights, the file {n}"
    for v, a in zip(own, given, strict=True):
        if a.shape != v.shape:
            return f"{where}: weight {v.name!r} has shape {v.shape}, in the file {a.shape}"
        if a.dtype.kind not in "fiub":
            return f"{where}: weight {v.name!r} needs numbers, in the file it has dtype {a.dtype}"
    return None


def _load_optimizer(optimizer, own, arrays, source) -> None:
    given = [arrays.get(_key("optimizer", i)) for i in range(len(own))]
    count = sum(name.startswith("optimizer/vars/") for name in arrays)
    if count != len(own) or any(a.shape != v.shape for a, v in zip(given, own, strict=True)):
        warnings.warn(
            f"the state of optimizer {optimizer.name!r} ({len(own)} variables) was not loaded: {source!r} holds that of "
            f"another ({count} variables)", stacklevel=5,
        )  # fmt: skip
        return
    for v, a in zip(own, given, strict=True):
        v.assign(a)


def need_built(model, method: str) -> None:
    if not model.built:
        raise ValueError(
            f"model {model.name!r} is not built yet, so it has no weights: call it on data, or build(input_shape), before "
            f"{method}()"
        )
