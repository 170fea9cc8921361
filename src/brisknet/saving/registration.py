"""Classes and functions of one's own by name: registered once and for all, or in a scope."""

from __future__ import annotations

import threading

__all__ = [
    "CustomObjectScope", "custom_object_scope", "custom_objects_in_scope", "get_custom_objects", "get_registered_name",
    "get_registered_object", "register_keras_serializable",
]  # fmt: skip

_registered: dict = {}  # by registered name, "package>name", and by plain name
_scopes = threading.local()


def register_keras_serializable(package="Custom", name=None):
    """Decorator: a class or function can be named in configs and files, as "package>name" (name: its own by default).

    ValueError for a class without get_config().
    """

    def decorate(thing):
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"register_keras_serializable: class {thing.__name__} has no get_config(); define one that gives the "
                "constructor's arguments"
            )
        thing._registered_name = f"{package}>{name or thing.__name__}"
        _registered[thing._registered_name] = _registered[thing.__name__] = thing
        return thing

    return decorate


def get_registered_name(thing) -> str | None:
    """The name under which a class or function is registered; its own name where it is not."""
    name = getattr(thing, "_registered_name", None)
    return name if name is not None and _registered.get(name) is thing else getattr(thing, "__name__", None)


def get_registered_object(name, custom_objects=None, module_objects=None):
    """The class or function of a name, from the scopes around, registration, or the tables given; None where there is none."""
    for table in (custom_objects_in_scope(), _registered, custom_objects or {}, module_objects or {}):
        if name in table:
            return table[name]
    return None


def get_custom_objects() -> dict:
    """The registry itself, {name: class or function}: what is put into it can be named in configs."""
    return _registered


def custom_objects_in_scope() -> dict:
    """{name: class or function} of the scopes that are open in this thread, the innermost first."""
    return getattr(_scopes, "objects", {})


class CustomObjectScope:
    """`with custom_object_scope({"MyLayer": MyLayer}):` these classes and functions can be named in configs inside."""

    def __init__(self, custom_objects):
        if not isinstance(custom_objects, dict):
            raise ValueError(
                f"custom_object_scope: a dict {{name: class or function}} expected, got {custom_objects!r}"
            )
        self.custom_objects = custom_objects
        self._outer: list[dict] = []

    def __enter__(self):
        self._outer.append(custom_objects_in_scope())
        _scopes.objects = {**self._outer[-1], **self.custom_objects}
        return self

    def __exit__(self, *exc):
        _scopes.objects = self._outer.pop()


custom_object_scope = CustomObjectScope
