"""What the loss functions share: targets and predictions of one type and rank, checked labels, the logits of a softmax."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.graph.ir import Tensor
from brisknet.ops.dispatch import cast, dtype_of, float_array, is_float

__all__ = ["align", "as_floats", "check_labels", "check_number", "check_smoothing", "float_type", "labels_of",
           "source_op"]  # fmt: skip


def as_floats(y_true, y_pred):
    """Both as tensors of the float type of y_pred."""
    y_pred = float_array(y_pred)
    y_true = y_true if hasattr(y_true, "shape") else np.asarray(y_true)
    return cast(y_true, dtype_of(y_pred)), y_pred


def align(y_true, y_pred):
    """Both as tensors of one float type and one rank: a trailing axis of 1 is added or dropped, as in Keras."""
    y_true, y_pred = as_floats(y_true, y_pred)
    a, b = len(y_true.shape), len(y_pred.shape)
    if a == b + 1 and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1) if b != 1 else y_true
        y_pred = ops.expand_dims(y_pred, -1) if b == 1 else y_pred
    elif b == a + 1 and y_pred.shape[-1] == 1:
        y_true = ops.expand_dims(y_true, -1) if a == 1 else y_true
        y_pred = ops.squeeze(y_pred, -1) if a != 1 else y_pred
    return y_true, y_pred


def source_op(y, op: str) -> Tensor | None:
    """The tensor that `op` was applied to, where y comes from it (through reshapes)."""
    if not isinstance(y, Tensor):
        return None
    shape = y.shape
    while y.node.op == "reshape":
        y = y.node.inputs[0]
    if y.node.op != op:
        return None
    return ops.reshape(y.node.inputs[0], shape)


def labels_of(y_true, y_pred, axis=-1):
    """int32 labels for classes along an axis of y_pred: y_true without an axis of 1 there; ValueError where shapes differ."""
    y_true = y_true if hasattr(y_true, "shape") else np.asarray(y_true)
    axis %= len(y_pred.shape)
    expected = tuple(d for i, d in enumerate(y_pred.shape) if i != axis)
    if len(y_true.shape) == len(y_pred.shape):
        for at in (axis, len(y_true.shape) - 1):
            if y_true.shape[at] == 1 and tuple(y_true.shape) != expected:
                y_true = ops.squeeze(y_true, at)
                break
    if tuple(y_true.shape) != expected:
        raise ValueError(
            f"sparse labels of shape {expected} expected for predictions {tuple(y_pred.shape)}, got "
            f"{tuple(y_true.shape)}"
        )
    return cast(y_true, "int32")


def check_labels(labels: np.ndarray, classes: int, ignore_class=None) -> None:
    """ValueError that names the first label outside [0, classes)."""
    bad = (labels < 0) | (labels >= classes)
    if ignore_class is not None:
        bad &= labels != ignore_class
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"y: class labels in [0, {classes}) expected, as the model has {classes} outputs; got "
            f"{labels.ravel()[at]} at position {at}"
        )


def check_number(value, name: str, low=None, high=None, strict=False) -> float:
    """value as a float; ValueError that names the argument unless it is a number in [low, high] ((low, high) where strict)."""
    number = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
    inside = number and np.isfinite(value)
    if inside and low is not None:
        inside = value > low if strict else value >= low
    if inside and high is not None:
        inside = value < high if strict else value <= high
    if not inside:
        if high is not None:
            wanted = f" in ({low:g}, {high:g})" if strict else f" in [{low:g}, {high:g}]"
        else:
            wanted = "" if low is None else f" > {low:g}" if strict else f" >= {low:g}"
        raise ValueError(f"{name} must be a number{wanted}, got {value!r}")
    return float(value)


def check_smoothing(value) -> float:
    """label_smoothing as a float; ValueError unless it lies in [0, 1]."""
    return check_number(value, "label_smoothing", 0, 1)


def float_type(x) -> str:
    """dtype_of a float tensor, else the default float type."""
    dtype = dtype_of(x)
    return dtype if is_float(dtype) else config.floatx()
