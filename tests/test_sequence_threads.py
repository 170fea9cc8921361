"""Sequences give the same bits for any number of threads: recurrent layers, attention, embeddings, generation; and a step of
any of them is native throughout (a fallback would warn, and warnings are errors here)."""

import numpy as np
import pytest

import brisknet as bk
from brisknet import config, layers

pytestmark = pytest.mark.skipif(not config.native_available(), reason="needs the native executor")
RNG = np.random.default_rng(2)
IDS = RNG.integers(1, 9, (23, 4)).astype("int32")
IDS[:, 2:] *= RNG.integers(0, 2, (23, 2))  # padding
LABELS = np.arange(23) % 3


class Own(layers.Layer):
    """A cell of one's own with two states."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units, units]

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
        self.u = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="u")

    def call(self, inputs, states):
        h = bk.ops.tanh(inputs @ self.w + states[0] @ self.u)
        return h, [h, 0.5 * states[1] + h]


def attended(layer, **call):
    """A layer's attention of x to itself as a function of x."""
    return lambda x: layer(x, x, **call)


MAKES = {
    "lstm": lambda: layers.LSTM(19, return_sequences=True, recurrent_dropout=0.3, dropout=0.2),
    "lstm_whole": lambda: layers.LSTM(19, return_sequences=True, dropout=0.2),
    "gru": lambda: layers.GRU(19, return_sequences=True, recurrent_dropout=0.3),
    "gru_whole": lambda: layers.GRU(19, return_sequences=True, go_backwards=True),
    "gru_reset_before": lambda: layers.GRU(19, return_sequences=True, reset_after=False, dropout=0.2),
    "simple_rnn": lambda: layers.SimpleRNN(19, return_sequences=True, recurrent_dropout=0.3),
    "simple_rnn_whole": lambda: layers.SimpleRNN(19, "relu", return_sequences=True),
    "bidirectional": lambda: layers.Bidirectional(layers.GRU(9, return_sequences=True), "mul"),
    "own_cell": lambda: layers.RNN(Own(13), return_sequences=True),
    "stacked": lambda: layers.RNN([layers.LSTMCell(7), layers.GRUCell(5)], return_sequences=True),
    "time_distributed": lambda: layers.TimeDistributed(layers.Dense(17, "relu")),
    "multi_head": lambda: attended(layers.MultiHeadAttention(3, 7), use_causal_mask=True),
    "multi_head_dropout": lambda: attended(layers.MultiHeadAttention(2, 5, dropout=0.3)),
    "grouped": lambda: attended(layers.GroupQueryAttention(6, 4, 2)),
    "dot": lambda: lambda x: layers.Attention(use_scale=True)([x, x]),
    "additive": lambda: lambda x: layers.AdditiveAttention(dropout=0.2)([x, x]),
    "rotary": lambda: lambda x: attended(layers.MultiHeadAttention(2, 4))(layers.RotaryEmbedding()(x)),
}


@pytest.fixture
def threads(monkeypatch):
    """Runs a function on 1, 2 and 3 threads, even the smallest work on all of them; gives the three results."""
    monkeypatch.setenv("BRISKNET_THREAD_FLOPS", "0")
    before = config.backend(), config.num_threads()
    config.set_backend("native")

    def run(fn):
        found = []
        for n in (1, 2, 3):
            config.set_num_threads(n)
            found.append(fn())
        return found

    yield run
    config.set_backend(before[0])
    config.set_num_threads(before[1])


def same(results):
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("name", MAKES)
def test_training(name, threads):
    def weights():
        bk.utils.set_random_seed(3)
        ids = bk.Input((4,), dtype="int32")
        x = layers.Embedding(9, 8, mask_zero=True)(ids)
        y = layers.GlobalAveragePooling1D()(MAKES[name]()(x))
        model = bk.Model(ids, layers.Dense(3, "softmax")(y))
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(IDS, LABELS, batch_size=23, epochs=2, verbose=0)
        return [*model.get_weights(), model.predict(IDS, verbose=0)]

    same(threads(weights))


def test_embeddings_whose_rows_meet(threads):
    """Thousands of gradients for a few rows: they are summed in one order."""
    ids = np.random.default_rng(0).integers(0, 5, (64, 50)).astype("int32")

    def weights():
        bk.utils.set_random_seed(3)
        model = bk.Sequential([bk.Input((50,), dtype="int32"), layers.Embedding(7, 33), layers.Flatten(), layers.Dense(1)])
        model.compile(bk.optimizers.SGD(0.1), "mse")
        model.fit(ids, ids[:, :1].astype("float32"), batch_size=32, epochs=2, verbose=0)
        return model.get_weights()

    same(threads(weights))


def test_generation(threads):
    bk.utils.set_random_seed(4)
    ids = bk.Input((None,), dtype="int32")
    x = layers.TokenAndPositionEmbedding(31, 24, 32)(ids)
    for _ in range(2):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, 8)(y, y, use_causal_mask=True)
        x = x + layers.Dense(32)(layers.Dense(64, "gelu")(layers.LayerNormalization()(x)))
    model = bk.Model(ids, layers.Dense(31)(x))
    model.set_weights([w + 0.2 * RNG.standard_normal(w.shape) for w in model.get_weights()])
    texts = threads(lambda: [model.generate([[1, 2, 3], [4, 5, 6]], 20, temperature=0.9, top_k=9, top_p=0.95, seed=5)])
    same(texts)
    assert len(set(texts[0][0][0].tolist())) > 3
