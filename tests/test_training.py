"""fit, evaluate, predict and what belongs to them, on both executors."""

import copy
import pickle

import numpy as np
import pytest

import brisknet as bn
from brisknet import callbacks
from brisknet.layers import Add, BatchNormalization, Concatenate, Dense, Dropout, Input
from brisknet.models import Model, Sequential


def blobs(n=200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4)).astype(np.float32)
    return x, (x[:, 0] + x[:, 1] > 0).astype(np.int64)


def classifier(**compile_args):
    model = Sequential([Input((4,)), Dense(16, activation="relu"), Dense(1, activation="sigmoid")])
    model.compile(**{"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"], **compile_args})
    return model


def test_fit_learns(backend):
    x, y = blobs()
    model = classifier()
    history = model.fit(x, y, epochs=30, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    assert model.evaluate(x, y, verbose=0)[1] > 0.9


def test_same_seed_same_bits(backend):
    x, y = blobs()
    runs = []
    for _ in range(2):
        bn.utils.set_random_seed(3)
        model = Sequential([Input((4,)), Dense(8, activation="tanh"), Dropout(0.3), Dense(1, activation="sigmoid")])
        model.compile("adam", "binary_crossentropy")
        model.fit(x, y, epochs=2, verbose=0)
        runs.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_last_smaller_batch_is_trained(backend):
    x, y = blobs(70)
    model = classifier(optimizer="sgd")
    model.fit(x, y, epochs=1, batch_size=32, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 3


def test_validation_split_takes_the_last_rows(backend):
    x, y = blobs(100)
    model = classifier()
    h = model.fit(x, y, epochs=1, validation_split=0.2, verbose=0, shuffle=False)
    assert set(h.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert h.history["val_loss"][-1] == pytest.approx(model.evaluate(x[80:], y[80:], verbose=0)[0], rel=1e-6)


def test_sample_and_class_weights(backend):
    x, y = blobs(64)
    model = classifier(metrics=None)
    w = np.where(y == 1, 2.0, 0.5)
    a = model.test_on_batch(x, y, sample_weight=w)
    p = np.clip(model.predict(x)[:, 0].astype(np.float64), 1e-7, 1 - 1e-7)
    expected = np.mean(w * -(y * np.log(p) + (1 - y) * np.log(1 - p)))
    assert a == pytest.approx(expected, rel=1e-5)
    weights = model.get_weights()
    one = model.train_on_batch(x, y, class_weight={0: 0.5, 1: 2.0})
    assert one == pytest.approx(a, rel=1e-6)
    assert any(not np.array_equal(u, v) for u, v in zip(weights, model.get_weights(), strict=True))


def test_functional_with_branches_and_two_outputs(backend):
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Dense(4, activation="relu")(Concatenate()([a, b]))
    h = Add()([h, Dense(4)(h)])
    left, right = Dense(1, name="left")(h), Dense(3, activation="softmax", name="right")(h)
    model = Model([a, b], [left, right])
    model.compile("sgd", {"left": "mse", "right": "sparse_categorical_crossentropy"}, loss_weights={"left": 0.5, "right": 1.0})
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=(40, 3)), rng.normal(size=(40, 2))]
    ys = [rng.normal(size=(40, 1)), rng.integers(0, 3, 40)]
    h = model.fit(xs, ys, epochs=3, verbose=0).history
    assert set(h) == {"loss", "left_loss", "right_loss"}
    assert h["loss"][0] == pytest.approx(0.5 * h["left_loss"][0] + h["right_loss"][0], rel=1e-5)
    p = model.predict(xs)
    assert [q.shape for q in p] == [(40, 1), (40, 3)]
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    assert all(np.array_equal(u, v) for u, v in zip(p, again.predict(xs), strict=True))


def test_batch_normalization_moves_its_statistics(backend):
    x = np.random.default_rng(0).normal(3.0, 2.0, (256, 4)).astype(np.float32)
    model = Sequential([Input((4,)), BatchNormalization(momentum=0.0), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :1], batch_size=256, epochs=1, verbose=0)
    bn_layer = model.layers[0]
    assert np.allclose(bn_layer.moving_mean.numpy(), x.mean(0), atol=1e-5)
    assert np.allclose(bn_layer.moving_variance.numpy(), x.var(0), rtol=1e-4)


def test_early_stopping_restores_the_best_weights(backend):
    x, y = blobs()
    model = classifier(optimizer=bn.optimizers.SGD(5.0))
    stop = callbacks.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    h = model.fit(x, y, epochs=30, verbose=0, callbacks=[stop]).history
    assert stop.best == min(h["loss"])


def test_batch_hooks_see_every_step(backend):
    x, y = blobs(96)
    seen = []
    hook = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append((batch, logs["loss"])))
    classifier().fit(x, y, epochs=2, verbose=0, callbacks=[hook])
    assert [b for b, _ in seen] == [0, 1, 2, 0, 1, 2]
    assert all(np.isfinite(v) for _, v in seen)


def test_pickle_and_deepcopy_go_on_exactly(backend):
    x, y = blobs()
    model = classifier()
    model.fit(x, y, epochs=1, verbose=0)
    twins = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    for twin in twins:
        assert np.array_equal(twin.predict(x), model.predict(x))
        assert int(twin.optimizer.iterations.numpy()) == int(model.optimizer.iterations.numpy())


def test_frozen_layers_stay(backend):
    x, y = blobs()
    model = classifier()
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()
    model.fit(x, y, epochs=1, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.layers[0].get_weights(), strict=True))


def test_predict_equals_call(backend):
    x, y = blobs()
    model = classifier()
    assert np.allclose(model.predict(x), model(x), atol=1e-6)
    assert np.allclose(model(x[:1]), model.predict_on_batch(x)[:1], atol=1e-6)
