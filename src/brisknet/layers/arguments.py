"""Checks of what constructors of layers are given."""

from __future__ import annotations

import inspect

import numpy as np

from brisknet.layers.shapes import is_shape
from brisknet.utils.naming import near_names

__all__ = [
    "check_rate", "constraint", "dtype_name", "is_plain", "positive_int", "refuse", "serialize_constraint", "shape_argument",
    "unknown_arguments",
]  # fmt: skip


def dtype_name(dtype) -> str:
    """A dtype, or a policy of one dtype, as its name; ValueError for one that arrays of numbers can't have here."""
    names = ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
    given = dtype
    if isinstance(dtype, dict) and "config" in dtype:  # a DTypePolicy in a config of Keras
        dtype = dtype["config"].get("name")
    if not isinstance(dtype, (str, type, np.dtype)):
        dtype = getattr(dtype, "name", dtype)
    try:
        name = np.dtype(dtype).name if dtype is not None else None
    except TypeError:
        name = None
    if name not in names:
        hint = ""
        if str(dtype) in ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16"):
            hint = "; layers compute in float32 on the CPU: leave dtype at its default"
        raise ValueError(f"dtype must be one of {', '.join(names)}, got {given!r}{hint}")
    return name


def is_plain(x) -> bool:
    """True for what a config can hold as it is."""
    return x is None or isinstance(x, (bool, int, float, str))


def shape_argument(shape, name: str) -> tuple:
    """A shape as a tuple; ValueError for anything else."""
    if not is_shape(shape):
        raise ValueError(f"{name} must be a tuple of sizes, e.g. (10,), got {shape!r}")
    return tuple(shape)


def unknown_arguments(cls, kwargs) -> str:
    """What to say about keywords that no constructor of the class takes."""
    known = [p for c in cls.__mro__ for p in inspect.signature(c.__init__).parameters if "__init__" in vars(c)]
    known = sorted({p for p in known if p not in ("self", "args", "kwargs")})
    hints = [(k, near_names(k, known, n=1, cutoff=0.6)) for k in sorted(kwargs)]
    return "; ".join(
        f"unknown argument {k!r}, did you mean {near[0]!r}?" if near else f"unknown argument {k!r}" for k, near in hints
    )


def positive_int(value, name: str) -> int:
    """A whole number > 0 as an int; ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return int(value)


def check_rate(rate, name: str) -> float:
    """A dropout rate as a float; ValueError unless 0 <= rate <= 1."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.floating)) or not 0 <= rate <= 1:
        raise ValueError(f"{name}: rate must be a number in [0, 1], got {rate!r}")
    return float(rate)


def refuse(what: str, **given) -> None:
    """ValueError for arguments that Keras has and this package does not support, unless they ask for nothing."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise ValueError(f"{what}: {name}={value!r} is not supported; leave it at its default")


def constraint(value, name: str):
    """A constraint from a name, a class, an instance, a function (weight) -> weight, or a config dict; None stays None."""
    if value is None:
        return None
    from brisknet import constraints

    try:
        return constraints.get(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def serialize_constraint(value):
    """None, or {"class_name", "config"} of a constraint; ValueError for one without get_config()."""
    if value is None:
        return None
    if not hasattr(value, "get_config"):
        raise ValueError(f"constraint {value!r} has no get_config() and can't be written into a config")
    return {"class_name": type(value).__name__, "config": value.get_config()}
