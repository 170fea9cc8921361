"""BaseConv: convolution with a kernel over all channels of a group."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.convolutional.base_convolution import BaseConvolution
from brisknet.ops.spatial import convolve
from brisknet.ops.spatial_arguments import out_spatial

__all__ = ["BaseConv"]


class BaseConv(BaseConvolution):
    """activation(convolution of inputs with kernel [*kernel_size, channels / groups, filters] + bias [filters])."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, groups=1, activation=None,
        use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        given = dict(locals())
        self._take_refused(kwargs)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        what = type(self).__name__
        self.filters = positive_int(filters, f"{what}: filters")
        self.groups = positive_int(groups, f"{what}: groups")
        if self.filters % self.groups:
            raise ValueError(f"{what}: groups={self.groups} must divide filters={self.filters}")
        self._setup(given, given, causal=self.rank == 1)

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"{self._label()}: groups={self.groups} must divide the channels of the input, which has {channels} (shape "
                f"{tuple(input_shape)})"
            )
        self.compute_output_shape(input_shape)
        self._built_channels = channels
        self.kernel = self._add("kernel", "kernel", (*self.kernel_size, channels // self.groups, self.filters))
        self._add_bias(self.filters)

    def convolution_op(self, inputs, kernel):
        """The convolution alone, without bias and activation; a layer of one's own may change the kernel here."""
        return convolve(
            self._label(), self._floats(inputs), kernel, None, self.strides, self.padding, self.data_format,
            self.dilation_rate, self.groups,
        )  # fmt: skip

    def call(self, inputs):
        if type(self).convolution_op is not BaseConv.convolution_op:
            y = self._biased(self.convolution_op(inputs, self.kernel))
            return self.activation(y)
        kind, alpha = self._fused()
        y = convolve(
            self._label(), self._floats(inputs), self.kernel, self.bias, self.strides, self.padding, self.data_format,
            self.dilation_rate, self.groups, kind, alpha,
        )  # fmt: skip
        return self._activated(y)

    def compute_output_shape(self, input_shape):
        self._channels(input_shape)
        spatial = out_spatial(
            self._label(), self.padding, self._spatial(input_shape), self.kernel_size, self.strides, self.dilation_rate
        )
        return self._shaped(input_shape[0], spatial, self.filters)

    def get_config(self):
        return self._config({"filters": self.filters, "groups": self.groups})
