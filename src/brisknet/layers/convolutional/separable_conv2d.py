"""SeparableConv2D."""

from __future__ import annotations

from brisknet.layers.convolutional.base_separable_conv import BaseSeparableConv

__all__ = ["SeparableConv2D"]


class SeparableConv2D(BaseSeparableConv):
    """A depthwise convolution (depth_multiplier filters a channel), then one of size 1 to `filters` channels; bias and
    activation come after both. Other arguments as in Conv2D."""

    rank = 2
