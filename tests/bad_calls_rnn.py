"""Bad calls of recurrent layers: cells that are none, states and masks of other
shapes, empty sequences."""

import numpy as np

from brisknet import layers as L
from brisknet.models import Sequential
from tests.bad_calls import case


def recurrent():
    model = Sequential([L.Input((4, 3)), L.Masking(), L.GRU(3, return_sequences=True), L.LSTM(2), L.Dense(1)])
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    return model, rng.normal(size=(6, 4, 3)).astype("float32"), rng.normal(size=(6, 1)).astype("float32")


def made(name, make, error, *fragments):
    case(name, recurrent, lambda m, x, y: make(), error, *fragments)


def called(name, layer, *fragments, **kwargs):
    """A new layer on the sequences [6, 4, 3]."""
    case(name, recurrent, lambda m, x, y: layer()(x, **kwargs), ValueError, *fragments)


def zeros(*shape):
    return np.zeros(shape, np.float32)


made("rnn units zero", lambda: L.LSTM(0), ValueError, "LSTMCell: units", "positive integer", "0")
made("rnn units float", lambda: L.GRUCell(2.5), ValueError, "GRUCell: units", "2.5")
made("rnn dropout", lambda: L.GRU(3, dropout=1.5), ValueError, "dropout", "[0, 1]", "1.5")
made("rnn recurrent dropout", lambda: L.SimpleRNN(3, recurrent_dropout=-0.1), ValueError, "recurrent_dropout", "-0.1")
made("rnn activation", lambda: L.LSTM(3, activation="tahn"), ValueError, "tahn", "tanh")
made("rnn unknown argument", lambda: L.LSTM(3, return_sequence=True), TypeError, "return_sequence", "return_sequences")
made("rnn use_cudnn", lambda: L.GRU(3, use_cudnn="yes"), ValueError, "use_cudnn", "'auto'", "'yes'")
made("rnn seed", lambda: L.LSTM(3, seed="one"), ValueError, "seed", "'one'")
made("rnn of no cell", lambda: L.RNN(3), ValueError, "RNN", "call(inputs, states)", "3")
made("rnn of a dense layer", lambda: L.RNN(L.Dense(3)), ValueError, "state_size", "Dense")
made("stacked cells empty", lambda: L.StackedRNNCells([]), ValueError, "StackedRNNCells", "list of cells", "[]")
made("stacked cells of layers", lambda: L.StackedRNNCells([L.Dense(2)]), ValueError, "state_size", "Dense")
made("bidirectional of a dense layer", lambda: L.Bidirectional(L.Dense(3)), ValueError, "recurrent layer", "Dense")
made("bidirectional of nothing", lambda: L.Bidirectional(None), ValueError, "layer must be a recurrent layer", "None")
made("bidirectional mode", lambda: L.Bidirectional(L.LSTM(3), "add"), ValueError, "merge_mode", "'concat'", "'add'")
made("bidirectional same way", lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3)), ValueError, "opposite directions")
made("bidirectional of a backward layer", lambda: L.Bidirectional(L.GRU(3, go_backwards=True)), ValueError, "opposite directions",
     "go_backwards=True", "backward_layer is None")  # fmt: skip
made("bidirectional unlike", lambda: L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3, go_backwards=True, return_state=True)),
     ValueError, "agree in return_state")  # fmt: skip
made("time distributed of a number", lambda: L.TimeDistributed(3), ValueError, "TimeDistributed", "layer must be a Layer", "3")
made("time distributed rank", lambda: L.TimeDistributed(L.Dense(2))(zeros(2, 3)), ValueError, "rank >= 3", "(2, 3)")
made("masking value", lambda: L.Masking("zero"), ValueError, "mask_value", "'zero'")
made("rnn rank 2", lambda: L.LSTM(3)(zeros(2, 3)), ValueError, "steps, features", "(2, 3)")
made("rnn no steps", lambda: L.LSTM(3)(zeros(2, 0, 3)), ValueError, "at least one step", "(2, 0, 3)")
made("rnn stateful open batch", lambda: L.LSTM(3, stateful=True)(L.Input((4, 3))), ValueError, "fixed batch size", "batch_size=")

called("rnn mask shape", lambda: L.LSTM(2), "mask of shape (6, 4)", "(6, 3)", mask=np.ones((6, 3), bool))
called("rnn too few states", lambda: L.LSTM(2), "initial_state", "2 state(s)", "got 1", initial_state=[zeros(6, 2)])
called("rnn state width", lambda: L.GRU(2), "(6, 2) expected in initial_state", "(6, 4)", initial_state=[zeros(6, 4)])
called("rnn state rows", lambda: L.SimpleRNN(2), "(6, 2) expected in initial_state", "(5, 2)", initial_state=zeros(5, 2))
called("rnn state of text", lambda: L.LSTM(2), "(6, 2) expected in initial_state", "'a'", initial_state=["a", "b"])
called("rnn state none", lambda: L.GRU(2), "(6, 2) expected in initial_state", "None", initial_state=[None])
called("rnn three states", lambda: L.LSTM(2), "initial_state", "2 state(s)", "got 3", initial_state=[zeros(6, 2)] * 3)
called("bidirectional states", lambda: L.Bidirectional(L.LSTM(2)), "forward_lstm", "2 state(s)", "got 1", initial_state=[zeros(6, 2)] * 2)
called("bidirectional mask", lambda: L.Bidirectional(L.GRU(2)), "mask of shape (6, 4)", "(6, 5)", mask=np.ones((6, 5), bool))
called("stacked states", lambda: L.RNN([L.GRUCell(2), L.LSTMCell(3)]), "3 state(s) of sizes [2, 3, 3]", "got 2", initial_state=[zeros(6, 2)] * 2)


class Cell(L.Layer):
    """A cell of one state of size 3 that returns what a function makes of inputs and states."""

    state_size = 3

    def __init__(self, result):
        super().__init__()
        self.result = result

    def call(self, inputs, states):
        return self.result(inputs, states)


called("cell that returns no states", lambda: L.RNN(Cell(lambda x, s: x)), "cell Cell must return (output, new states)", "shape (6, 3)")
called("cell of too many states", lambda: L.RNN(Cell(lambda x, s: (x, [x, x]))), "[(6, 3)], got [(6, 3), (6, 3)]")
called("cell of another state", lambda: L.RNN(Cell(lambda x, s: (x, [x[:, :2]]))), "shapes of those that it is given", "[(6, 2)]")

called("time distributed mask", lambda: L.TimeDistributed(L.Dense(2)), "mask", "(6, 4)", "(6, 5)", mask=np.ones((6, 5), bool))

case("rnn other features", recurrent, lambda m, x, y: m(x[:, :, :2]), ValueError, "(rows, 4, 3)", "(6, 4, 2)")
case("rnn cell other features", recurrent, lambda m, x, y: m.layers[1].cell(zeros(6, 5), [zeros(6, 3)]), ValueError, "(batch, 3)", "(6, 5)")
