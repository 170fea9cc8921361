"""BaseSeparableConv: a depthwise convolution, then one of 1x1 that mixes the channels."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.convolutional.base_convolution import BaseConvolution
from brisknet.ops.spatial import convolve, depthwise_kernel
from brisknet.ops.spatial_arguments import out_spatial

__all__ = ["BaseSeparableConv"]


class BaseSeparableConv(BaseConvolution):
    """activation(pointwise(depthwise(inputs)) + bias), with kernels [*kernel_size, channels, depth_multiplier] and
    [1, ..., channels depth_multiplier, filters]."""

    parts = ("depthwise", "pointwise", "bias")

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, depth_multiplier=1,
        activation=None, use_bias=True, depthwise_initializer="glorot_uniform", pointwise_initializer="glorot_uniform",
        bias_initializer="zeros", depthwise_regularizer=None, pointwise_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, depthwise_constraint=None, pointwise_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        given = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(filters, f"{type(self).__name__}: filters")
        self.depth_multiplier = positive_int(depth_multiplier, f"{type(self).__name__}: depth_multiplier")
        self._setup(given, given)

    def build(self, input_shape):
        self._built_channels = channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        middle = channels * self.depth_multiplier
        self.depthwise_kernel = self._add(
            "depthwise", "depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier)
        )
        self.pointwise_kernel = self._add("pointwise", "pointwise_kernel", (*(1,) * self.rank, middle, self.filters))
        self._add_bias(self.filters)

    def call(self, inputs):
        y = convolve(
            self._label(), self._floats(inputs), depthwise_kernel(self.depthwise_kernel), None, self.strides, self.padding,
            self.data_format, self.dilation_rate, self._built_channels,
        )  # fmt: skip
        kind, alpha = self._fused()
        y = convolve(
            self._label(), y, self.pointwise_kernel, self.bias, 1, "valid", self.data_format, 1, 1, kind, alpha
        )  # fmt: skip
        return self._activated(y)

    def compute_output_shape(self, input_shape):
        self._channels(input_shape)
        spatial = out_spatial(
            self._label(), self.padding, self._spatial(input_shape), self.kernel_size, self.strides, self.dilation_rate
        )
        return self._shaped(input_shape[0], spatial, self.filters)

    def get_config(self):
        return self._config({"filters": self.filters, "depth_multiplier": self.depth_multiplier})
