"""Ops, and functions made of them, that were called on symbolic tensors, as layers."""

from __future__ import annotations

import numpy as np

from brisknet.layers.keras_tensor import KerasTensor
from brisknet.layers.layer import Layer
from brisknet.ops.dispatch import apply
from brisknet.utils.naming import auto_name
from brisknet.variables import Variable

__all__ = ["FunctionLayer", "MaskEnds", "OpLayer"]


class MaskEnds(Layer):
    """A call of an op hands no mask on, as in Keras, and is no layer of the user's to be warned about."""

    supports_masking = True

    def compute_mask(self, inputs, previous_mask=None):
        """None."""


class OpLayer(MaskEnds):
    """An op that was called on symbolic tensors, as a layer of the functional graph."""

    def __init__(self, op, inputs=(), attrs=None, name=None, **kwargs):
        super().__init__(name=name or auto_name(op), **kwargs)
        self.op, self.attrs = op, {k: _tuples(v) for k, v in (attrs or {}).items()}
        # An input that is no symbolic tensor is a constant; in a config: None, or {"value", "dtype"}.
        self._pattern = [None if x is None or isinstance(x, KerasTensor) else _constant(x) for x in inputs]
        self.built = True

    def call(self, *tensors):
        todo = list(tensors)
        inputs = [todo.pop(0) if fixed is None else fixed for fixed in self._pattern]
        return apply(self.op, inputs, **self._attrs_for(tensors))

    def _attrs_for(self, tensors):
        if self.op in ("reshape", "broadcast_to") and any(d is None for d in self.attrs["shape"]):
            return {**self.attrs, "shape": tuple(-1 if d is None else d for d in self.attrs["shape"])}
        return self.attrs

    def _call_on_history(self, inputs):
        return self(*[x for x in inputs if isinstance(x, KerasTensor)])

    def get_config(self):
        constants = [None if x is None else {"value": x.tolist(), "dtype": x.dtype.name} for x in self._pattern]
        return {"op": self.op, "inputs": constants, "attrs": self.attrs, "name": self.name}


def _constant(x):
    if isinstance(x, dict):
        return np.asarray(x["value"], x["dtype"])
    return np.asarray(x.value if isinstance(x, Variable) else x)


def _tuples(x):
    """Lists as tuples, at any depth: what a config in JSON has made of the attributes of an op."""
    return tuple(_tuples(v) for v in x) if isinstance(x, (list, tuple)) else x


class FunctionLayer(MaskEnds):
    """A function of brisknet.ops that was called on symbolic tensors, as a layer of the functional graph.

    args, kwargs   what it was called with; in a config tensors are {"tensor": number} and arrays {"value", "dtype"}
    """

    def __init__(self, function, args=(), kwargs=None, name=None, **options):
        super().__init__(name=name or auto_name(function), **options)
        self.function, tensors = function, []
        self._template = _encoded((list(args), kwargs or {}), tensors)
        self.built = True

    @staticmethod
    def tensors_in(args, kwargs) -> list:
        """The symbolic tensors among the arguments, in the order in which the layer takes them."""
        tensors: list = []
        _encoded((list(args), kwargs), tensors)
        return tensors

    def call(self, *tensors):
        from brisknet import ops

        if self.function not in ops.__all__:
            raise ValueError(f"layer {self.name!r}: brisknet.ops has no function {self.function!r}")
        args, kwargs = _decoded(self._template, tensors)
        return getattr(ops, self.function)(*args, **kwargs)

    def get_config(self):
        args, kwargs = self._template
        return {"function": self.function, "args": args, "kwargs": kwargs, "name": self.name}


def _encoded(x, tensors):
    if isinstance(x, KerasTensor):
        tensors.append(x)
        return {"tensor": len(tensors) - 1}
    if isinstance(x, (np.ndarray, Variable)):
        x = _constant(x)
        return {"value": x.tolist(), "dtype": x.dtype.name}
    if isinstance(x, (list, tuple)):
        return type(x)(_encoded(v, tensors) for v in x)
    if isinstance(x, slice):
        return {"slice": [x.start, x.stop, x.step]}
    if x is Ellipsis:
        return {"ellipsis": True}
    return {k: _encoded(v, tensors) for k, v in x.items()} if isinstance(x, dict) else x


def _decoded(x, tensors):
    if isinstance(x, dict) and set(x) == {"tensor"}:
        return tensors[x["tensor"]]
    if isinstance(x, dict) and set(x) == {"slice"}:
        return slice(*x["slice"])
    if isinstance(x, dict) and set(x) == {"ellipsis"}:
        return Ellipsis
    if isinstance(x, dict) and set(x) == {"value", "dtype"}:
        return _constant(x)
    if isinstance(x, (list, tuple)):
        return type(x)(_decoded(v, tensors) for v in x)
    return {k: _decoded(v, tensors) for k, v in x.items()} if isinstance(x, dict) else x
