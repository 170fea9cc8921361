"""What all layers that convolve share: their arguments, checks of inputs, bias and activation, and the config."""

from __future__ import annotations

from brisknet import activations, initializers, ops, regularizers
from brisknet.layers.arguments import constraint, positive_int, refuse, serialize_constraint
from brisknet.layers.core.dense import _FUSED
from brisknet.layers.layer import Layer
from brisknet.ops.activation import FROM_OUTPUT
from brisknet.ops.dispatch import cast, dtype_of, float_array, floatx, is_float
from brisknet.ops.spatial_arguments import data_format_name, int_tuple, padding_name, spatial_shape

__all__ = ["BaseConvolution"]


class BaseConvolution(Layer):
    """Sizes, strides, padding, data_format, dilation_rate, activation and bias of a convolution over `rank` spatial axes.

    Subclasses set `rank`, and `parts`: the names that stand before _initializer, _regularizer and _constraint in their
    arguments.
    """

    rank = 2
    parts = ("kernel", "bias")

    def _setup(self, sizes: dict, options: dict, causal=False) -> None:
        """Check and keep the arguments: `sizes` those of the geometry, `options` the rest."""
        what, rank = type(self).__name__, self.rank
        self.kernel_size = int_tuple(sizes["kernel_size"], rank, f"{what}: kernel_size")
        self.strides = int_tuple(sizes["strides"], rank, f"{what}: strides")
        self.dilation_rate = int_tuple(sizes["dilation_rate"], rank, f"{what}: dilation_rate")
        self.padding = padding_name(sizes["padding"], f"{what}: padding", causal)
        self.data_format = data_format_name(sizes["data_format"], f"{what}: data_format")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{what}: strides > 1 and dilation_rate > 1 can't be combined, as in Keras; got strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )
        self.activation = activations.get(options["activation"])
        self.use_bias = bool(options["use_bias"])
        for part in self.parts:
            setattr(self, f"{part}_initializer", initializers.get(options[f"{part}_initializer"]))
            setattr(self, f"{part}_regularizer", regularizers.get(options[f"{part}_regularizer"]))
            setattr(self, f"{part}_constraint", constraint(options[f"{part}_constraint"], f"{what}: {part}_constraint"))

    @classmethod
    def _take_refused(cls, kwargs) -> None:
        """Arguments of Keras that ask for what this package does not have: ValueError unless they are at rest."""
        refuse(cls.__name__, lora_rank=kwargs.pop("lora_rank", None), lora_alpha=kwargs.pop("lora_alpha", None))

    # ---- building ---------------------------------------------------------------------------------------------------
    def _label(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    def _channels(self, shape) -> int:
        """The channels of an input shape; ValueError for a wrong rank and for an open channel axis."""
        if len(shape) != self.rank + 2:
            axes = ("batch", *("height", "width", "depth")[: self.rank]) if self.rank > 1 else ("batch", "steps")
            order = (*axes, "channels") if self.data_format == "channels_last" else (axes[0], "channels", *axes[1:])
            hint = "; add an axis of channels, x[..., None]" if len(shape) == self.rank + 1 else ""
            raise ValueError(
                f"{self._label()}: input of rank {self.rank + 2} ({', '.join(order)}) expected, got shape {tuple(shape)}{hint}"
            )
        channels = shape[-1] if self.data_format == "channels_last" else shape[1]
        if channels is None:
            raise ValueError(f"{self._label()}: the axis of channels must have a known size, got shape {tuple(shape)}")
        return positive_int(channels, f"{self._label()}: the number of channels")

    def _add(self, part: str, name: str, shape):
        return self.add_weight(
            shape, getattr(self, f"{part}_initializer"), regularizer=getattr(self, f"{part}_regularizer"),
            constraint=getattr(self, f"{part}_constraint"), name=name,
        )  # fmt: skip

    def _add_bias(self, n: int) -> None:
        self.bias = self._add("bias", "bias", (n,)) if self.use_bias else None

    def _check_input(self, shape):
        if self._channels(shape) != self._built_channels:
            raise ValueError(
                f"{self._label()}: {self._built_channels} channels expected, got {self._channels(shape)} (shape {tuple(shape)}, "
                f"data_format {self.data_format!r})"
            )
        self.compute_output_shape(shape)

    # ---- calling ----------------------------------------------------------------------------------------------------
    @staticmethod
    def _floats(inputs):
        x = float_array(inputs)
        return x if is_float(dtype_of(x)) else cast(x, floatx())

    def _fused(self):
        """(kind, alpha) of the activation where the convolution applies it itself, else ("linear", 0)."""
        name = getattr(self.activation, "__name__", "")
        if name in _FUSED and name in FROM_OUTPUT and activations._TABLE.get(name) is self.activation:
            return name, _FUSED[name]
        return "linear", 0.0

    def _activated(self, y):
        """The activation of y where the convolution has not applied it."""
        name = getattr(self.activation, "__name__", "")
        return y if name == "linear" or self._fused()[0] != "linear" else self.activation(y)

    def _biased(self, y):
        """y plus the bias of its channels."""
        if self.bias is None:
            return y
        first = self.data_format == "channels_first"
        return ops.add(y, ops.reshape(self.bias, (-1, *(1,) * self.rank)) if first else self.bias)

    # ---- shapes and config ------------------------------------------------------------------------------------------
    def _spatial(self, shape) -> tuple:
        return spatial_shape(shape, self.data_format)

    def _shaped(self, batch, spatial, channels) -> tuple:
        return (batch, *spatial, channels) if self.data_format == "channels_last" else (batch, channels, *spatial)

    def _config(self, own: dict) -> dict:
        """The config: what every layer has, `own`, and what these layers share."""
        out = {
            **super().get_config(),
            **own,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
        }
        for part in self.parts:
            out[f"{part}_initializer"] = initializers.serialize(getattr(self, f"{part}_initializer"))
            regularizer = getattr(self, f"{part}_regularizer")
            out[f"{part}_regularizer"] = regularizer and regularizers.serialize(regularizer)
            out[f"{part}_constraint"] = serialize_constraint(getattr(self, f"{part}_constraint"))
        out["activity_regularizer"] = self.activity_regularizer and regularizers.serialize(self.activity_regularizer)
        return out
