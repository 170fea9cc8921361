"""Convolution and pooling as functions, as in keras.ops: data_format, padding by name, numbers or tuples of sizes.

Inside, channels are always last; channels_first is transposed around the op, and passes/transposes.py removes pairs of
transposes between ops.
"""

from __future__ import annotations

from brisknet.ops.conv import conv_dgrad, conv_nhwc
from brisknet.ops.dispatch import composite, float_array
from brisknet.ops.pool import avg_pool, max_pool_nhwc
from brisknet.ops.shape import reshape, transpose
from brisknet.ops.spatial_arguments import (
    data_format_name, int_tuple, out_spatial, padding_name, padding_pairs, spatial_shape,
)  # fmt: skip

__all__ = [
    "average_pool", "conv", "conv_transpose", "convolve", "convolve_transposed", "depthwise_conv", "max_pool", "separable_conv",
    "to_channels_first", "to_channels_last", "transposed_sizes",
]  # fmt: skip


def to_channels_last(x, data_format):
    """[N,C,*S] as [N,*S,C]; x itself for channels_last."""
    return x if data_format == "channels_last" else transpose(x, (0, *range(2, len(x.shape)), 1))


def to_channels_first(x, data_format):
    """[N,*S,C] back in the caller's format."""
    return x if data_format == "channels_last" else transpose(x, (0, len(x.shape) - 1, *range(1, len(x.shape) - 1)))


def _spatial_rank(op, x, kernel=None) -> int:
    rank = len(x.shape) - 2
    if not 1 <= rank <= 3:
        raise ValueError(f"ops.{op}: inputs of rank 3 to 5 (batch, 1 to 3 spatial axes, channels) expected, got shape {tuple(x.shape)}")
    if kernel is not None and len(kernel.shape) != rank + 2:
        raise ValueError(
            f"ops.{op}: a kernel of rank {rank + 2} expected for inputs of shape {tuple(x.shape)}, got shape {tuple(kernel.shape)}"
        )
    return rank


# ---- convolution --------------------------------------------------------------------------------------------------------
def convolve(
    what, x, kernel, bias=None, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=None,
    activation="linear", alpha=0.0,
):  # fmt: skip
    """activation(conv + bias) with the arguments of Keras; `what` begins the messages of errors. groups None: from the
    channels of inputs and kernel."""
    rank = len(kernel.shape) - 2
    strides = int_tuple(strides, rank, f"{what}: strides")
    dilation = int_tuple(dilation_rate, rank, f"{what}: dilation_rate")
    padding, data_format = padding_name(padding, f"{what}: padding", rank == 1), data_format_name(data_format, f"{what}: data_format")
    x = to_channels_last(x, data_format)
    spatial, size = tuple(x.shape[1:-1]), tuple(kernel.shape[:-2])
    out_spatial(what, padding, spatial, size, strides, dilation)
    groups = _groups(what, x.shape[-1], kernel.shape) if groups is None else groups
    y = conv_nhwc(
        x, kernel, bias, strides=strides, padding=padding_pairs(padding, spatial, size, strides, dilation),
        dilation=dilation, groups=groups, activation=activation, alpha=alpha,
    )  # fmt: skip
    return to_channels_first(y, data_format)


def _groups(what, channels, kernel) -> int:
    if channels % kernel[-2]:
        raise ValueError(f"{what}: the kernel of shape {tuple(kernel)} takes {kernel[-2]} channels, but the inputs have {channels}")
    groups = channels // kernel[-2]
    if kernel[-1] % groups:
        raise ValueError(
            f"{what}: {channels} channels and a kernel of shape {tuple(kernel)} make groups={groups}, which must divide its "
            f"{kernel[-1]} filters"
        )
    return groups


@composite
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Convolution with a kernel [*K, channels / groups, filters]; the number of groups follows from the channels."""
    x, kernel = float_array(inputs), float_array(kernel)
    _spatial_rank("conv", x, kernel)
    return convolve("ops.conv", x, kernel, None, strides, padding, data_format, dilation_rate)


def depthwise_kernel(kernel):
    """[*K,C,multiplier] as the kernel [*K,1,C multiplier] of a convolution with C groups: the same order in memory."""
    return reshape(kernel, (*kernel.shape[:-2], 1, kernel.shape[-2] * kernel.shape[-1]))


@composite
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Each channel by its own `multiplier` filters: kernel [*K, channels, multiplier]."""
    x, kernel = float_array(inputs), float_array(kernel)
    _spatial_rank("depthwise_conv", x, kernel)
    channels = x.shape[-1 if data_format_name(data_format, "ops.depthwise_conv: data_format") == "channels_last" else 1]
    if kernel.shape[-2] != channels:
        raise ValueError(
            f"ops.depthwise_conv: a kernel [*size, {channels}, multiplier] expected for {channels} channels, got shape {tuple(kernel.shape)}"
        )
    return convolve(
        "ops.depthwise_conv", x, depthwise_kernel(kernel), None, strides, padding, data_format, dilation_rate, channels
    )  # fmt: skip


