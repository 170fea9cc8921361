"""Keras' layer graph: symbolic tensors with an open batch size, and the nodes that calls of layers leave behind.

This is not the compute IR (graph/ir.py) and must not become it: here live names, config, summary and saving.
"""

from __future__ import annotations

import itertools

import numpy as np

from brisknet.ops import dispatch, tensor_methods

__all__ = ["CallNode", "KerasTensor", "flatten", "map_structure", "source_layers"]


def flatten(structure) -> list:
    """The leaves of nested lists, tuples and dicts (dicts by insertion order)."""
    if isinstance(structure, dict):
        return [leaf for v in structure.values() for leaf in flatten(v)]
    if isinstance(structure, (list, tuple)):
        return [leaf for v in structure for leaf in flatten(v)]
    return [structure]


def map_structure(fn, structure):
    """`structure` with fn applied to each leaf."""
    if isinstance(structure, dict):
        return {k: map_structure(fn, v) for k, v in structure.items()}
    if isinstance(structure, (list, tuple)):
        out = [map_structure(fn, v) for v in structure]
        return type(structure)(*out) if hasattr(structure, "_fields") else type(structure)(out)
    return fn(structure)


class KerasTensor:
    """A symbolic tensor: shape (None where open), dtype, name, and which call produced it."""

    _numbers = itertools.count()
    __array_priority__ = 1000

    def __init__(self, shape, dtype="float32", name=None, record_history=True):
        self.shape, self.dtype = tuple(shape), dtype
        self.name = name or f"keras_tensor_{next(self._numbers)}"
        self._keras_history = (None, 0, 0)  # (layer, call number, output index)
        self._keras_mask = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self):
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __bool__(self):
        raise TypeError("a symbolic KerasTensor has no truth value")

    def __array__(self, *args, **kwargs):
        raise ValueError(
            f"a symbolic KerasTensor (shape {self.shape}) can't be turned into an array: it has no values. Call the "
            "model on data, or use brisknet.ops instead of NumPy functions"
        )

    def __iter__(self):
        raise TypeError("a symbolic KerasTensor can't be iterated")

    def __getitem__(self, key):
        from brisknet.layers.getitem import GetItem
        from brisknet.ops.gather import get_item

        parts = tuple(np.asarray(k) if isinstance(k, list) else k for k in (key if isinstance(key, tuple) else (key,)))
        if any(isinstance(k, (np.ndarray, KerasTensor)) for k in parts):
            return get_item(self, parts)
        return GetItem(key)(self)


class CallNode:
    """One call of a layer: what went in and what came out."""

    def __init__(self, layer, args, kwargs, outputs):
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs
        self.inputs = [t for t in flatten([args, kwargs]) if isinstance(t, KerasTensor)]
        self.number = len(layer._inbound_nodes)
        layer._inbound_nodes.append(self)
        for i, t in enumerate(flatten(outputs)):
            t._keras_history = (layer, self.number, i)


def source_layers(tensor: KerasTensor):
    """The call that produced a tensor."""
    layer, number, _ = tensor._keras_history
    if layer is None:
        raise ValueError(f"{tensor} was not made by brisknet.Input or by a layer call")
    return layer._inbound_nodes[number]


def _op_call(op, inputs, attrs):
    """An op called on KerasTensors becomes a node of the layer graph."""
    from brisknet.layers.core import OpLayer

    return OpLayer(op, inputs, attrs)._call_on_history(inputs)


def _function_call(name, args, kwargs):
    """A composite of ops called on KerasTensors becomes a node of the layer graph too."""
    from brisknet.layers.core import FunctionLayer

    layer = FunctionLayer(name, args, kwargs)
    return layer(*layer.tensors_in(args, kwargs))


dispatch._layer_graph.append((KerasTensor, _op_call, _function_call))


tensor_methods.install(KerasTensor)
