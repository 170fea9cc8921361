"""Steps of a subclass's own, trackers, run_eagerly: the same numbers, and what Python may do in them."""

import copy
import pickle

import numpy as np
import pytest

import brisknet as bn
from brisknet import ops
from brisknet.layers import BatchNormalization, Dense, Dropout, Input, Layer
from brisknet.metrics import Mean
from brisknet.models import Model, Sequential
from tests.small_models import Sum, classifier, data, equal, two_in_two_out


def xy(n=20):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, (x @ rng.normal(size=(4, 2))).astype("float32")


class Own(Model):
    """Its own loss, metrics and trackers; any form of targets."""

    def __init__(self):
        super().__init__()
        self.dense = Dense(2, kernel_initializer="ones")
        self.loss_tracker, self.mae = Mean(name="loss"), Mean(name="mae")

    @property
    def metrics(self):
        return [self.loss_tracker, self.mae]

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = ops.mean(ops.square(y_pred - y))
        self.loss_tracker.update_state(loss)
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.mae.update_state(ops.abs(y - y_pred))
        return {m.name: m.result() for m in self.metrics}


def same_but_built_in():
    model = Sequential([Input((4,)), Dense(2, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_own_loss_metrics_and_trackers(backend):
    x, y = xy()
    model, plain = Own(), same_but_built_in()
    model.compile("sgd")
    options = {"batch_size": 5, "epochs": 3, "verbose": 0, "shuffle": False, "validation_data": (x[:10], y[:10])}
    a, b = model.fit(x, y, **options).history, plain.fit(x, y, **options).history
    assert a.keys() == b.keys() == {"loss", "mae", "val_loss", "val_mae"}
    for name in a:
        assert np.allclose(a[name], b[name], rtol=1e-5), name
    assert all(np.allclose(u, v, rtol=1e-5) for u, v in zip(model.get_weights(), plain.get_weights(), strict=True))
    assert np.allclose(model.evaluate(x, y, verbose=0), plain.evaluate(x, y, verbose=0), rtol=1e-5)
    assert model.metrics_names == ["loss", "mae"]
    assert model.test_on_batch(x, y, return_dict=True) == pytest.approx(plain.test_on_batch(x, y, return_dict=True), rel=1e-5)


class Reporting(Sequential):
    """A train_step that adds to the built-in one."""

    def train_step(self, data):
        logs = super().train_step(data)
        x, y = data
        return {**logs, "spread": ops.max(x) - ops.min(x), "seven": 7.0}

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        found = super().compute_metrics(x, y, y_pred, sample_weight)
        found["first"] = ops.sum(y_pred[:1] * 0 + 2.0)
        return found


def test_logs_of_a_step_are_those_of_the_last_batch(backend):
    x, y = xy()
    model = Reporting([Input((4,)), Dense(2, kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=["mae"])
    plain = same_but_built_in()
    options = {"batch_size": 8, "epochs": 2, "verbose": 0, "shuffle": False}
    h, p = model.fit(x, y, **options).history, plain.fit(x, y, **options).history
    assert sorted(h) == ["first", "loss", "mae", "seven", "spread"]
    assert h["loss"] == p["loss"] and h["mae"] == p["mae"] and h["seven"] == [7.0, 7.0] and h["first"] == [4.0, 4.0]
    assert h["spread"][0] == pytest.approx(x[16:].max() - x[16:].min(), rel=1e-6)
    assert sorted(model.evaluate(x, y, verbose=0, return_dict=True)) == ["first", "loss", "mae"]
    seen = []
    hook = bn.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["spread"]))
    model.fit(x, y, batch_size=8, verbose=0, shuffle=False, callbacks=[hook])
    assert np.allclose(seen, [x[i : i + 8].max() - x[i : i + 8].min() for i in (0, 8, 16)])


def test_predict_step(backend):
    class Doubled(Sequential):
        def predict_step(self, data):
            y = super().predict_step(data)
            return {"once": y, "twice": 2 * y}

    x, _ = xy()
    model = Doubled([Input((4,)), Dense(2)])
    for _ in range(3):  # the short way must not be taken
        out = model.predict(x, verbose=0)
        plain = model(x)
        assert sorted(out) == ["once", "twice"] and np.allclose(out["twice"], 2 * plain) and plain.shape == (20, 2)
    many = model.predict(np.tile(x, (200, 1)), verbose=0)
    assert many["twice"].shape == (4000, 2) and np.allclose(many["twice"][:20], out["twice"], atol=1e-6)


class TrainsOthers(Model):
    """No call(): only a train_step over two models that it is given, with trackers, and data without targets."""

    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second
        self.total = Mean(name="total")

    def train_step(self, data):
        out = self.second(self.first(data, training=True), training=True)
        loss = ops.mean(ops.square(out))
        self.total.update_state(loss)
        return {"total": self.total.result(), "now": loss}


def test_a_model_without_call(backend):
    x, _ = xy()
    model = TrainsOthers(Sequential([Dense(3), Dropout(0.5)]), Sequential([Dense(2)]))
    model.compile()
    h = model.fit(x, batch_size=8, epochs=2, verbose=0).history
    assert sorted(h) == ["now", "total"] and h["total"][0] > 0 and model.count_params() == 15 + 8


def test_targets_in_any_form(backend):
    class Free(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(2)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            assert list(y) == ["a", "labels"] and list(y["a"]) == ["deep"] and y["labels"].dtype == "int32"
            both = ops.square(y_pred[:, 0] - y["a"]["deep"]) + ops.square(y_pred[:, 1] - y["labels"])
            return ops.mean(both if sample_weight is None else both * sample_weight)

    x, _ = xy()
    model = Free()
    model.compile("sgd")
    y = {"a": {"deep": np.ones(20)}, "labels": np.arange(20)}
    h = model.fit(x, y, sample_weight=np.ones(20), verbose=0, validation_split=0.2, epochs=2).history
    assert h["loss"][1] < h["loss"][0] and h["val_loss"][1] > 0
    assert model.evaluate(x, y, verbose=0) > 0
    with pytest.raises(ValueError, match="rows"):
        model.fit(x, {"a": {"deep": np.ones(19)}, "labels": np.arange(20)}, verbose=0)


def test_metrics_in_layers_and_in_attributes(backend):
    class Watched(Layer):
        def __init__(self):
            super().__init__()
            self.seen = Mean(name="activation")

        def call(self, x):
            self.seen.update_state(ops.mean(ops.abs(x)))
            return x

    x, y = xy()
    model = Sequential([Input((4,)), Watched(), Dense(2)])
    model.extra = Mean(name="extra")
    model.compile("sgd", "mse", metrics=["mae"])
    h = model.fit(x, y, verbose=0, epochs=2, batch_size=20).history
    assert sorted(h) == ["activation", "extra", "loss", "mae"]
    assert h["activation"] == pytest.approx([np.abs(x).mean()] * 2, rel=1e-6) and h["extra"] == [0.0, 0.0]
    assert model.metrics_names == ["loss", "mae", "extra", "activation"]
    assert model.layers[0].metrics == [model.layers[0].seen]


def test_copies_of_a_model_with_trackers(backend):
    x, y = xy()
    model = Own()
    model.compile("adam")
    model.fit(x, y, verbose=0)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        runs = [m.fit(x, y, verbose=0, shuffle=False).history for m in (copy.deepcopy(model), twin)]
        assert runs[0] == runs[1] and twin.loss_tracker is not model.loss_tracker


def test_a_model_without_trainable_weights_says_so(backend):
    x, y = xy()
    model = same_but_built_in()
    model.trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        model.train_on_batch(x, y)
    assert equal(before, model.get_weights())
    model.trainable = True
    model.train_on_batch(x, y)
    assert not equal(before, model.get_weights())


def test_what_steps_must_give(backend):
    class Bad(Sequential):
        answer = None

        def train_step(self, data):
            super().train_step(data)
            return self.answer

    class BadLoss(Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.abs(y - y_pred)

    x, y = xy()
    for answer, error, message in ((3, TypeError, "must return a dict of logs"), (None, TypeError, "a dict of logs")):
        model = Bad([Input((4,)), Dense(2)])
        model.answer = answer
        model.compile("sgd", "mse")
        with pytest.raises(error, match=message):
            model.fit(x, y, verbose=0)
    model = BadLoss([Input((4,)), Dense(2)])
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"compute_loss\(\) must return a scalar"):
        model.fit(x, y, verbose=0)

    class Doubling(Own):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {"mae": self.mae.result() * 2}

    model = Doubling()
    model.compile("sgd")
    with pytest.raises(TypeError, match="metric 'mae' is not known while a step is traced"):
        model.fit(x, y, verbose=0)


def test_functions_of_one_step(backend):
    x, y = xy()
    model, plain = same_but_built_in(), same_but_built_in()
    train, test = model.make_train_function(), model.make_test_function()
    assert model.train_function is train is model.make_train_function() and model.make_train_function(force=True) is not train
    batches = iter([(x, y), (x, y)])
    for _ in range(2):
        assert train(batches)["loss"] > 0
        plain.train_on_batch(x, y)
    with pytest.raises(StopIteration):
        train(batches)
    assert equal(model.get_weights(), plain.get_weights())
    model.reset_metrics()
    assert test(iter([(x, y)])) == model.test_on_batch(x, y, return_dict=True)
    assert np.array_equal(model.make_predict_function()(iter([x])), model.predict_on_batch(x))
    assert len(model.metrics_variables) == 4
    model.compile("sgd", "mse")
    assert model.train_function is None and copy.deepcopy(model).test_function is None


# ---- run_eagerly ----------------------------------------------------------------------------------------------------------
def eager_pair(make, *compile_args, **compile_options):
    models = [make(), make()]
    for model, eager in zip(models, (False, True), strict=True):
        model.compile(*compile_args, run_eagerly=eager, **compile_options)
    if models[0].built:
        models[1].set_weights(models[0].get_weights())
        models[1]._restore_random(models[0]._random_state())
    return models


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_eager_training_gives_the_same_numbers(backend, optimizer):
    x, _ = xy(50)
    y = (x[:, 0] > 0).astype("int64")

    def make():
        return Sequential([
            Input((4,)), Dense(6, "tanh", kernel_regularizer="l2"), BatchNormalization(), Dropout(0.3), Dense(1, "sigmoid")
        ])  # fmt: skip

    models = eager_pair(make, optimizer, "binary_crossentropy", metrics=["accuracy"])
    options = {"batch_size": 16, "epochs": 2, "verbose": 0, "validation_split": 0.2, "shuffle": False}
    a, b = (m.fit(x, y, **options).history for m in models)
    for name in a:
        assert np.allclose(a[name], b[name], rtol=1e-4, atol=1e-6), name
    for u, v in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        assert np.allclose(u, v, rtol=1e-4, atol=1e-5)
    assert np.allclose(models[0].predict(x, verbose=0), models[1].predict(x, verbose=0), atol=1e-5)


def test_eager_models_of_several_inputs_and_outputs(backend):
    xs, ys = [np.ones((40, 3)), np.ones((40, 2))], [np.ones((40, 1)), np.arange(40) % 3]
    for as_dict in (False, True):
        given = {"first": xs[0], "second": xs[1]} if as_dict else xs
        targets = {"p": ys[0], "q": ys[1]} if as_dict else ys
        losses = ["mse", "sparse_categorical_crossentropy"]
        a, b = eager_pair(lambda d=as_dict: two_in_two_out(d), "sgd", dict(zip("pq", losses)) if as_dict else losses)
        for model in (a, b):
            model.fit(given, targets, verbose=0, shuffle=False)
        p, q = a.predict(given, verbose=0), b.predict(given, verbose=0)
        for key in p if as_dict else range(2):
            assert np.allclose(p[key], q[key], atol=1e-5) and len(q[key]) == 40


class Deciding(Model):
    """Python that looks at values: it can't be traced."""

    def __init__(self):
        super().__init__()
        self.dense, self.other = Dense(2), Dense(2)
        self.seen = []

    def call(self, x):
        self.seen.append(np.asarray(x))
        total = 0.0
        for row in x[:2]:
            total += float(ops.sum(row))
        return self.dense(x) if total > 0 else self.other(x)


def test_python_that_looks_at_values(backend, capsys):
    x, y = xy(12)
    model = Deciding()
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match="run_eagerly=True|symbolic"):
        model.fit(x, y, verbose=0)

    def loss(y_true, y_pred):
        value = ops.mean(ops.square(y_true - y_pred))
        print(f"loss is {value:.3f}", bool(value > 0))
        return value if value > 1e9 else 2 * value

    model = Deciding()
    model.compile("sgd", loss, run_eagerly=True)
    model.fit(np.abs(x), y, batch_size=4, verbose=0, shuffle=False)
    assert capsys.readouterr().out.count("loss is") == 3
    assert model.dense.built and not model.other.built and model.seen[-1].shape == (4, 4)
    before = model.dense.get_weights()
    model.compile("sgd", loss, run_eagerly=True)  # an optimizer of its own for the weights that come now
    model.fit(-np.abs(x), y, verbose=0)
    assert model.other.built and equal(before, model.dense.get_weights())
    assert np.allclose(model.predict(np.abs(x), batch_size=5, verbose=0), model.dense(np.abs(x)), atol=1e-6)
    assert np.allclose(model(np.abs(x)), model.dense(np.abs(x)), atol=1e-6)
    assert model.evaluate(np.abs(x), y, verbose=0) > 0


@pytest.mark.parametrize("eagerly", [False, True])
def test_numpy_functions_have_the_gradient_of_ops(backend, eagerly):
    x, y = xy()
    weights = []
    for square, mean in ((ops.square, ops.mean), (np.square, np.mean)):
        bn.utils.set_random_seed(3)
        model = classifier(loss=lambda y_true, y_pred, f=square, g=mean: g(f(y_true - y_pred)), run_eagerly=eagerly)
        before = model.get_weights()
        model.fit(x, y[:, :1], verbose=0, shuffle=False)
        assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_run_eagerly_can_be_switched(backend):
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    model.predict(x[:1], verbose=0)
    model.run_eagerly = True
    calls = []
    model.layers[0].call, inner = lambda t: calls.append(type(t).__name__) or inner(t), model.layers[0].call
    model.predict(x[:1], verbose=0), model(x[:1]), model.fit(x, y, verbose=0)
    assert calls == ["EagerTensor"] * 5
    model.run_eagerly = False
    model.fit(x, y, verbose=0, epochs=3)
    assert len(calls) <= 7, "traced once a shape, not once a step"


def test_subclassed_models_of_several_inputs_eagerly(backend):
    arrays = [np.ones((5, 4)), np.full((5, 4), 2.0)]
    for x in (arrays, dict(zip("uv", arrays, strict=True))):
        model = Sum()
        model.compile("sgd", "mse", metrics=["mae"], run_eagerly=True)
        assert list(model.fit(x, np.ones((5, 3)), verbose=0).history) == ["loss", "mae"]
        assert np.allclose(model.predict(x, verbose=0), model(x), atol=1e-6)
        assert np.allclose(model.predict(x, batch_size=2, verbose=0), model(x), atol=1e-6)
