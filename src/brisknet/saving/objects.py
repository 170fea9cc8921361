"""Layers and models as config dicts. Classes come from a closed table: nothing is ever imported by a name in a file."""

from __future__ import annotations

import inspect

from brisknet.saving.registration import (
    _registered, custom_objects_in_scope, custom_object_scope, register_keras_serializable,
)  # fmt: skip

__all__ = [
    "class_of", "custom_table", "deserialize_layer", "register_serializable", "registered_name", "serialize_layer",
]

register_serializable = register_keras_serializable


def registered_name(thing) -> str | None:
    """The name under which a class or function was registered; None for one that was not."""
    name = getattr(thing, "_registered_name", None)
    return name if name is not None and _registered.get(name) is thing else None


def custom_table(custom_objects=None, wanted=callable) -> dict:
    """Classes and functions of one's own by name: those registered, of scopes around and custom_objects, if `wanted`."""
    known = {**_registered, **custom_objects_in_scope()}
    return {**{k: v for k, v in known.items() if wanted(v)}, **(custom_objects or {})}


def builtin_layers() -> dict[str, type]:
    """Every layer and model class of this package by name."""
    from brisknet import layers, models
    from brisknet.layers.core import FunctionLayer, OpLayer
    from brisknet.layers.getitem import GetItem

    table = {n: getattr(layers, n) for n in layers.__all__ if isinstance(getattr(layers, n), type)}
    more = {"GetItem": GetItem, "OpLayer": OpLayer, "FunctionLayer": FunctionLayer}
    return {**table, **more, "Sequential": models.Sequential, "Functional": models.Functional}


def class_of(name: str, custom_objects=None, registered=None) -> type:
    """The layer class of a name; ValueError for one that is neither built in, registered, in scope nor in custom_objects."""
    from brisknet.utils.naming import lookup

    custom = custom_table(custom_objects, lambda x: isinstance(x, type))
    if registered in custom:
        return custom[registered]
    return lookup("layer class", name, {**builtin_layers(), **custom})


def serialize_layer(layer) -> dict:
    """{"class_name", "config"} of a layer, and "registered_name" of a registered class."""
    known = registered_name(type(layer))
    out = {"class_name": type(layer).__name__, "config": layer.get_config()}
    return out if known is None else {**out, "registered_name": known}


def deserialize_layer(config: dict, custom_objects=None):
    """The layer of such a dict, or of Keras'. ValueError where its form is wrong or the class is unknown.

    A built layer of one's own comes with the weights made for its build_config, where the dict has one.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError(f'layer config: a dict with "class_name" and "config" expected, got {config!r}')
    if str(config.get("module")).startswith("keras.src.ops"):
        return _keras_function(config)
    cls = class_of(config["class_name"], custom_objects, config.get("registered_name"))
    inner = {k: v for k, v in (config.get("config") or {}).items() if v is not None or k not in KERAS_ONLY}
    with custom_object_scope(custom_objects or {}):
        if "custom_objects" in inspect.signature(cls.from_config).parameters:
            return cls.from_config(inner, custom_objects=custom_objects)
        return cls.from_config(inner)


def _keras_function(config: dict):
    """A function of keras.ops that Keras wrote into a model, as masks are made by them: a function of its call's arguments."""
    from brisknet import ops
    from brisknet.utils.naming import lookup, to_snake_case

    name = to_snake_case(config["class_name"])
    fn = lookup("function of keras.ops", name, {n: getattr(ops, n) for n in ops.__all__})
    given = {k: v for k, v in (config.get("config") or {}).items() if k != "name"}
    return lambda *args, **kwargs: fn(*args, **given, **kwargs)


# Keys of Keras' configs for what this package has not, at the value that asks for nothing.
KERAS_ONLY = frozenset({"quantization_config", "input_axes", "output_axes", "lora_rank", "lora_alpha"})
