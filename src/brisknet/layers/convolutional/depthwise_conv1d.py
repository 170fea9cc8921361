"""DepthwiseConv1D."""

from __future__ import annotations

from brisknet.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv

__all__ = ["DepthwiseConv1D"]


class DepthwiseConv1D(BaseDepthwiseConv):
    """Convolution of each channel for itself: depth_multiplier filters a channel. Other arguments as in Conv1D."""

    rank = 1
