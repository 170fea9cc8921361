"""Whole numbers that users give."""

from __future__ import annotations

import numpy as np

__all__ = ["check_count"]


def check_count(value, name: str, least: int = 1, none: bool = False):
    """A whole number >= least (or None where allowed); ValueError otherwise."""
    if value is None and none:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")
    return int(value)
