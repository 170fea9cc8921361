"""Recurrent layers in models: training, states across batches, dropout, masks by Masking, threads."""

import numpy as np
import pytest

import brisknet as bk
from brisknet import config, layers

KINDS = [layers.LSTM, layers.GRU, layers.SimpleRNN]


def sequences(rows=12, steps=6, features=2, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, steps, features)).astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_training_learns_a_sum(kind, backend):
    x = sequences(64)
    y = x.sum((1, 2))[:, None] / 4
    model = bk.Sequential([bk.Input((6, 2)), kind(8, return_sequences=True), kind(8), layers.Dense(1)])
    model.compile(bk.optimizers.Adam(0.02), "mse")
    history = model.fit(x, y, epochs=12, batch_size=16, verbose=0)
    assert history.history["loss"][-1] < 0.4 * history.history["loss"][0]


@pytest.mark.skipif(not config.native_available(), reason="needs the native executor")
@pytest.mark.parametrize("kind", KINDS)
def test_both_executors_train_alike_and_threads_change_no_bit(kind, monkeypatch):
    monkeypatch.setenv("BRISKNET_THREAD_FLOPS", "0")  # threads even for this small model
    x = sequences(21, 5, 3)
    y = np.float32(x[:, :, 0].sum(1))[:, None]

    def weights(backend, threads):
        before = config.backend(), config.num_threads()
        config.set_backend(backend)
        config.set_num_threads(threads)
        try:
            bk.utils.set_random_seed(3)
            model = bk.Sequential([bk.Input((5, 3)), layers.Masking(), kind(19, dropout=0.2), layers.Dense(1)])
            model.compile("adam", "mse")
            model.fit(x, y, epochs=2, batch_size=8, verbose=0, shuffle=False)
            return model.get_weights()
        finally:
            config.set_backend(before[0])
            config.set_num_threads(before[1])

    one, three, reference = weights("native", 1), weights("native", 3), weights("numpy", 1)
    for a, b, c in zip(one, three, reference, strict=True):
        assert np.array_equal(a, b)
        np.testing.assert_allclose(a, c, rtol=2e-4, atol=2e-5)


@pytest.mark.skipif(not config.native_available(), reason="needs the native executor")
@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_one_buffer_do_not_meet(kind, monkeypatch):
    """States, outputs and last states share memory; with a place for each buffer, filled with NaN, nothing changes."""
    before = config.backend()
    config.set_backend("native")
    x = sequences(5, 4, 3)
    y = np.float32(x[:, :, 0].sum(1))[:, None]

    def weights():
        bk.utils.set_random_seed(3)
        i = bk.Input((4, 3), batch_size=5)
        ys, *states = kind(7, return_sequences=True, return_state=True, stateful=True)(layers.Masking()(i))
        back = kind(7)(layers.Activation("relu")(ys), initial_state=states)
        model = bk.Model(i, layers.Dense(1)(layers.Add()([back, states[-1]])))
        model.compile("adam", "mse")
        model.fit(x, y, epochs=3, batch_size=5, verbose=0, shuffle=False)
        return [*model.get_weights(), model.predict(x, batch_size=5, verbose=0)]

    try:
        packed = weights()
        monkeypatch.setenv("BRISKNET_PLANNER", "off")
        for a, b in zip(packed, weights(), strict=True):
            assert np.array_equal(a, b)
    finally:
        config.set_backend(before)


def test_stateful_layers_go_on_where_they_stopped(backend):
    x = sequences(4, 6)
    whole = layers.LSTM(3)
    model = bk.Sequential([bk.Input((2, 2), batch_size=4), layers.LSTM(3, stateful=True)])
    whole.build(x.shape)
    model.set_weights(whole.get_weights())
    parts = [model.predict(x[:, i : i + 2], batch_size=4, verbose=0) for i in (0, 2, 4)]
    np.testing.assert_allclose(parts[-1], whole(x), rtol=1e-5, atol=1e-6)
    model.layers[0].reset_state()
    np.testing.assert_allclose(model.predict(x[:, :2], batch_size=4, verbose=0), parts[0], rtol=1e-6)
    assert len(model.weights) == 3


