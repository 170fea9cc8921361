"""Checks of the arguments that convolution and pooling share: tuples of sizes, padding and data_format."""

from __future__ import annotations

import numpy as np

from brisknet import config
from brisknet.ops.windows import out_size, same_padding

__all__ = ["data_format_name", "int_tuple", "out_spatial", "padding_name", "padding_pairs", "spatial_shape"]


def int_tuple(value, rank: int, name: str, allow_zero: bool = False) -> tuple:
    """One int for every axis, or a tuple of `rank` ints, as a tuple; ValueError for anything else."""
    least = 0 if allow_zero else 1
    given = (value,) * rank if isinstance(value, (int, np.integer)) else value
    ints = isinstance(given, (tuple, list)) and all(isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in given)
    if not ints or len(given) != rank or isinstance(value, bool) or any(v < least for v in given):
        kind = "non-negative" if allow_zero else "positive"
        raise ValueError(f"{name} must be a {kind} integer or a tuple of {rank} of them, got {value!r}")
    return tuple(int(v) for v in given)


def padding_name(value, name: str, causal: bool = False) -> str:
    """ "valid", "same" (or "causal") in lower case; ValueError for anything else."""
    allowed = ("valid", "same", "causal") if causal else ("valid", "same")
    if not isinstance(value, str) or value.lower() not in allowed:
        hint = "; causal padding is for Conv1D" if value == "causal" else ""
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}{hint}")
    return value.lower()


def data_format_name(value, name: str) -> str:
    """ "channels_last" or "channels_first" (None: config.image_data_format()); ValueError for anything else."""
    value = config.image_data_format() if value is None else value
    if not isinstance(value, str) or value.lower() not in ("channels_last", "channels_first"):
        raise ValueError(f"{name} must be 'channels_last' or 'channels_first', got {value!r}")
    return value.lower()


def padding_pairs(padding: str, spatial, kernel, strides, dilation) -> tuple:
    """(before, after) for every spatial axis of a padding by name."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "causal":
        return tuple((d * (k - 1), 0) for k, d in zip(kernel, dilation, strict=True))
    return tuple(map(same_padding, spatial, kernel, strides, dilation))


def out_spatial(what: str, padding: str, spatial, kernel, strides, dilation) -> tuple:
    """Output sizes, None where the input's is open; ValueError where there would be no output at all."""
    out = []
    for i, (size, k, s, d) in enumerate(zip(spatial, kernel, strides, dilation, strict=True)):
        if size is None:
            out.append(None)
            continue
        n = out_size(size, k, s, (0, 0), d) if padding == "valid" else -(-size // s)
        if n < 1:
            reach = f"{k}" if d == 1 else f"{k} with dilation_rate {d} (it reaches over {d * (k - 1) + 1})"
            hint = '; use padding="same", a smaller window or a larger input' if size > 0 else ""
            raise ValueError(f"{what}: a window of {reach} does not fit into spatial axis {i} of size {size}{hint}")
        out.append(n)
    return tuple(out)


def spatial_shape(shape, data_format: str) -> tuple:
    """The sizes of the spatial axes of a shape with batch and channels."""
    return tuple(shape[1:-1] if data_format == "channels_last" else shape[2:])
