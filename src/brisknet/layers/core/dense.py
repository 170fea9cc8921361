"""Dense."""

from __future__ import annotations

from brisknet import activations, initializers, ops, regularizers
from brisknet.layers.arguments import constraint, positive_int, refuse, serialize_constraint
from brisknet.layers.layer import Layer
from brisknet.ops.activation import FROM_OUTPUT
from brisknet.ops.dispatch import float_array
from brisknet.ops.linalg import dense

__all__ = ["Dense"]

# Activations that dense applies itself, and the slope or alpha that their function has by default.
_FUSED = {"relu": 0.0, "leaky_relu": 0.2, "elu": 1.0, "tanh": 0.0, "linear": 0.0}


class Dense(Layer):
    """y = activation(x kernel + bias) over the last axis: [..., in] -> [..., units], any rank >= 2."""

    supports_masking = True

    def __init__(
        self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, lora_rank=None, lora_alpha=None, quantization_config=None, **kwargs,
    ):  # fmt: skip
        refuse("Dense", lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int(units, "Dense: units")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraint(kernel_constraint, "Dense: kernel_constraint")
        self.bias_constraint = constraint(bias_constraint, "Dense: bias_constraint")

    def build(self, input_shape):
        if len(input_shape) < 2:
            raise ValueError(
                f"Dense {self.name!r}: input of rank >= 2 expected, got shape {tuple(input_shape)}; "
                "give one row as x[None, :]"
            )
        if input_shape[-1] is None:
            raise ValueError(f"Dense {self.name!r}: the last axis must have a known size, got {tuple(input_shape)}")
        self.kernel = self.add_weight(
            (input_shape[-1], self.units), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def _check_input(self, shape):
        if len(shape) < 2 or (shape[-1] is not None and shape[-1] != self.kernel.shape[0]):
            raise ValueError(
                f"Dense {self.name!r}: input of shape (..., {self.kernel.shape[0]}) expected, got {tuple(shape)}"
            )

    def call(self, inputs):
        x = float_array(inputs)
        rows = ops.reshape(x, (-1, x.shape[-1])) if len(x.shape) > 2 else x
        name = getattr(self.activation, "__name__", "")
        fused = name in _FUSED and name in FROM_OUTPUT and activations._TABLE.get(name) is self.activation
        y = dense(rows, self.kernel, self.bias, name if fused else "linear", _FUSED.get(name, 0.0))
        y = ops.reshape(y, (*x.shape[:-1], self.units)) if len(x.shape) > 2 else y
        return y if fused else self.activation(y)

    def compute_output_shape(self, input_shape):
        return activations.output_shape(self.activation, (*input_shape[:-1], self.units))

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": self.kernel_regularizer and regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": self.bias_regularizer and regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": self.activity_regularizer and regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": serialize_constraint(self.kernel_constraint),
            "bias_constraint": serialize_constraint(self.bias_constraint),
            "quantization_config": None,
        }