def test_a_stateful_layer_refuses_another_batch_size_and_keeps_its_states(backend):
    model = bk.Sequential([bk.Input((3, 2), batch_size=4), layers.GRU(3, stateful=True)])
    model.predict(sequences(4, 3), batch_size=4, verbose=0)
    before = [v.numpy() for v in model.layers[0].states]
    assert np.abs(before[0]).max() > 0
    with pytest.raises(ValueError, match="stateful=True fixes the batch size, 4 rows expected, got 3"):
        model(sequences(3, 3))
    model.compile("sgd", "mse")
    weights = model.get_weights()
    with pytest.raises(ValueError, match="stateful=True fixes the batch size, 4 rows expected, got 2"):
        model.fit(sequences(6, 3), np.zeros((6, 3), np.float32), batch_size=4, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights(), strict=True))
    for v, value in zip(model.layers[0].states, before, strict=True):
        assert np.array_equal(v.numpy(), value)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_draws_once_a_call(kind, backend):
    layer = kind(40, dropout=0.5, recurrent_dropout=0.0, seed=4, use_bias=False, return_sequences=True)
    x = np.ones((2, 3, 50), np.float32)
    layer.build(x.shape)
    cell = layer.cell
    seen = []
    draw = cell._ones_dropped
    cell._ones_dropped = lambda *a: seen.append(np.asarray(draw(*a))) or seen[-1]
    first = layer(x, training=True)
    assert len(seen) == 1 and set(np.unique(seen[0])) == {0.0, 2.0}
    expected = layer(x * seen[0][:, None], training=False)
    np.testing.assert_allclose(first, expected, rtol=1e-5, atol=1e-6)
    layer(x, training=True)
    assert len(seen) == 2 and not np.array_equal(seen[0], seen[1])
    assert np.array_equal(layer(x, training=False), layer(x))


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_trains_and_predicts_without(kind, backend):
    x = sequences(8, 4)
    model = bk.Sequential([bk.Input((4, 2)), kind(5, recurrent_dropout=0.5, dropout=0.3)])
    plain = kind(5)
    plain.build(x.shape)
    model.set_weights(plain.get_weights())
    np.testing.assert_allclose(model.predict(x, verbose=0), plain(x), rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(x, np.zeros((8, 5), np.float32), batch_size=8, verbose=0)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before[:2], model.get_weights(), strict=False))


class Tanh(layers.Layer):
    """A cell of one's own: h = tanh(x w + h u)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), name="w")
        self.u = self.add_weight(shape=(self.units, self.units), initializer="orthogonal", name="u")

    def call(self, inputs, states):
        h = bk.ops.tanh(inputs @ self.w + states[0] @ self.u)
        return h, [h]


def test_a_cell_of_ones_own_over_many_steps_trains_as_the_layer_does(backend):
    """As many steps as are nodes in one chain of sums; what belongs to the whole sequence must not recurse over it."""
    x = sequences(2, 300, 1)
    trained = []
    for make in (lambda: layers.RNN(Tanh(2)), lambda: layers.SimpleRNN(2, use_bias=False)):
        bk.utils.set_random_seed(1)
        model = bk.Sequential([bk.Input((300, 1)), make()])
        model.set_weights([np.full((1, 2), 0.5), [[0.3, -0.4], [0.4, 0.3]]])
        model.compile(bk.optimizers.SGD(0.1), "mse")
        model.train_on_batch(x, np.ones((2, 2), np.float32))
        trained.append(model.get_weights())
    for a, b in zip(*trained, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_cell_alone_is_one_step_of_its_layer():
    x = sequences(3, 1, 4)
    for cell, layer in ((layers.LSTMCell(5), layers.LSTM(5)), (layers.GRUCell(5), layers.GRU(5))):
        layer.build(x.shape)
        cell.build((3, 4))
        cell.set_weights(layer.get_weights())
        out, states = cell(x[:, 0], cell.get_initial_state(3))
        np.testing.assert_allclose(out, layer(x), rtol=1e-5, atol=1e-6)
        assert len(states) == layer.cell.state_count


def test_models_with_recurrent_layers_are_saved_and_copied(tmp_path, backend):
    x = sequences(3)
    i = bk.Input((6, 2))
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(layers.Masking()(i))
    back = layers.Bidirectional(layers.GRU(2))(y, initial_state=[h[:, :2], c[:, :2]])
    model = bk.Model(i, layers.Dense(2)(back))
    out = model.predict(x, verbose=0)
    np.testing.assert_allclose(model(x), out, rtol=1e-6)
    model.save(tmp_path / "m.npz")
    again = bk.models.load_model(tmp_path / "m.npz")
    np.testing.assert_allclose(again.predict(x, verbose=0), out, rtol=1e-6)
    copy = bk.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(x, verbose=0), out, rtol=1e-6)