@composite
def separable_conv(
    inputs, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", data_format=None, dilation_rate=1
):  # fmt: skip
    """A depthwise convolution, then one of 1x1 over all its channels."""
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format)


def transposed_sizes(what, spatial, kernel, strides, padding, dilation, output_padding=None):
    """(size, padding pairs) of a transposed convolution: those of the convolution that it is the gradient of.

    Keras' sizes: "valid" (in - 1) s + max(k, s), "same" in s; with output_padding (in - 1) s + k + output_padding and
    (in - 1) s + k % 2 + output_padding. Sizes are None where the input's is open.
    """
    sizes, pairs = [], []
    for i, n in enumerate(spatial):
        k, s = (kernel[i] - 1) * dilation[i] + 1, strides[i]
        extra = None if output_padding is None else output_padding[i]
        if padding == "valid":
            left, right = 0, -(max(k, s) - k if extra is None else extra)
        else:  # JAX's amount of padding of the stretched input, taken off the k - 1 that keep everything
            total = s + k - 2 if extra is None else k + k % 2 - 2 + extra
            before = min(total // 2 + total % 2, k - 1)
            left, right = k - 1 - before, k - 1 - (total - before)
        size = None if n is None else (n - 1) * s + k - left - right
        if size is not None and size < 1:
            raise ValueError(f"{what}: spatial axis {i} of size {n} would give an output of size {size}")
        sizes.append(size)
        pairs.append((left, max(right, 0)))
    return tuple(sizes), tuple(pairs)


def convolve_transposed(what, x, kernel, strides, padding, output_padding, data_format, dilation_rate):
    """Transposed convolution with the arguments of Keras; kernel [*K, filters, channels]."""
    rank = len(kernel.shape) - 2
    strides = int_tuple(strides, rank, f"{what}: strides")
    dilation = int_tuple(dilation_rate, rank, f"{what}: dilation_rate")
    padding, data_format = padding_name(padding, f"{what}: padding"), data_format_name(data_format, f"{what}: data_format")
    if output_padding is not None:
        output_padding = int_tuple(output_padding, rank, f"{what}: output_padding", allow_zero=True)
        if any(o >= s for o, s in zip(output_padding, strides, strict=True)):
            raise ValueError(f"{what}: output_padding must be smaller than strides {strides}, got {output_padding}")
    x = to_channels_last(x, data_format)
    if x.shape[-1] != kernel.shape[-1]:
        raise ValueError(
            f"{what}: the kernel of shape {tuple(kernel.shape)} takes {kernel.shape[-1]} channels, but the inputs have {x.shape[-1]}"
        )
    size, pairs = transposed_sizes(what, x.shape[1:-1], kernel.shape[:-2], strides, padding, dilation, output_padding)
    y = conv_dgrad(x, kernel, strides=strides, padding=pairs, dilation=dilation, groups=1, size=size)
    return to_channels_first(y, data_format)


@composite
def conv_transpose(inputs, kernel, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1):
    """Transposed convolution with a kernel [*K, filters, channels], as in keras.ops."""
    x, kernel = float_array(inputs), float_array(kernel)
    _spatial_rank("conv_transpose", x, kernel)
    return convolve_transposed("ops.conv_transpose", x, kernel, strides, padding, output_padding, data_format, dilation_rate)


# ---- pooling ------------------------------------------------------------------------------------------------------------
def pool(what, op, x, pool_size, strides, padding, data_format):
    """max_pool_nhwc or avg_pool with the arguments of Keras."""
    rank = len(x.shape) - 2
    size = int_tuple(pool_size, rank, f"{what}: pool_size")
    strides = size if strides is None else int_tuple(strides, rank, f"{what}: strides")
    padding, data_format = padding_name(padding, f"{what}: padding"), data_format_name(data_format, f"{what}: data_format")
    spatial, ones = spatial_shape(x.shape, data_format), (1,) * rank
    out_spatial(what, padding, spatial, size, strides, ones)
    pairs = padding_pairs(padding, spatial, size, strides, ones)
    return to_channels_first(op(to_channels_last(x, data_format), pool=size, strides=strides, padding=pairs), data_format)


@composite
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The maximum of each window; strides None: pool_size."""
    x = float_array(inputs)
    _spatial_rank("max_pool", x)
    return pool("ops.max_pool", max_pool_nhwc, x, pool_size, strides, padding, data_format)


@composite
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, padding not counted; strides None: pool_size."""
    x = float_array(inputs)
    _spatial_rank("average_pool", x)
    return pool("ops.average_pool", avg_pool, x, pool_size, strides, padding, data_format)
