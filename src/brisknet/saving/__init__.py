"""Turning objects into plain data and back, and into files."""

from __future__ import annotations

import importlib

from brisknet.saving.objects import deserialize_layer, register_serializable, serialize_layer
from brisknet.saving.registration import (
    CustomObjectScope, custom_object_scope, get_custom_objects, get_registered_name, get_registered_object,
    register_keras_serializable,
)  # fmt: skip

# Loaded when first used: name -> module.
_LATER = {
    "deserialize_keras_object": "keras_objects", "serialize_keras_object": "keras_objects", "load_weights": "weights",
    "save_weights": "weights", "load_model": "models", "save_model": "models",
}  # fmt: skip

__all__ = [
    "CustomObjectScope", "custom_object_scope", "deserialize_layer", "get_custom_objects", "get_registered_name",
    "get_registered_object", "register_keras_serializable", "register_serializable", "serialize_layer", *_LATER,
]  # fmt: skip


def __getattr__(name: str):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
