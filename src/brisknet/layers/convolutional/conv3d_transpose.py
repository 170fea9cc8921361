"""Conv3DTranspose."""

from __future__ import annotations

from brisknet.layers.convolutional.base_conv_transpose import BaseConvTranspose

__all__ = ["Conv3DTranspose"]


class Conv3DTranspose(BaseConvTranspose):
    """Transposed convolution (the gradient of Conv3D as a layer): strides enlarge the output.

    Sizes: "valid" (n - 1) strides + max(kernel, strides), "same" n strides; with output_padding p (< strides)
    (n - 1) strides + kernel + p and (n - 1) strides + kernel % 2 + p. Other arguments as in Conv3D.
    """

    rank = 3

    def __init__(  # data_format comes before output_padding, as in Keras
        self, filters, kernel_size, strides=(1, 1, 1), padding="valid", data_format=None, output_padding=None,
        dilation_rate=(1, 1, 1), activation=None, use_bias=True, kernel_initializer="glorot_uniform",
        bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
