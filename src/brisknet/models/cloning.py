"""clone_model: the same layers and calls, with new weights."""

from __future__ import annotations

from brisknet.layers.core import InputLayer
from brisknet.models.functional import Functional
from brisknet.models.sequential import Sequential

__all__ = ["clone_model"]


def clone_model(model, input_tensors=None, clone_function=None):
    """A model of the same configuration with newly initialised weights.

    clone_function   layer -> layer, called for every layer but the inputs, where more than a copy is wanted
    """
    if not isinstance(model, (Sequential, Functional)):
        raise ValueError(f"clone_model: a Sequential or functional model expected, got {model!r}")
    if input_tensors is not None:
        raise ValueError("clone_model: input_tensors are not supported; call the cloned model on them")
    if clone_function is None:
        return type(model).from_config(model.get_config())
    if not callable(clone_function):
        raise ValueError(f"clone_model: clone_function must be a function layer -> layer, got {clone_function!r}")
    if isinstance(model, Sequential):
        inputs = [layer for layer in model._stack if isinstance(layer, InputLayer)]
        new = [InputLayer.from_config(layer.get_config()) for layer in inputs]
        return type(model)([*new, *(clone_function(layer) for layer in model.layers)], name=model.name)
    made = {layer.name: clone_function(layer) for layer in model.layers if not isinstance(layer, InputLayer)}
    return type(model).from_config(model.get_config(), layers=made)
