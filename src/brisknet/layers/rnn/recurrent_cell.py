"""RecurrentCell: what the built-in cells share: arguments, weights, dropout, and running over a whole sequence at once."""

from __future__ import annotations

import numpy as np

from brisknet import activations, initializers, ops, regularizers
from brisknet.graph.trace import current_graph
from brisknet.layers.arguments import check_rate, constraint, positive_int, serialize_constraint
from brisknet.layers.regularization.random_layer import RandomLayer
from brisknet.ops import random as random_ops
from brisknet.ops.linalg import dense

__all__ = ["RecurrentCell", "is_native"]


def is_native(activation, name: str) -> bool:
    """Whether an activation is the built-in one of this name."""
    return activations._TABLE.get(name) is activation


class RecurrentCell(RandomLayer):
    """One step of a recurrent layer. Subclasses set `gates` and define call(inputs, states) and _whole().

    dropout             the share of the inputs that training drops, the same at all steps of a call
    recurrent_dropout   the same of the state that goes into the recurrent product; with it, each gate has draws of its own
    """

    gates = 1
    state_count = 1

    def __init__(
        self, units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
        recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
        recurrent_dropout, seed, **kwargs,
    ):  # fmt: skip
        kwargs.pop("implementation", None)  # Keras' argument; there is one implementation
        super().__init__(seed, **kwargs)
        self.built = False
        name = type(self).__name__
        self.units = positive_int(units, f"{name}: units")
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraint(kernel_constraint, f"{name}: kernel_constraint")
        self.recurrent_constraint = constraint(recurrent_constraint, f"{name}: recurrent_constraint")
        self.bias_constraint = constraint(bias_constraint, f"{name}: bias_constraint")
        self.dropout = check_rate(dropout, f"{name}: dropout")
        self.recurrent_dropout = check_rate(recurrent_dropout, f"{name}: recurrent_dropout")
        self.state_size = self.units if self.state_count == 1 else [self.units] * self.state_count
        self.output_size = self.units
        object.__setattr__(self, "_drawn", {})  # the masks of the call under way

    def build(self, input_shape):
        shape, name = tuple(input_shape), type(self).__name__
        if len(shape) != 2 or shape[-1] is None:
            raise ValueError(f"{name} {self.name!r}: steps of shape (batch, features) with known features expected, got {shape}")
        n = self.gates * self.units
        self.kernel = self.add_weight(
            (shape[-1], n), self.kernel_initializer, regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint, name="kernel",
        )  # fmt: skip
        self.recurrent_kernel = self.add_weight(
            (self.units, n), self.recurrent_initializer, regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint, name="recurrent_kernel",
        )  # fmt: skip
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                self._bias_shape(), self._start_of_bias(), regularizer=self.bias_regularizer,
                constraint=self.bias_constraint, name="bias",
            )  # fmt: skip

    def _bias_shape(self):
        return (self.gates * self.units,)

    def _start_of_bias(self):
        return self.bias_initializer

    def _check_input(self, shapes):
        if len(shapes) != 2 or shapes[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: steps of shape (batch, {self.kernel.shape[0]}) expected, got {shapes}"
            )

    # ---- dropout ------------------------------------------------------------------------------------------------
    def get_dropout_mask(self, step_input):
        """What training multiplies the inputs of every step with: an array, or one a gate with recurrent_dropout; or None."""
        return self._mask("inputs", step_input, self.dropout)

    def get_recurrent_dropout_mask(self, step_input):
        """The same for the state."""
        return self._mask("state", step_input, self.recurrent_dropout)

    def reset_dropout_mask(self) -> None:
        """Let the next call draw anew."""
        self._drawn.pop("inputs", None)

    def reset_recurrent_dropout_mask(self) -> None:
        self._drawn.pop("state", None)

    def _mask(self, what, x, rate):
        if rate == 0:
            return None
        if what not in self._drawn:
            count = self.gates if self.recurrent_dropout else 1
            masks = [self._ones_dropped(tuple(x.shape), str(x.dtype), rate) for _ in range(count)]
            self._drawn[what] = masks if self.recurrent_dropout else masks[0]
        return self._drawn[what]

    def _ones_dropped(self, shape, dtype, rate):
        ones = np.ones(shape, dtype)
        if rate == 1:
            return np.zeros_like(ones)
        if current_graph() is not None:
            ones = current_graph().add_constant(ones)
        step, key = self.draw()
        return random_ops.dropout(ones, step, rate, key)

    def _dropped(self, x, masks, training) -> list:
        """x for each gate: as it is, or times the draws."""
        if not training or masks is None:
            return [x] * self.gates
        masks = masks if isinstance(masks, list) else [masks] * self.gates
        return [ops.multiply(x, m) for m in masks]

    def _product(self, xs, kernel, bias=None):
        """[x kernel + bias] as a list, one entry a gate: one product where all gates have the same x."""
        u = self.units
        if all(x is xs[0] for x in xs):
            z = dense(xs[0], kernel, bias)
            return [z[:, u * i : u * (i + 1)] for i in range(self.gates)] if self.gates > 1 else [z]
        weights = [kernel[:, u * i : u * (i + 1)] for i in range(self.gates)]
        biases = [None if bias is None else bias[u * i : u * (i + 1)] for i in range(self.gates)]
        return [dense(x, w, b) for x, w, b in zip(xs, weights, biases, strict=True)]

    # ---- a whole sequence ---------------------------------------------------------------------------------------
    def runs_whole(self, training) -> bool:
        """Whether run() can do what call() does, step by step: with the built-in activations, and no recurrent dropout."""
        return self._has_kernel() and not (training and self.recurrent_dropout)

    def run(self, x, states, mask, training):
        """(outputs [T,B,units], new states) for time-major inputs [T,B,features], states and a bool mask [T,B] or None."""
        if training and self.dropout:
            drops = self.get_dropout_mask(x[0])
            x = ops.multiply(x, drops[0] if isinstance(drops, list) else drops)
        self._check_input(tuple(x.shape[1:]))
        steps, rows, features = x.shape
        flat = dense(ops.reshape(x, (steps * rows, features)), self.kernel, self._input_bias())
        ys, *new = self._whole(ops.reshape(flat, (steps, rows, self.gates * self.units)), states, mask)
        return ys, new

    def _input_bias(self):
        return self.bias

    def _has_kernel(self) -> bool:
        raise NotImplementedError

    def _whole(self, xp, states, mask):
        """(outputs, *states) from the projected inputs."""
        raise NotImplementedError

    # ---- states, shapes, config ---------------------------------------------------------------------------------
    def get_initial_state(self, batch_size=None):
        """States of zeros, [batch_size, units] each, as a list."""
        return [np.zeros((batch_size, self.units), self.dtype) for _ in range(self.state_count)]

    def compute_output_shape(self, input_shape, states_shape=None):
        rows = tuple(input_shape)[0]
        return (rows, self.units), [(rows, self.units)] * self.state_count

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": self.kernel_regularizer and regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": self.recurrent_regularizer and regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": self.bias_regularizer and regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": serialize_constraint(self.kernel_constraint),
            "recurrent_constraint": serialize_constraint(self.recurrent_constraint),
            "bias_constraint": serialize_constraint(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }
