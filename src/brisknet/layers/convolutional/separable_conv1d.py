"""SeparableConv1D."""

from __future__ import annotations

from brisknet.layers.convolutional.base_separable_conv import BaseSeparableConv

__all__ = ["SeparableConv1D"]


class SeparableConv1D(BaseSeparableConv):
    """A depthwise convolution (depth_multiplier filters a channel), then one of size 1 to `filters` channels; bias and
    activation come after both. Other arguments as in Conv1D."""

    rank = 1
