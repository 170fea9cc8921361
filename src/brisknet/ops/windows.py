"""Sliding windows: the arithmetic that convolution and pooling share, and their NumPy views. Channels are always last."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["columns", "fold", "out_size", "pad_spatial", "same_padding", "window_sizes"]


def out_size(size: int, kernel: int, stride: int, padding: tuple, dilation: int = 1) -> int:
    """How many windows of `kernel` taps fit into `size` elements with padding (before, after); may be <= 0."""
    return (size + padding[0] + padding[1] - dilation * (kernel - 1) - 1) // stride + 1


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple:
    """(before, after) for ceil(size / stride) windows; the odd one goes after, as in Keras and TensorFlow."""
    total = max((math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def window_sizes(op: str, spatial, kernel, strides, padding, dilation) -> tuple:
    """The number of windows along each spatial axis; ValueError for arguments that do not fit or leave none."""
    rank = len(spatial)
    if not 1 <= rank <= 3:
        raise ValueError(f"{op}: 1 to 3 spatial axes expected, got {rank} (sizes {tuple(spatial)})")
    for name, value in (("kernel", kernel), ("strides", strides), ("padding", padding), ("dilation", dilation)):
        if len(value) != rank:
            raise ValueError(f"{op}: {name} needs one entry for each of the {rank} spatial axes, got {tuple(value)}")
    for name, value in (("kernel", kernel), ("strides", strides), ("dilation", dilation)):
        if any(v < 1 for v in value):
            raise ValueError(f"{op}: {name} must be positive, got {tuple(value)}")
    if any(p < 0 for pair in padding for p in pair):
        raise ValueError(f"{op}: padding must not be negative, got {tuple(padding)}")
    out = tuple(map(out_size, spatial, kernel, strides, padding, dilation))
    for i, n in enumerate(out):
        if n < 1:
            reach = dilation[i] * (kernel[i] - 1) + 1
            raise ValueError(
                f"{op}: a window that reaches over {reach} elements (kernel {kernel[i]}, dilation {dilation[i]}) does not "
                f"fit into spatial axis {i} of size {spatial[i]} with padding {tuple(padding[i])}, so the output would be empty"
            )
    return out


def pad_spatial(x, padding, value=0.0):
    """x [N,*S,C] with `value` around its spatial axes; x itself without padding."""
    if not any(p for pair in padding for p in pair):
        return x
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value)


def columns(x, kernel, strides, padding, dilation, value=0.0):
    """Every window of x [N,*S,C] as [N,*O,T,C]: its T taps in row-major order. A copy."""
    rank = len(kernel)
    x = pad_spatial(x, padding, value)
    reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    windows = np.lib.stride_tricks.sliding_window_view(x, reach, tuple(range(1, rank + 1)))  # [N,*O at stride 1,C,*reach]
    pick = (slice(None), *(slice(None, None, s) for s in strides), slice(None), *(slice(None, None, d) for d in dilation))
    windows = np.moveaxis(windows[pick], rank + 1, -1)  # [N,*O,*K,C]
    return np.ascontiguousarray(windows).reshape(*windows.shape[: rank + 1], math.prod(kernel), x.shape[-1])


def fold(cols, size, kernel, strides, padding, dilation):
    """The transpose of `columns`: taps [N,*O,T,C] added up where they came from -> [N,*size,C]."""
    n, *out, _, channels = cols.shape
    padded = np.zeros((n, *(s + lo + hi for s, (lo, hi) in zip(size, padding, strict=True)), channels), cols.dtype)
    for t, tap in enumerate(np.ndindex(*kernel)):
        place = tuple(
            slice(k * d, k * d + (o - 1) * s + 1, s) for k, d, o, s in zip(tap, dilation, out, strides, strict=True)
        )
        padded[(slice(None), *place)] += cols[..., t, :]
    inside = tuple(slice(lo, lo + s) for s, (lo, _) in zip(size, padding, strict=True))
    return np.ascontiguousarray(padded[(slice(None), *inside)])
