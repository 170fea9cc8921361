"""BaseConvTranspose: transposed convolution."""

from __future__ import annotations

from brisknet.layers.arguments import positive_int
from brisknet.layers.convolutional.base_convolution import BaseConvolution
from brisknet.ops.spatial import convolve_transposed, transposed_sizes
from brisknet.ops.spatial_arguments import int_tuple

__all__ = ["BaseConvTranspose"]


class BaseConvTranspose(BaseConvolution):
    """activation(transposed convolution of inputs with kernel [*kernel_size, filters, channels] + bias [filters])."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", output_padding=None, data_format=None, dilation_rate=1,
        activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, **kwargs,
    ):  # fmt: skip
        given = dict(locals())
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        what = type(self).__name__
        self.filters = positive_int(filters, f"{what}: filters")
        self._setup(given, given)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = int_tuple(output_padding, self.rank, f"{what}: output_padding", allow_zero=True)
            if any(o >= s for o, s in zip(self.output_padding, self.strides, strict=True)):
                raise ValueError(
                    f"{what}: output_padding must be smaller than strides {self.strides}, got {self.output_padding}"
                )

    def build(self, input_shape):
        self._built_channels = self._channels(input_shape)
        self.compute_output_shape(input_shape)
        self.kernel = self._add("kernel", "kernel", (*self.kernel_size, self.filters, self._built_channels))
        self._add_bias(self.filters)

    def call(self, inputs):
        y = convolve_transposed(
            self._label(), self._floats(inputs), self.kernel, self.strides, self.padding, self.output_padding,
            self.data_format, self.dilation_rate,
        )  # fmt: skip
        return self.activation(self._biased(y))

    def compute_output_shape(self, input_shape):
        self._channels(input_shape)
        spatial, _ = transposed_sizes(
            self._label(), self._spatial(input_shape), self.kernel_size, self.strides, self.padding, self.dilation_rate,
            self.output_padding,
        )  # fmt: skip
        return self._shaped(input_shape[0], spatial, self.filters)

    def get_config(self):
        return self._config({"filters": self.filters, "output_padding": self.output_padding})
