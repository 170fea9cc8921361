"""Strings and ints that users give to layers of categories, as flat lists of Python values and a shape."""

from __future__ import annotations

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.layers.keras_tensor import KerasTensor
from brisknet.layers.layer import Layer
from brisknet.training import data

__all__ = ["TokenLayer", "as_ints", "as_strings", "is_text", "token_array"]


def token_array(x, name: str) -> np.ndarray:
    """x as an array of strings, objects or numbers; frames and series of pandas and polars by their own conversion."""
    if hasattr(x, "to_numpy") and not isinstance(x, np.ndarray):
        x = x.to_numpy()
    if not isinstance(x, np.ndarray):
        try:
            x = np.asarray(x)
        except ValueError:
            raise ValueError(f"{name}: rows of equal length expected, got a ragged {type(x).__name__}") from None
    if x.dtype.kind not in "USOfiubT":
        raise TypeError(f"{name}: strings or integers expected, got dtype {x.dtype}")
    return x


def is_text(x: np.ndarray) -> bool:
    """True for an array of strings, or of objects whose first is a string."""
    return x.dtype.kind in "UST" or x.dtype.kind == "O" and x.size > 0 and isinstance(x.flat[0], (str, bytes))


def as_strings(x: np.ndarray, name: str, encoding: str = "utf-8", hint="use IntegerLookup, or astype(str)") -> list[str]:
    """The strings of an array, flat; TypeError for anything else among them."""
    values = x.ravel().tolist()
    for i, v in enumerate(values):
        if isinstance(v, bytes):
            values[i] = v.decode(encoding)
        elif not isinstance(v, str):
            if v is None or isinstance(v, float) and v != v:
                hint = "fill missing entries first, e.g. with ''"
            raise TypeError(f"{name}: strings expected, got {v!r} at position {i}; {hint}")
    return values


def as_ints(x: np.ndarray, name: str) -> np.ndarray:
    """An array of int64; floats are cut off, as Keras does."""
    if x.dtype.kind == "O":
        x = data.to_array(x.tolist(), name)
    if x.dtype.kind not in "fiub":
        raise TypeError(f"{name}: integers expected, got {'strings' if is_text(x) else f'dtype {x.dtype}'}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise ValueError(f"{name}: integers expected, got NaN or infinity; fill missing entries first")
    return x.astype(np.int64)


class TokenLayer(Layer):
    """A layer that computes in NumPy, before a model's step: call() gets what the user gave, and gives an array."""

    def __call__(self, inputs):
        parts = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if any(isinstance(t, (KerasTensor, Tensor)) for t in parts[:64]):
            raise TypeError(
                f"layer {self.name!r}: data expected, got a symbolic tensor; {type(self).__name__} computes before a model: "
                "call it on the data, and feed the model what it gives"
            )
        return self.call(inputs)
