"""A warning where ever new shapes lead to ever new programs of one model."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn_of_storms"]

FEW = 16  # programs of one mode that need no warning


def warn_of_storms(model, mode: str, sig) -> None:
    """RuntimeWarning, once for a model, before it is compiled for yet another signature; it names the shape that changes."""
    if getattr(model, "_storm_told", False):
        return
    known = list(dict.fromkeys(key[1] for key in model._programs if key[0] == mode))
    if sig in known or len(known) < FEW:
        return
    from brisknet.autograd.arguments import describe_changes  # here, as most models never need it

    object.__setattr__(model, "_storm_told", True)
    change = describe_changes(_described(s) for s in [*known[1 - FEW // 2 :], sig])
    warnings.warn(
        f"model {model.name!r} is being traced and compiled for the {len(known) + 1}th time to {_WORDS.get(mode, mode)}, because "
        f"{change}. Pad inputs to a few shapes (utils.pad_sequences), use batches of one size, or give all rows in one call",
        RuntimeWarning, stacklevel=_outside(),
    )  # fmt: skip


_WORDS = {"test": "evaluate", "call": "predict"}


def _described(sig) -> dict:
    """{"x": "shape (32, 10)", ...}."""
    out = {}
    for name, specs in (("x", sig.x), ("y", sig.y), ("sample_weight", sig.weights)):
        given = [s for s in specs if s is not None]
        for i, (shape, _) in enumerate(given):
            out[name if len(given) == 1 else f"{name}[{i}]"] = f"shape {tuple(shape)}"
    return out


def _outside() -> int:
    """The stacklevel of the user's line: the innermost frame that is not this package's."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "brisknet":
        level, frame = level + 1, frame.f_back
    return level
