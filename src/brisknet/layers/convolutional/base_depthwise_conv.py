"""BaseDepthwiseConv: each channel is convolved by filters of its own."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.convolutional.base_convolution import BaseConvolution
from brisknet.ops.spatial import convolve, depthwise_kernel
from brisknet.ops.spatial_arguments import out_spatial

__all__ = ["BaseDepthwiseConv"]


class BaseDepthwiseConv(BaseConvolution):
    """Channel c gives depth_multiplier outputs, by kernel [*kernel_size, channels, depth_multiplier]; then bias, activation."""

    parts = ("depthwise", "bias")

    def __init__(
        self, kernel_size, strides=1, padding="valid", depth_multiplier=1, data_format=None, dilation_rate=1, activation=None,
        use_bias=True, depthwise_initializer="glorot_uniform", bias_initializer="zeros", depthwise_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, depthwise_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        given = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive_int(depth_multiplier, f"{type(self).__name__}: depth_multiplier")
        self._setup(given, given)

    def build(self, input_shape):
        self._built_channels = channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        self.kernel = self._add("depthwise", "kernel", (*self.kernel_size, channels, self.depth_multiplier))
        self._add_bias(channels * self.depth_multiplier)

    def call(self, inputs):
        kind, alpha = self._fused()
        y = convolve(
            self._label(), self._floats(inputs), depthwise_kernel(self.kernel), self.bias, self.strides, self.padding,
            self.data_format, self.dilation_rate, self._built_channels, kind, alpha,
        )  # fmt: skip
        return self._activated(y)

    def compute_output_shape(self, input_shape):
        channels = self._channels(input_shape)
        spatial = out_spatial(
            self._label(), self.padding, self._spatial(input_shape), self.kernel_size, self.strides, self.dilation_rate
        )
        return self._shaped(input_shape[0], spatial, channels * self.depth_multiplier)

    def get_config(self):
        return self._config({"depth_multiplier": self.depth_multiplier})
