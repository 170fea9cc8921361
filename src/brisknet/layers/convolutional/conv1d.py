"""Conv1D."""

from __future__ import annotations

from brisknet.layers.convolutional.base_conv import BaseConv

__all__ = ["Conv1D"]


class Conv1D(BaseConv):
    """Convolution over steps: [batch, steps, channels] -> [batch, new steps, filters]; padding may be "causal", too.

    filters         number of output channels
    kernel_size     size of the window, an int or 1 of them; strides and dilation_rate alike (not both > 1)
    padding         "valid" (none) or "same" (ceil(size / strides) outputs) or "causal" (in front only)
    data_format     "channels_last" (config.image_data_format() by default) or "channels_first"
    groups          channels and filters are split into so many independent convolutions
    activation, use_bias, *_initializer, *_regularizer, *_constraint   as in Dense

    ValueError for inputs of another rank, channels that groups do not divide, and windows that do not fit.
    """

    rank = 1
