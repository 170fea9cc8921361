"""Layers and models as config dicts. Classes come from a closed table: nothing is ever imported by a name in a file."""

from __future__ import annotations

_registered: dict = {}


def register_serializable(package="Custom", name=None):
    """Decorator: the class or function can be named in configs (keras.saving.register_keras_serializable)."""

    def decorate(cls):
        cls._registered_name = f"{package}>{name or cls.__name__}"
        _registered[cls._registered_name] = _registered[cls.__name__] = cls
        return cls

    return decorate


def registered_name(thing) -> str | None:
    """The name under which a class or function was registered; None for one that was not."""
    name = getattr(thing, "_registered_name", None)
    return name if name is not None and _registered.get(name) is thing else None


def custom_table(custom_objects=None, wanted=callable) -> dict:
    """Registered classes and functions by name, those of them that are `wanted`, and custom_objects before them."""
    return {**{k: v for k, v in _registered.items() if wanted(v)}, **(custom_objects or {})}


def _builtin() -> dict[str, type]:
    from brisknet import layers, models
    from brisknet.layers.core import FunctionLayer, OpLayer
    from brisknet.layers.getitem import GetItem

    table = {n: getattr(layers, n) for n in layers.__all__ if isinstance(getattr(layers, n), type)}
    return {**table, "GetItem": GetItem, "OpLayer": OpLayer, "FunctionLayer": FunctionLayer, "Sequential": models.Sequential, "Functional": models.Functional}


def class_of(name: str, custom_objects=None) -> type:
    """The layer class of a name; ValueError for one that is neither built in, registered nor in custom_objects."""
    from brisknet.utils.naming import lookup

    return lookup("layer class", name, {**_builtin(), **_registered, **(custom_objects or {})})


def serialize_layer(layer) -> dict:
    """{"class_name", "config"} of a layer."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def deserialize_layer(config: dict, custom_objects=None):
    """The layer of such a dict. ValueError where its form is wrong or the class is unknown."""
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError(f'layer config: a dict with "class_name" and "config" expected, got {config!r}')
    cls = class_of(config["class_name"], custom_objects)
    inner = dict(config.get("config") or {})
    if "custom_objects" in cls.from_config.__code__.co_varnames:
        return cls.from_config(inner, custom_objects=custom_objects)
    return cls.from_config(inner)
