"""Targets, predictions and weights in the shapes that the metric kernels take; arguments checked."""

from __future__ import annotations

import numpy as np

from brisknet import ops
from brisknet.graph.ir import Tensor
from brisknet.ops.dispatch import cast, dtype_of, float_array, is_float
from brisknet.variables import Variable

__all__ = ["check_class_id", "check_count", "check_share", "flat_labels", "labels", "one_rank", "rows"]


def tensor(x):
    """x as it is where it has a shape, else an array."""
    return x if hasattr(x, "shape") else np.asarray(x)


def one_rank(a, b):
    """Both with one rank where they differ by a trailing axis of 1, as in Keras."""
    ra, rb = len(a.shape), len(b.shape)
    if rb == ra + 1 and b.shape[-1] == 1:
        return (ops.expand_dims(a, -1), b) if ra == 1 else (a, ops.squeeze(b, -1))
    if ra == rb + 1 and a.shape[-1] == 1:
        return (a, ops.expand_dims(b, -1)) if rb == 1 else (ops.squeeze(a, -1), b)
    return a, b


def predictions(y_pred):
    """Predictions as floats."""
    y_pred = float_array(y_pred)
    return y_pred if is_float(dtype_of(y_pred)) else cast(y_pred, "float32")


def labels(y_true, like):
    """Labels as the kernels take them: floats of the predictions' type, or integers as they are."""
    y_true = tensor(y_true)
    dtype = dtype_of(y_true)
    if isinstance(y_true, (Tensor, Variable)) and dtype in ("int32", "bool"):
        return y_true
    return cast(y_true, dtype_of(like) if is_float(dtype) else "int32")


def rows(metric: str, y_true, y_pred, sample_weight=None):
    """(true [M, C], predictions [M, C], weights None, [M] or [M, C]) from anything that fits.

    Rank 1 counts as one column; axes in front of the last are joined. ValueError names the metric where shapes differ.
    """
    y_pred = predictions(y_pred)
    y_true, y_pred = one_rank(labels(y_true, y_pred), y_pred)
    shape = tuple(y_pred.shape)
    if tuple(y_true.shape) != shape:
        raise ValueError(
            f"{metric}: y_true and y_pred of one shape expected, got {tuple(y_true.shape)} and {shape}"
            + ("; turn integer labels into one-hot rows by utils.to_categorical" if len(y_true.shape) < len(shape) else "")
        )
    columns = shape[-1] if len(shape) > 1 else 1
    weights = None if sample_weight is None else _weights(metric, sample_weight, shape, dtype_of(y_pred))
    return ops.reshape(y_true, (-1, columns)), ops.reshape(y_pred, (-1, columns)), weights


def _weights(metric, sample_weight, shape, dtype):
    """Weights of a tensor of `shape`: [M], one a row, or [M, C]."""
    w = cast(tensor(sample_weight), dtype)
    lead, columns = (shape[:-1], shape[-1]) if len(shape) > 1 else (shape, 1)
    if tuple(w.shape) == shape and len(shape) > 1 and columns > 1:
        return ops.reshape(w, (-1, columns))
    if len(w.shape) == len(lead) + 1 and w.shape[-1] == 1:
        w = ops.squeeze(w, -1)
    while 0 < len(w.shape) < len(lead):
        w = ops.expand_dims(w, -1)
    if len(w.shape) > len(lead) or any(a not in (b, 1) for a, b in zip(w.shape, lead, strict=False)):
        raise ValueError(
            f"{metric}: sample_weight of shape {lead} (one a row) or {shape} expected, got {tuple(w.shape)}"
        )
    return ops.reshape(ops.broadcast_to(w, lead), (-1,))


def flat_labels(y):
    """Classes [M] of any shape of integers or floats."""
    y = tensor(y)
    y = y if isinstance(y, (Tensor, Variable)) or is_float(dtype_of(y)) else np.asarray(y).astype(np.int32)
    return ops.reshape(y, (-1,))


# ---- arguments ----------------------------------------------------------------------------------------------------------
def is_number(x) -> bool:
    """A finite number that is no bool."""
    return isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool) and bool(np.isfinite(x))


def check_share(value, metric: str, name: str) -> float:
    """value, a number in [0, 1]."""
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{metric}: {name} must be a number in [0, 1], got {value!r}")
    return value


def check_count(value, metric: str, name: str, least: int = 1) -> int:
    """value, an integer >= least."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ValueError(f"{metric}: {name} must be an integer >= {least}, got {value!r}")
    return int(value)


def check_class_id(value, metric: str) -> int | None:
    """value, None or an integer >= 0."""
    return None if value is None else check_count(value, metric, "class_id", 0)
