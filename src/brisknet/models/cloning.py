"""clone_model: the same layers and calls, with new weights."""

from __future__ import annotations

from brisknet.layers.core import Input, InputLayer
from brisknet.layers.keras_tensor import KerasTensor, flatten, map_structure
from brisknet.models.functional import Functional
from brisknet.models.model import Model
from brisknet.models.sequential import Sequential

__all__ = ["clone_model"]


def clone_model(model, input_tensors=None, clone_function=None, call_function=None, recursive=False):
    """A model of the same configuration with newly initialised weights, compiled in the same way.

    input_tensors    symbolic tensors to build the new model on, in the structure of model.input
    clone_function   layer -> layer, called for every layer but the inputs, where more than a copy is wanted
    call_function    (layer, *args, **kwargs) -> outputs, in place of layer(*args, **kwargs); functional models only
    recursive        whether clone_function is called for the layers of models inside, rather than for these models
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: a model expected, got {model!r}")
    forms = (("clone_function", clone_function, "layer -> layer"), ("call_function", call_function, "(layer, *args) -> outputs"))
    for name, given, form in forms:
        if given is not None and not callable(given):
            raise ValueError(f"clone_model: {name} must be a function {form}, got {given!r}")
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: call_function is for functional models; a Sequential model makes no calls to change")
        made = _clone_sequential(model, input_tensors, _Cloner(clone_function, None, recursive))
    elif isinstance(model, Functional):
        made = _clone_functional(model, input_tensors, _Cloner(clone_function, call_function, recursive), call_function)
    else:
        if input_tensors is not None or clone_function is not None or call_function is not None:
            raise ValueError(
                "clone_model: input_tensors, clone_function and call_function are for Sequential and functional models, got "
                f"{type(model).__name__}"
            )
        made = type(model).from_config(model.get_config())
    if model.compiled:
        made.compile_from_config(model.get_compile_config())
    return made


class _Cloner:
    """layer -> its clone, the same for the same layer."""

    def __init__(self, clone_function, call_function, recursive):
        self.function, self.call_function, self.recursive = clone_function, call_function, recursive
        self.made: dict = {}

    def __call__(self, layer):
        if id(layer) not in self.made:
            self.made[id(layer)] = self._clone(layer)
        return self.made[id(layer)]

    def _clone(self, layer):
        if self.recursive and isinstance(layer, Sequential):
            return _clone_sequential(layer, None, self)
        if self.recursive and isinstance(layer, Functional):
            return _clone_functional(layer, None, self, self.call_function)
        return self.function(layer) if self.function is not None else type(layer).from_config(layer.get_config())


def _clone_sequential(model, input_tensors, cloner):
    new = [cloner(layer) for layer in model.layers]
    if input_tensors is not None:
        given = flatten(input_tensors)
        if len(given) != 1 or not isinstance(given[0], KerasTensor):
            raise ValueError(f"clone_model: one symbolic tensor expected as input_tensors, got {input_tensors!r}")
        new.insert(0, _own_input(given[0]))
    elif model._stack and isinstance(model._stack[0], InputLayer):
        new.insert(0, InputLayer.from_config(model._stack[0].get_config()))
    cls = type(model) if type(model).__init__ is Sequential.__init__ else Sequential
    return cls(new, name=model.name, trainable=model.trainable)


def _own_input(tensor: KerasTensor):
    """The tensor where it is an Input, else a new Input like it."""
    if isinstance(tensor._keras_history[0], InputLayer):
        return tensor
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype)


def _clone_functional(model, input_tensors, cloner, call_function):
    if input_tensors is None:
        inputs = map_structure(
            lambda t: Input(batch_shape=t.shape, dtype=t.dtype, name=t._keras_history[0].name), model.input
        )
    else:
        inputs = input_tensors
        if map_structure(lambda t: 0, inputs) != map_structure(lambda t: 0, model.input) or not all(
            isinstance(t, KerasTensor) for t in flatten(inputs)
        ):
            raise ValueError(
                "clone_model: symbolic tensors in the structure of model.input expected as input_tensors, got "
                f"{input_tensors!r} for {model.input!r}"
            )
    outputs = model._run_nodes(flatten(inputs), cloner, call_function)
    cls = type(model) if type(model).__init__ is Functional.__init__ else Functional
    return cls(inputs, outputs, name=model.name, trainable=model.trainable)
