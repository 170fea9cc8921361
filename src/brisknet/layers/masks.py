"""Masks of tensors: booleans, False at the steps to skip, that layers hand on to the layers after them, as in Keras."""

from __future__ import annotations

import inspect
import warnings
import weakref

import numpy as np

from brisknet.graph.ir import Tensor
from brisknet.layers.keras_tensor import KerasTensor, flatten, map_structure

__all__ = ["Masked", "get_mask", "set_mask"]

# Masks of plain arrays, which take no attributes: id -> (weak reference to the array, mask). An array's end removes its entry.
_of_arrays: dict = {}


def get_mask(x):
    """The mask that a tensor, a symbolic tensor or an array carries, or None."""
    if isinstance(x, np.ndarray):
        entry = _of_arrays.get(id(x))
        return entry[1] if entry is not None and entry[0]() is x else None
    return getattr(x, "_keras_mask", None)


def set_mask(x, mask) -> None:
    """Let x carry the mask (None: no mask)."""
    if not isinstance(x, np.ndarray):
        x._keras_mask = mask
    elif mask is None:
        _of_arrays.pop(id(x), None)
    else:
        key = id(x)
        _of_arrays[key] = (weakref.ref(x, lambda _: _of_arrays.pop(key, None)), mask)


def is_tensor(x) -> bool:
    """True for what can carry a mask."""
    return isinstance(x, (Tensor, KerasTensor, np.ndarray))


class Masked:
    """The part of Layer that hands masks on.

    A mask comes with the inputs. It goes to call() as `mask` where the tensors are one argument, as `<argument>_mask` where
    they are several, unless the caller gives that argument; with supports_masking, the outputs get compute_mask(inputs, mask).
    """

    supports_masking = False

    def compute_mask(self, inputs, previous_mask):
        """The mask of the outputs: that of the inputs."""
        return previous_mask

    def _take_masks(self, args, kwargs):
        """The mask for compute_mask(); those that call() takes are put among the keywords."""
        given = kwargs.get("mask") if "mask" in self._accepts else None
        first = args[0] if args else next(iter(kwargs.values()), None)
        if all(get_mask(t) is None for t in flatten([args, kwargs])):
            return given if given is not None else map_structure(lambda _: None, first)
        arguments = inspect.signature(self.call).bind(*args, **kwargs).arguments
        tensors = {k: v for k, v in arguments.items() if (leaves := flatten(v)) and all(map(is_tensor, leaves))}
        for name, value in tensors.items():
            taken = "mask" if len(tensors) == 1 else f"{name}_mask"
            if taken in self._accepts and arguments.get(taken) is None:
                kwargs[taken] = map_structure(get_mask, value)
        given = kwargs.get("mask") if "mask" in self._accepts else None
        return given if given is not None else map_structure(get_mask, first)

    def _give_masks(self, args, kwargs, outputs, previous) -> None:
        """Let the outputs carry the mask that compute_mask() makes of the inputs' one, unless call() has given them one."""
        if self.supports_masking:
            outs = [t for t in flatten(outputs) if is_tensor(t)]
            if all(get_mask(t) is not None for t in outs):
                return
            first = args[0] if args else next(iter(kwargs.values()), None)
            masks = self.compute_mask(first, previous)
            for t, mask in zip(outs, flatten(masks) if masks is not None else (), strict=False):
                if get_mask(t) is None and mask is not None:
                    set_mask(t, mask)
        elif any(m is not None for m in flatten(previous)):
            warnings.warn(
                f"layer {self.name!r} (a {type(self).__name__}) was passed an input with a mask and does not hand masks on: "
                "the layers after it will count masked steps as well. Set supports_masking = True in a layer of your own "
                "whose outputs have the steps of its inputs",
                stacklevel=4,
            )
