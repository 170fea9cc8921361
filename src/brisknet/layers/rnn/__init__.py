"""Recurrent layers, as in keras.src.layers.rnn."""

from brisknet.layers.rnn.bidirectional import Bidirectional
from brisknet.layers.rnn.gru import GRU, GRUCell
from brisknet.layers.rnn.lstm import LSTM, LSTMCell
from brisknet.layers.rnn.rnn import RNN
from brisknet.layers.rnn.simple_rnn import SimpleRNN, SimpleRNNCell
from brisknet.layers.rnn.stacked_rnn_cells import StackedRNNCells
from brisknet.layers.rnn.time_distributed import TimeDistributed

__all__ = [
    "GRU", "LSTM", "RNN", "Bidirectional", "GRUCell", "LSTMCell", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells",
    "TimeDistributed",
]  # fmt: skip
