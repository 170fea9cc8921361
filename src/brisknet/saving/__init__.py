"""Turning objects into plain data and back."""

from brisknet.saving.objects import deserialize_layer, register_serializable, serialize_layer

__all__ = ["deserialize_layer", "register_serializable", "serialize_layer"]
