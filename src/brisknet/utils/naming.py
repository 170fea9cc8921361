"""Names: snake case, unique names as Keras gives them, and look-up of objects by name."""

from __future__ import annotations

import re
import threading

_counts: dict[str, int] = {}
_lock = threading.Lock()


def to_snake_case(name: str) -> str:
    """LeakyReLU -> leaky_re_lu, as Keras names layers."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """prefix, prefix_1, prefix_2 ...: the next unused in this process."""
    with _lock:
        n = _counts.get(prefix, 0)
        _counts[prefix] = n + 1
    return prefix if n == 0 else f"{prefix}_{n}"


def reset_names() -> None:
    """Start counting anew (clear_session)."""
    with _lock:
        _counts.clear()


def near_names(name: str, known, n: int = 3, cutoff: float = 0.5) -> list[str]:
    """Those of `known` that look like `name`."""
    from difflib import get_close_matches  # needed for errors only

    return get_close_matches(name, list(known), n=n, cutoff=cutoff)


def lookup(kind: str, name: str, table: dict):
    """table[name] by any case; ValueError lists near names."""
    found = table.get(name) or table.get(name.lower())
    if found is None:
        spellings = {k.lower().replace("_", ""): k for k in table}  # one spelling of each name: the last, snake case
        near = near_names(name.lower(), spellings.values())
        known = ", ".join(sorted(spellings.values()))
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; known: {known}"
        raise ValueError(f"unknown {kind} {name!r}{hint}")
    return found


class ByName:
    """How a family of small objects (initializers, regularizers) is found by name and written into configs."""

    def __init__(self, kind: str, table: dict):
        self.kind, self.table = kind, table

    def get(self, identifier):
        """An object from a name, a class, an instance, a callable or a config dict; None stays None."""
        if identifier is None:
            return None
        if isinstance(identifier, str):
            return lookup(self.kind, identifier, self.table)()
        if isinstance(identifier, dict):
            return self.deserialize(identifier)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier):
            return identifier
        raise ValueError(f"{self.kind}: a name, a callable or a {self.kind.title()} expected, got {identifier!r}")

    def serialize(self, thing) -> dict:
        """{"class_name", "config"} of an object or a function; ValueError for an object without get_config()."""
        if hasattr(thing, "__code__"):
            from brisknet.saving import functions

            return functions.serialize(thing)
        if not hasattr(thing, "get_config"):
            raise ValueError(f"{self.kind} {thing!r} has no get_config() and can't be written into a config")
        return {"class_name": type(thing).__name__, "config": thing.get_config()}

    def deserialize(self, config: dict, custom_objects=None):
        """The object of a config dict; ValueError for an unknown class."""
        from brisknet.saving import functions
        from brisknet.saving.objects import custom_table

        if functions.is_config(config):
            return functions.deserialize(config, custom_objects)
        if not isinstance(config, dict) or "class_name" not in config:
            raise ValueError(f'{self.kind}: a dict with "class_name" and "config" expected, got {config!r}')
        table = {**self.table, **custom_table(custom_objects)}
        return lookup(self.kind, config["class_name"], table).from_config(config.get("config", {}))
