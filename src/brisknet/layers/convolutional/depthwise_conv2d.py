"""DepthwiseConv2D."""

from __future__ import annotations

from brisknet.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv

__all__ = ["DepthwiseConv2D"]


class DepthwiseConv2D(BaseDepthwiseConv):
    """Convolution of each channel for itself: depth_multiplier filters a channel. Other arguments as in Conv2D."""

    rank = 2
