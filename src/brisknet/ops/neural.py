"""Losses of single elements, batch normalisation, attention and other functions of keras.ops.nn."""

from __future__ import annotations

import math

import numpy as np

from brisknet.ops import elementwise as ew
from brisknet.ops.dispatch import cast, composite, dtype_of, is_float, number_array
from brisknet.ops.gather import getitem, take_along_axis
from brisknet.ops.reduction import max as reduce_max
from brisknet.ops.reduction import mean, normalize_axes, one_hot
from brisknet.ops.reduction import sum as reduce_sum
from brisknet.ops.shape import expand_dims, moved, reshape

__all__ = [
    "batch_normalization", "binary_crossentropy", "categorical_crossentropy", "dot_product_attention", "extract_sequences",
    "in_top_k", "multi_hot", "psnr", "sparse_categorical_crossentropy",
]  # fmt: skip

EPSILON = 1e-7


def _one_shape(target, output, name):
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(f"{name}: target and output of one shape expected, got {tuple(target.shape)} and {tuple(output.shape)}")


@composite
def binary_crossentropy(target, output, from_logits=False):
    """-(t log p + (1 - t) log(1 - p)) element by element; p is output, clipped to [1e-7, 1 - 1e-7], or its sigmoid."""
    output = ew.as_floats(output)
    target = cast(number_array(target), dtype_of(output))
    _one_shape(target, output, "binary_crossentropy")
    if from_logits:  # max(x, 0) - x t + log(1 + exp(-|x|))
        return ew.add(
            ew.subtract(ew.maximum(output, 0.0), ew.multiply(output, target)), ew.log1p(ew.exp(ew.negative(ew.abs(output))))
        )
    p = ew.clip(output, EPSILON, 1.0 - EPSILON)
    other = ew.multiply(ew.subtract(1.0, target), ew.log(ew.subtract(1.0, p)))
    return ew.negative(ew.add(ew.multiply(target, ew.log(p)), other))


def _log_probabilities(output, from_logits, axis):
    from brisknet.ops.activation import log_softmax

    if from_logits:
        return log_softmax(output, axis=axis)
    output = ew.divide(output, reduce_sum(output, axis=axis, keepdims=True))
    return ew.log(ew.clip(output, EPSILON, 1.0 - EPSILON))


@composite
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(target log p) along axis; p is output, scaled to a sum of 1 and clipped, or its softmax."""
    output = ew.as_floats(output)
    target = cast(number_array(target), dtype_of(output))
    _one_shape(target, output, "categorical_crossentropy")
    if not output.shape:
        raise ValueError("categorical_crossentropy: target and output of rank >= 1 expected, got rank 0")
    return ew.negative(reduce_sum(ew.multiply(target, _log_probabilities(output, from_logits, axis)), axis=axis))


@composite
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log p of the class that the int target names; p is output, scaled to a sum of 1 and clipped, or its softmax."""
    output, target = ew.as_floats(output), number_array(target)
    if len(target.shape) == len(output.shape) and target.shape[-1] == 1:
        target = reshape(target, tuple(target.shape[:-1]))
    output = moved(output, axis, -1)
    if tuple(target.shape) != tuple(output.shape[:-1]):
        raise ValueError(
            "sparse_categorical_crossentropy: a class for each row of output expected, got target of shape "
            f"{tuple(target.shape)} and output of shape {tuple(output.shape)}"
        )
    log_p = _log_probabilities(output, from_logits, -1)
    hot = one_hot(target, output.shape[-1], dtype=dtype_of(log_p))
    return ew.negative(reduce_sum(ew.multiply(hot, log_p), axis=-1))


@composite
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """1 for every class that a row of the int inputs names; the axis of classes is in place of the last one, at `axis`."""
    if num_classes is None and "num_tokens" in kwargs:
        num_classes = kwargs.pop("num_tokens")
    if kwargs or num_classes is None:
        raise TypeError(f"multi_hot: num_classes expected and no other arguments, got {sorted(kwargs)}")
    inputs = number_array(inputs)
    reduced = 1 if len(inputs.shape) > 1 else 0
    return reduce_max(one_hot(inputs, num_classes, axis=axis, dtype=dtype, sparse=sparse), axis=reduced)


