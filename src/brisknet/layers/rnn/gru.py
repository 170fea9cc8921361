"""GRU."""

from __future__ import annotations

import numpy as np

from brisknet import activations, ops
from brisknet.layers.rnn.cell_layer import CellLayer
from brisknet.layers.rnn.recurrent_cell import RecurrentCell, is_native
from brisknet.ops.dispatch import float_array
from brisknet.ops.linalg import dense
from brisknet.ops.rnn_gru import gru

__all__ = ["GRU", "GRUCell"]


class GRUCell(RecurrentCell):
    """One step of a GRU: (inputs [batch, features], [h]) -> (h, [h]). Cho et al. 2014.

    z, r = recurrent_activation(x kernel + h recurrent_kernel + biases); h = z h + (1 - z) activation(candidate).
    The gates lie in the order z r h. With reset_after, r scales the recurrent product of the candidate, and there are two
    biases [2, 3 units]: of the inputs and of the recurrent product; without, r scales h before that product.
    """

    gates = 3

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
        bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
        recurrent_dropout=0.0, reset_after=True, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, **kwargs,
        )  # fmt: skip
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = bool(reset_after)

    def _bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _input_bias(self):
        return self.bias[0] if self.use_bias and self.reset_after else self.bias

    def _recurrent_bias(self):
        return self.bias[1] if self.use_bias and self.reset_after else None

    def call(self, inputs, states, training=False):
        x, h = float_array(inputs), states[0] if isinstance(states, (list, tuple)) else states
        xs = self._dropped(x, self.get_dropout_mask(x) if training else None, training)
        hs = self._dropped(h, self.get_recurrent_dropout_mask(h) if training else None, training)
        xz, xr, xh = self._product(xs, self.kernel, self._input_bias())
        if self.reset_after:
            sz, sr, sh = self._product(hs, self.recurrent_kernel, self._recurrent_bias())
        else:
            u = self.units
            sz, sr = (dense(hs[i], self.recurrent_kernel[:, u * i : u * (i + 1)]) for i in (0, 1))
        z, r = self.recurrent_activation(ops.add(xz, sz)), self.recurrent_activation(ops.add(xr, sr))
        if self.reset_after:
            sh = ops.multiply(r, sh)
        else:
            sh = dense(ops.multiply(r, hs[2]), self.recurrent_kernel[:, 2 * u :])
        candidate = self.activation(ops.add(xh, sh))
        new = ops.add(ops.multiply(z, h), ops.multiply(ops.subtract(1.0, z), candidate))
        return new, [new] if isinstance(states, (list, tuple)) else new

    def _has_kernel(self):
        return self.reset_after and is_native(self.activation, "tanh") and is_native(self.recurrent_activation, "sigmoid")

    def _whole(self, xp, states, mask):
        bias = self._recurrent_bias() if self.use_bias else np.zeros((3 * self.units,), self.dtype)
        return gru(xp, *states, self.recurrent_kernel, bias, mask)

    def get_config(self):
        return {
            **super().get_config(),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "reset_after": self.reset_after,
        }


class GRU(CellLayer):
    """A GRU over sequences [batch, steps, features]: the last output [batch, units], or all with return_sequences.

    With the default activations and reset_after the whole sequence is one kernel; with others, or with recurrent dropout
    in training, the steps are laid out in the graph one by one. `unroll` and `use_cudnn` are Keras' arguments and change
    nothing. The other arguments are those of GRUCell and RNN.
    """

    cell_class, cell_name = GRUCell, "gru_cell"

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False,
        go_backwards=False, stateful=False, unroll=False, reset_after=True, use_cudnn="auto", **kwargs,
    ):  # fmt: skip
        self._start(locals())
