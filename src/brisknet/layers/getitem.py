"""Indexing a symbolic tensor: x[:, 0], x[..., None, 1:3]."""

from __future__ import annotations

import numpy as np

from brisknet.layers.core.op_layer import MaskEnds

__all__ = ["GetItem"]


class GetItem(MaskEnds):
    """x[key] for a key of ints, slices, None and Ellipsis, as a layer of the functional graph."""

    def __init__(self, key, **kwargs):
        super().__init__(**kwargs)
        self.key = tuple(_plain(k) for k in (key if isinstance(key, tuple) else (key,)))
        self.built = True

    def call(self, inputs):
        return inputs[self.key]

    def get_config(self):
        """Slices as {"slice": [start, stop, step]}, Ellipsis as "..."."""
        keys = [{"slice": [k.start, k.stop, k.step]} if isinstance(k, slice) else "..." if k is Ellipsis else k
                for k in self.key]  # fmt: skip
        return {**super().get_config(), "key": keys}

    @classmethod
    def from_config(cls, config: dict):
        keys = tuple(
            slice(*k["slice"]) if isinstance(k, dict) else Ellipsis if k == "..." else k for k in config["key"]
        )
        return cls(**{**config, "key": keys})


def _plain(k):
    if isinstance(k, slice):
        return slice(*(None if x is None else int(x) for x in (k.start, k.stop, k.step)))
    if k is None or k is Ellipsis:
        return k
    if isinstance(k, (int, np.integer)) and not isinstance(k, bool):
        return int(k)
    raise TypeError(f"a symbolic tensor is indexed by ints, slices, None and ..., got {k!r}; use brisknet.ops")
