"""LSTM."""

from __future__ import annotations

import numpy as np

from brisknet import activations, initializers, ops
from brisknet.layers.rnn.cell_layer import CellLayer
from brisknet.layers.rnn.recurrent_cell import RecurrentCell, is_native
from brisknet.ops.dispatch import float_array
from brisknet.ops.rnn_lstm import lstm

__all__ = ["LSTM", "LSTMCell"]


class LSTMCell(RecurrentCell):
    """One step of an LSTM: (inputs [batch, features], [h, c]) -> (h, [h, c]). Hochreiter and Schmidhuber 1997.

    i, f, o = recurrent_activation(x kernel + h recurrent_kernel + bias); c = f c + i activation(...); h = o activation(c).
    The gates lie in the order i f c o. unit_forget_bias starts the bias of f at 1.
    """

    gates = 4
    state_count = 2

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = bool(unit_forget_bias)

    def _start_of_bias(self):
        if not self.unit_forget_bias:
            return self.bias_initializer

        def start(shape, dtype=None):
            first, ones = (self.bias_initializer((self.units,), dtype=dtype), initializers.get("ones"))
            rest = self.bias_initializer((2 * self.units,), dtype=dtype)
            return np.concatenate([np.asarray(first), np.asarray(ones((self.units,), dtype=dtype)), np.asarray(rest)])

        return start

    def call(self, inputs, states, training=False):
        x, (h, c) = float_array(inputs), states
        xs = self._dropped(x, self.get_dropout_mask(x) if training else None, training)
        hs = self._dropped(h, self.get_recurrent_dropout_mask(h) if training else None, training)
        xs, hs = self._product(xs, self.kernel, self.bias), self._product(hs, self.recurrent_kernel)
        i, f, g, o = (ops.add(a, b) for a, b in zip(xs, hs, strict=True))
        i, f, o = (self.recurrent_activation(z) for z in (i, f, o))
        c = ops.add(ops.multiply(f, c), ops.multiply(i, self.activation(g)))
        h = ops.multiply(o, self.activation(c))
        return h, [h, c]

    def _has_kernel(self):
        return is_native(self.activation, "tanh") and is_native(self.recurrent_activation, "sigmoid")

    def _whole(self, xp, states, mask):
        return lstm(xp, *states, self.recurrent_kernel, mask)

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "unit_forget_bias": self.unit_forget_bias,
        }


class LSTM(CellLayer):
    """An LSTM over sequences [batch, steps, features]: the last output [batch, units], or all with return_sequences.

    With the default activations the whole sequence is one kernel; with others, or with recurrent dropout in training,
    the steps are laid out in the graph one by one. `unroll` and `use_cudnn` are Keras' arguments and change nothing.
    The other arguments are those of LSTMCell and RNN.
    """

    cell_class, cell_name = LSTMCell, "lstm_cell"

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None,
        return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, use_cudnn="auto",
        **kwargs,
    ):  # fmt: skip
        self._start(locals())
