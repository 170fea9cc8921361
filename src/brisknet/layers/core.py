"""Input, Dense, Activation, Flatten, Reshape, Dropout, and ops as layers."""

from __future__ import annotations

import numpy as np

from brisknet import activations, config, initializers, ops, regularizers
from brisknet.graph.trace import current_graph
from brisknet.layers.keras_tensor import CallNode, KerasTensor
from brisknet.layers.layer import Layer, _positive_int, call_context
from brisknet.ops import random as random_ops
from brisknet.ops.activation import FROM_OUTPUT
from brisknet.ops.dispatch import apply, float_array
from brisknet.ops.linalg import dense
from brisknet.random import draw_seed
from brisknet.variables import Variable

__all__ = ["Activation", "Dense", "Dropout", "Flatten", "Input", "InputLayer", "OpLayer", "Reshape"]


def _refuse(what: str, **given) -> None:
    """ValueError for arguments that Keras has and this package does not support, unless they ask for nothing."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise ValueError(f"{what}: {name}={value!r} is not supported; leave it at its default")


def constraint(value, name: str):
    """A constraint as given: None or a callable (weight) -> weight; ValueError for anything else."""
    if value is None or callable(value) and not isinstance(value, type):
        return value
    raise ValueError(f"{name}: None or a function (weight) -> weight expected, got {value!r}")


def serialize_constraint(value):
    """None, or {"class_name", "config"} of a constraint; ValueError for one without get_config()."""
    if value is None:
        return None
    if not hasattr(value, "get_config"):
        raise ValueError(f"constraint {value!r} has no get_config() and can't be written into a config")
    return {"class_name": type(value).__name__, "config": value.get_config()}


# ---- Input ------------------------------------------------------------------------------------------------------------
class InputLayer(Layer):
    """The node that a symbolic input comes from."""

    def __init__(
        self, shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, input_tensor=None,
        optional=False, name=None, **kwargs,
    ):  # fmt: skip
        _refuse("Input", sparse=sparse, ragged=ragged, tensor=input_tensor, optional=optional)
        super().__init__(name=name, dtype=dtype, **kwargs)
        if batch_shape is not None:
            batch_size, shape = tuple(batch_shape)[0], tuple(batch_shape)[1:]
        if shape is None:
            raise ValueError("Input: shape must be given, e.g. Input(shape=(10,)) for rows of 10 features")
        if isinstance(shape, (int, np.integer)):
            raise ValueError(f"Input: shape must be a tuple, got the number {shape}; write shape=({shape},)")
        for d in shape:
            if d is not None:
                _positive_int(d, "Input: every size of shape")
        self.batch_shape = (batch_size, *shape)
        self.built = True
        CallNode(self, (), {}, KerasTensor(self.batch_shape, self.dtype, name=self.name))

    def call(self):
        """Inputs are fed, not computed."""
        return self._inbound_nodes[0].outputs

    def get_config(self):
        return {"batch_shape": self.batch_shape, "dtype": self.dtype, "sparse": False, "ragged": False,
                "optional": False, "name": self.name}  # fmt: skip

    @property
    def output(self):
        return self._inbound_nodes[0].outputs


def Input(
    shape=None, batch_size=None, dtype=None, sparse=None, ragged=None, batch_shape=None, name=None, tensor=None,
    optional=False,
):  # fmt: skip
    """A symbolic input: shape without the batch (None where open), dtype float32 by default.

    sparse, ragged, tensor and optional are Keras' arguments; ValueError where they ask for something.
    """
    return InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape=batch_shape, input_tensor=tensor, optional=optional,
        name=name,
    ).output  # fmt: skip


class OpLayer(Layer):
    """An op that was called on symbolic tensors, as a layer of the functional graph."""

    def __init__(self, op, inputs=(), attrs=None, name=None, **kwargs):
        from brisknet.utils.naming import auto_name

        super().__init__(name=name or auto_name(op), **kwargs)
        self.op, self.attrs = op, {k: _tuples(v) for k, v in (attrs or {}).items()}
        # An input that is no symbolic tensor is a constant; in a config: None, or {"value", "dtype"}.
        self._pattern = [None if x is None or isinstance(x, KerasTensor) else _constant(x) for x in inputs]
        self.built = True

    def call(self, *tensors):
        todo = list(tensors)
        inputs = [todo.pop(0) if fixed is None else fixed for fixed in self._pattern]
        return apply(self.op, inputs, **self._attrs_for(tensors))

    def _attrs_for(self, tensors):
        if self.op in ("reshape", "broadcast_to") and any(d is None for d in self.attrs["shape"]):
            return {**self.attrs, "shape": tuple(-1 if d is None else d for d in self.attrs["shape"])}
        return self.attrs

    def _call_on_history(self, inputs):
        return self(*[x for x in inputs if isinstance(x, KerasTensor)])

    def get_config(self):
        constants = [None if x is None else {"value": x.tolist(), "dtype": x.dtype.name} for x in self._pattern]
        return {"op": self.op, "inputs": constants, "attrs": self.attrs, "name": self.name}


def _constant(x):
    if isinstance(x, dict):
        return np.asarray(x["value"], x["dtype"])
    return np.asarray(x.value if isinstance(x, Variable) else x)


def _tuples(x):
    """Lists as tuples, at any depth: what a config in JSON has made of the attributes of an op."""
    return tuple(_tuples(v) for v in x) if isinstance(x, (list, tuple)) else x


# ---- Dense ------------------------------------------------------------------------------------------------------------
# Activations that dense applies itself, and the slope or alpha that their function has by default.
_FUSED = {"relu": 0.0, "leaky_relu": 0.2, "elu": 1.0, "tanh": 0.0, "linear": 0.0}


class Dense(Layer):
    """y = activation(x kernel + bias) over the last axis: [..., in] -> [..., units], any rank >= 2."""

    def __init__(
        self, units, activation=None, use_bias=True, kernel_initializer="glorot_uniform", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        bias_constraint=None, lora_rank=None, lora_alpha=None, quantization_config=None, **kwargs,
    ):  # fmt: skip
        _refuse("Dense", lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = _positive_int(units, "Dense: units")
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
        return (*input_shape[:-1], self.units)

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


class Activation(Layer):
    """activation(x), by name or as a callable."""

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs):
        return self.activation(inputs)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


# ---- shape ------------------------------------------------------------------------------------------------------------
class Flatten(Layer):
    """[batch, ...] -> [batch, product of the rest]; channels_first is put last first, as in Keras."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format or config.image_data_format()
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(f'Flatten: data_format must be "channels_last" or "channels_first", got {data_format!r}')
        self.built = True

    def call(self, inputs):
        ndim = len(inputs.shape)
        if self.data_format == "channels_first" and ndim > 2:
            inputs = ops.transpose(inputs, [0, *range(2, ndim), 1])
        return ops.reshape(inputs, (inputs.shape[0], int(np.prod(inputs.shape[1:], dtype=np.int64))))

    def compute_output_shape(self, input_shape):
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else int(np.prod(rest, dtype=np.int64)))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """[batch, ...] -> [batch, *target_shape]; one size may be -1."""

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1 or any(d < -1 or d == 0 for d in self.target_shape):
            raise ValueError(
                f"Reshape: target_shape needs positive sizes and at most one -1, got {self.target_shape}"
            )
        self.built = True

    def _check_input(self, shape):
        if None not in shape[1:]:
            ops.shape.resolve_shape(tuple(shape[1:]), self.target_shape, f"Reshape {self.name!r}")

    def call(self, inputs):
        rest = ops.shape.resolve_shape(tuple(inputs.shape[1:]), self.target_shape, f"Reshape {self.name!r}")
        return ops.reshape(inputs, (inputs.shape[0], *rest))

    def compute_output_shape(self, input_shape):
        rest = tuple(input_shape[1:])
        if None in rest:
            return (input_shape[0], *(None if d == -1 else d for d in self.target_shape))
        return (input_shape[0], *ops.shape.resolve_shape(rest, self.target_shape, f"Reshape {self.name!r}"))

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


# ---- Dropout ----------------------------------------------------------------------------------------------------------
def check_rate(rate, name: str) -> float:
    """A dropout rate as a float; ValueError unless 0 <= rate <= 1."""
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.floating)) or not 0 <= rate <= 1:
        raise ValueError(f"{name}: rate must be a number in [0, 1], got {rate!r}")
    return float(rate)


class Dropout(Layer):
    """Sets a share `rate` of the inputs to 0 during training and scales the others by 1 / (1 - rate).

    noise_shape   sizes of 1 (or None: the input's) along which one draw is shared
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = check_rate(rate, "Dropout")
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self._key = draw_seed(seed)
        self._eager_step = 0
        self.built = True

    def _step(self):
        """The step counter of the model under way, or a counter of the layer's own outside any model."""
        context = call_context()
        if current_graph() is not None and context is not None and context.model is not None:
            return context.model._step_counter
        self._eager_step += 1
        return np.array(self._eager_step, np.int64)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        x = float_array(inputs)
        if self.rate == 1:
            return ops.multiply(x, 0.0)
        step = self._step()
        if self.noise_shape is None:
            return random_ops.dropout(x, step, self.rate, self._key)
        shape = tuple(d if n is None else n for d, n in zip(x.shape, self.noise_shape, strict=True))
        ones = np.ones(shape, str(x.dtype))
        if current_graph() is not None:
            ones = current_graph().add_constant(ones)
        return ops.multiply(x, random_ops.dropout(ones, step, self.rate, self._key))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed, "noise_shape": self.noise_shape}
