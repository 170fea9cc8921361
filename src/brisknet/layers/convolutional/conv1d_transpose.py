"""Conv1DTranspose."""

from __future__ import annotations

from brisknet.layers.convolutional.base_conv_transpose import BaseConvTranspose

__all__ = ["Conv1DTranspose"]


class Conv1DTranspose(BaseConvTranspose):
    """Transposed convolution (the gradient of Conv1D as a layer): strides enlarge the output.

    Sizes: "valid" (n - 1) strides + max(kernel, strides), "same" n strides; with output_padding p (< strides)
    (n - 1) strides + kernel + p and (n - 1) strides + kernel % 2 + p. Other arguments as in Conv1D.
    """

    rank = 1
