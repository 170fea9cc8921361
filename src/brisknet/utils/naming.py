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
