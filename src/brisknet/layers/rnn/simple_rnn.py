"""SimpleRNN."""

from __future__ import annotations

from brisknet import ops
from brisknet.layers.rnn.cell_layer import CellLayer
from brisknet.layers.rnn.recurrent_cell import RecurrentCell, is_native
from brisknet.ops.activation import FROM_OUTPUT
from brisknet.ops.dispatch import float_array
from brisknet.ops.rnn_simple import simple_rnn

__all__ = ["SimpleRNN", "SimpleRNNCell"]

# Activations that the kernel applies itself, and the slope or alpha that their function has by default.
_FUSED = {"tanh": 0.0, "relu": 0.0, "sigmoid": 0.0, "linear": 0.0, "elu": 1.0, "leaky_relu": 0.2}


class SimpleRNNCell(RecurrentCell):
    """One step: (inputs [batch, features], [h]) -> (h, [h]); h = activation(x kernel + h recurrent_kernel + bias)."""

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
        bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0,
        recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, **kwargs,
        )  # fmt: skip

    def call(self, sequence, states, training=False):
        x, h = float_array(sequence), states[0] if isinstance(states, (list, tuple)) else states
        (x,) = self._dropped(x, self.get_dropout_mask(x) if training else None, training)
        (h,) = self._dropped(h, self.get_recurrent_dropout_mask(h) if training else None, training)
        (a,), (b,) = self._product([x], self.kernel, self.bias), self._product([h], self.recurrent_kernel)
        new = self.activation(ops.add(a, b))
        return new, [new] if isinstance(states, (list, tuple)) else new

    def _has_kernel(self):
        name = getattr(self.activation, "__name__", "")
        return name in _FUSED and name in FROM_OUTPUT and is_native(self.activation, name)

    def _whole(self, xp, states, mask):
        name = self.activation.__name__
        return simple_rnn(xp, *states, self.recurrent_kernel, mask, name, _FUSED[name])

    def get_config(self):
        return super().get_config()


class SimpleRNN(CellLayer):
    """h = activation(x kernel + h recurrent_kernel + bias) over the steps of [batch, steps, features] (Elman 1990).

    The last output [batch, units], or all with return_sequences. With an activation that has a kernel (tanh, relu, sigmoid,
    linear, elu, leaky_relu) the whole sequence is one instruction; with others, or with recurrent dropout in training, the
    steps are laid out in the graph one by one. `unroll` is Keras' argument and changes nothing. The other arguments are
    those of SimpleRNNCell and RNN.
    """

    cell_class, cell_name = SimpleRNNCell, "simple_rnn_cell"

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None, recurrent_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, return_sequences=False, return_state=False,
        go_backwards=False, stateful=False, unroll=False, seed=None, **kwargs,
    ):  # fmt: skip
        self._start(locals())