@composite
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """(x - mean) / sqrt(variance + epsilon) scale + offset, each of these one number for an index of axis."""
    x = ew.as_floats(x)
    (axis,) = normalize_axes(int(axis), len(x.shape), "batch_normalization")
    shape = [x.shape[axis] if i == axis else 1 for i in range(len(x.shape))]
    mean, variance, offset, scale = (None if v is None else reshape(number_array(v), shape) for v in (mean, variance, offset, scale))
    factor = ew.rsqrt(ew.add(variance, float(epsilon)))
    factor = factor if scale is None else ew.multiply(factor, scale)
    out = ew.multiply(ew.subtract(x, mean), factor)
    return out if offset is None else ew.add(out, offset)


@composite
def in_top_k(targets, predictions, k):
    """Whether each target class is among the k largest predictions of its row; NaN and infinities are never."""
    targets, predictions = cast(number_array(targets), "int32"), ew.as_floats(predictions)
    chosen = take_along_axis(predictions, expand_dims(targets, -1), axis=-1)
    larger = reduce_sum(ew.greater(predictions, chosen), axis=-1)
    finite = ew.less(ew.abs(getitem(chosen, (..., 0))), np.inf)
    return ew.logical_and(ew.less(larger, int(k)), finite)


@composite
def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in decibels: 20 log10(max_val) - 10 log10(mean((x1 - x2)^2))."""
    from brisknet.ops.arithmetic import log10

    x1, x2 = ew.as_floats(x1), ew.as_floats(x2)
    _one_shape(x1, x2, "psnr")
    error = mean(ew.square(ew.subtract(x1, x2)))
    return ew.subtract(20.0 * math.log10(max_val), ew.multiply(log10(error), 10.0))


@composite
def extract_sequences(x, sequence_length, sequence_stride):
    """[..., n, sequence_length]: windows of the last axis, sequence_stride apart."""
    x = number_array(x)
    n = (x.shape[-1] - sequence_length) // sequence_stride + 1
    if n < 1:
        raise ValueError(f"extract_sequences: sequence_length {sequence_length} is more than the size {x.shape[-1]} of the last axis")
    return getitem(x, (..., np.arange(n)[:, None] * sequence_stride + np.arange(sequence_length)))


@composite
def dot_product_attention(
    query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None, attn_logits_soft_cap=None
):
    """softmax(query key^T scale + bias) value for tensors [batch, length, heads, dim]; scale None is 1 / sqrt(dim).

    mask   True where a key may be looked at, [batch, heads, queries, keys] or what broadcasts to it
    """
    from brisknet.ops.activation import softmax, tanh
    from brisknet.ops.einsum import einsum

    query, key, value = ew.as_floats(query), ew.as_floats(key), ew.as_floats(value)
    if any(len(t.shape) != 4 for t in (query, key, value)):
        shapes = [tuple(t.shape) for t in (query, key, value)]
        raise ValueError(f"dot_product_attention: query, key and value of rank 4 expected, got shapes {shapes}")
    if flash_attention:
        raise ValueError("dot_product_attention: flash_attention=True is a kernel of GPUs, which brisknet does not use")
    groups = query.shape[2] // key.shape[2]
    if groups > 1:  # several heads of the query share one of the keys
        from brisknet.ops.moving import repeat

        key, value = repeat(key, groups, axis=2), repeat(value, groups, axis=2)
    logits = einsum("btnh,bsnh->bnts", query, key)
    logits = ew.multiply(logits, 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if attn_logits_soft_cap is not None:
        logits = ew.multiply(tanh(ew.divide(logits, attn_logits_soft_cap)), attn_logits_soft_cap)
    logits = logits if bias is None else ew.add(logits, bias)
    if mask is not None and is_float(dtype_of(mask)):
        raise TypeError("dot_product_attention: mask must be bool, True where a key may be looked at; what is added is bias")
    if is_causal:
        causal = np.tri(query.shape[1], key.shape[1], dtype=bool)
        mask = causal if mask is None else ew.logical_and(mask, causal)
    if mask is not None:
        logits = ew.where(mask, logits, -0.7 * float(np.finfo(np.float32).max))
    return einsum("bnts,bsnh->btnh", softmax(logits, axis=-1), value)
