"""Loss functions: (y_true, y_pred) -> one value a sample, the mean over the last axis; on arrays and traced tensors."""

from __future__ import annotations

import numpy as np

from brisknet import config, ops
from brisknet.graph.ir import Tensor
from brisknet.ops.activation import log_softmax
from brisknet.ops.dispatch import cast, dtype_of, float_array, is_float

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "hinge", "huber", "log_cosh", "mean_absolute_error",
    "mean_squared_error", "sparse_categorical_crossentropy", "squared_hinge",
]  # fmt: skip


def align(y_true, y_pred):
    """Both as tensors of one float type and one rank: a trailing axis of 1 is added or dropped, as in Keras."""
    y_pred = float_array(y_pred)
    y_true = y_true if hasattr(y_true, "shape") else np.asarray(y_true)
    y_true = cast(y_true, dtype_of(y_pred))
    a, b = len(y_true.shape), len(y_pred.shape)
    if a == b + 1 and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1) if b != 1 else y_true
        y_pred = ops.expand_dims(y_pred, -1) if b == 1 else y_pred
    elif b == a + 1 and y_pred.shape[-1] == 1:
        y_true = ops.expand_dims(y_true, -1) if a == 1 else y_true
        y_pred = ops.squeeze(y_pred, -1) if a != 1 else y_pred
    return y_true, y_pred


def source_op(y: Tensor, op: str) -> Tensor | None:
    """The tensor that `op` was applied to, where y comes from it (through reshapes)."""
    if not isinstance(y, Tensor):
        return None
    shape = y.shape
    while y.node.op == "reshape":
        y = y.node.inputs[0]
    if y.node.op != op:
        return None
    return ops.reshape(y.node.inputs[0], shape)


def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)^2)."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.mean(ops.square(ops.subtract(y_true, y_pred)), axis=-1)


def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|)."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.mean(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)


def huber(y_true, y_pred, delta=1.0):
    """Quadratic for errors up to delta, linear beyond. Huber 1964."""
    y_true, y_pred = align(y_true, y_pred)
    error = ops.abs(ops.subtract(y_true, y_pred))
    quadratic = ops.multiply(ops.square(error), 0.5)
    linear = ops.subtract(ops.multiply(error, float(delta)), 0.5 * delta * delta)
    return ops.mean(ops.where(ops.less_equal(error, float(delta)), quadratic, linear), axis=-1)


def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true)))."""
    y_true, y_pred = align(y_true, y_pred)
    e = ops.subtract(y_pred, y_true)
    value = ops.subtract(ops.add(e, ops.softplus(ops.multiply(e, -2.0))), float(np.log(2.0)))
    return ops.mean(value, axis=-1)


def signed(y_true):
    """0/1 labels as -1/1 where all labels are 0 or 1; other labels as they are."""
    if isinstance(y_true, Tensor):
        binary = ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0))
        all_binary = ops.equal(ops.min(ops.cast(binary, y_true.dtype)), 1.0)
        return ops.where(all_binary, ops.subtract(ops.multiply(y_true, 2.0), 1.0), y_true)
    from brisknet.ops.loss import signed_labels

    return signed_labels(y_true).astype(y_true.dtype)


def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)), y_true in {-1, 1} (0/1 labels are converted)."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.mean(ops.maximum(ops.subtract(1.0, ops.multiply(signed(y_true), y_pred)), 0.0), axis=-1)


def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)^2), y_true in {-1, 1} (0/1 labels are converted)."""
    y_true, y_pred = align(y_true, y_pred)
    return ops.mean(ops.square(ops.maximum(ops.subtract(1.0, ops.multiply(signed(y_true), y_pred)), 0.0)), axis=-1)


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-mean(t log p + (1 - t) log(1 - p)), safe: on the logits where y_pred is a traced sigmoid's output."""
    y_true, y_pred = align(y_true, y_pred)
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), 0.5 * label_smoothing)
    logits = y_pred if from_logits else source_op(y_pred, "sigmoid")
    if logits is not None:
        tail = ops.softplus(ops.negative(ops.abs(logits)))
        value = ops.add(ops.subtract(ops.relu(logits), ops.multiply(logits, y_true)), tail)
        return ops.mean(value, axis=axis)
    eps = config.epsilon()
    p = ops.clip(y_pred, eps, 1.0 - eps)
    value = ops.add(
        ops.multiply(y_true, ops.log(p)), ops.multiply(ops.subtract(1.0, y_true), ops.log(ops.subtract(1.0, p)))
    )
    return ops.negative(ops.mean(value, axis=axis))


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-sum(t log p) over classes; probabilities are normalised and clipped to [epsilon, 1 - epsilon]."""
    y_pred = float_array(y_pred)
    y_true = cast(y_true if hasattr(y_true, "shape") else np.asarray(y_true), dtype_of(y_pred))
    if tuple(y_true.shape) != tuple(y_pred.shape):
        raise ValueError(
            f"categorical_crossentropy: y_true and y_pred of one shape expected, got {tuple(y_true.shape)} and "
            f"{tuple(y_pred.shape)}; for integer labels use sparse_categorical_crossentropy"
        )
    if label_smoothing:
        y_true = ops.add(ops.multiply(y_true, 1.0 - label_smoothing), label_smoothing / y_pred.shape[-1])
    logits = y_pred if from_logits else source_op(y_pred, "softmax")
    if logits is not None:
        return ops.negative(ops.sum(ops.multiply(y_true, log_softmax(logits, axis)), axis=axis))
    eps = config.epsilon()
    p = ops.divide(y_pred, ops.sum(y_pred, axis=axis, keepdims=True))
    return ops.negative(ops.sum(ops.multiply(y_true, ops.log(ops.clip(p, eps, 1.0 - eps))), axis=axis))


def labels_of(y_true, y_pred):
    """Integer labels for y_pred [..., classes]: y_true without a trailing axis of 1; ValueError where shapes differ."""
    y_true = y_true if hasattr(y_true, "shape") else np.asarray(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if tuple(y_true.shape) != tuple(y_pred.shape[:-1]):
        raise ValueError(
            f"sparse labels of shape {tuple(y_pred.shape[:-1])} expected for predictions {tuple(y_pred.shape)}, got "
            f"{tuple(y_true.shape)}"
        )
    return cast(y_true, "int32")


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """categorical_crossentropy for integer labels."""
    y_pred = float_array(y_pred)
    labels = labels_of(y_true, y_pred)
    if isinstance(labels, np.ndarray):
        check_labels(labels, y_pred.shape[-1], ignore_class)
    onehot = ops.one_hot(labels, y_pred.shape[-1], dtype_of(y_pred))
    return categorical_crossentropy(onehot, y_pred, from_logits)


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


def float_type(x) -> str:
    """dtype_of a float tensor, else the default float type."""
    dtype = dtype_of(x)
    return dtype if is_float(dtype) else config.floatx()
