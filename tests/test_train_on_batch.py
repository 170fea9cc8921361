"""train_on_batch and test_on_batch again and again: the short way of a batch like the last sees every change of the model."""

import copy
import math

import numpy as np
import pytest

from brisknet import config, layers, losses, metrics, optimizers, utils
from brisknet.models import Model, Sequential
from tests.small_models import equal


def batch(rows=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, 5)).astype("float32"), rng.integers(0, 3, size=(rows, 1))


def net(seed=1, **options):
    utils.set_random_seed(seed)
    model = Sequential([layers.Input((5,)), layers.Dense(6, activation="tanh"), layers.Dropout(0.1), layers.Dense(3)])
    options = {"loss": losses.SparseCategoricalCrossentropy(from_logits=True), "metrics": ["accuracy"], **options}
    model.compile(options.pop("optimizer", "adam"), **options)
    return model


def shorts(model) -> int:
    return len(model._short)


def test_the_short_way_trains_as_the_long_one(backend):
    model, twin = net(), net()
    for step in range(6):
        x, y = batch(seed=step)
        got = model.train_on_batch(x, y)
        twin._short.clear()
        assert got == twin.train_on_batch(x, y) and len(got) == 2
        assert model.test_on_batch(x, y, return_dict=True) == twin.test_on_batch(x, y, return_dict=True)
    assert shorts(model) == 2  # one of each mode
    assert equal(model.get_weights(), twin.get_weights())


def test_other_shapes_and_dtypes_have_a_way_of_their_own(backend):
    model = net()
    x, y = batch()
    for given in (x, x.astype("float64"), x[:3], [list(row) for row in x.tolist()]):
        for _ in range(2):
            assert np.isfinite(model.train_on_batch(np.asarray(given) if isinstance(given, list) else given, y[: len(given)])).all()
    assert shorts(model) == 3
    model.train_on_batch(x, y, sample_weight=np.zeros(8))  # not among them
    assert shorts(model) == 3 and model.train_on_batch(x, y, sample_weight=np.zeros(8))[0] == 0.0
    with pytest.warns(RuntimeWarning, match="17th time to evaluate, because x changes"):
        for rows in range(1, 100):
            model.test_on_batch(*batch(rows))
    assert shorts(model) == 64


def test_bad_values_are_still_refused(backend):
    model = net()
    x, y = batch()
    model.train_on_batch(x, y)
    before = model.get_weights()
    with pytest.raises(ValueError, match="3"):
        model.train_on_batch(x, y + 1)
    model.compile("sgd", "mse")
    y = np.zeros((8, 3))
    model.train_on_batch(x, y)
    model.set_weights(before)
    y[4, 1] = np.nan
    with pytest.raises(ValueError, match="NaN in row 4"):
        model.train_on_batch(x, y)
    with pytest.raises(ValueError, match="shape"):
        model.train_on_batch(x[:, :4], y)
    assert equal(before, model.get_weights())


def change_layer(model):
    model.layers[0].trainable = False


def change_weight(model):
    model.layers[0].kernel.trainable = False
    model.layers[0].bias.trainable = False


@pytest.mark.parametrize("change", [change_layer, change_weight])
def test_what_is_frozen_stays(backend, change):
    model = net(optimizer="sgd")
    x, y = batch()
    for _ in range(2):
        model.train_on_batch(x, y)
    change(model)
    before = model.get_weights()
    for _ in range(2):
        model.train_on_batch(x, y)
    after = model.get_weights()
    assert equal(before[:2], after[:2]) and not equal(before[2:], after[2:])


def test_settings_that_change_take_effect(backend):
    model = net(optimizer=optimizers.SGD(0.1))
    x, y = batch()
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    before = model.get_weights()
    model.optimizer.learning_rate = 0.0
    model.train_on_batch(x, y)
    assert equal(before, model.get_weights())
    model.optimizer.learning_rate = optimizers.schedules.PiecewiseConstantDecay([100], [0.0, 1.0])
    model.train_on_batch(x, y)
    assert equal(before, model.get_weights())
    model.optimizer.learning_rate = optimizers.schedules.PiecewiseConstantDecay([100], [0.1, 1.0])
    model.train_on_batch(x, y)
    assert not equal(before, model.get_weights())
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    assert shorts(model) == 0 and isinstance(model.train_on_batch(x, y), float)


def test_the_other_back_end_and_copies_do_not_take_it_along(backend):
    model = net()
    x, y = batch()
    model.train_on_batch(x, y)
    twin = copy.deepcopy(model)
    assert shorts(twin) == 0 and shorts(model) == 1
    assert np.allclose(model.train_on_batch(x, y), twin.train_on_batch(x, y))
    executors = {p.executor for p in model._programs.values()}
    assert executors == {backend}
    config.set_backend("numpy")
    model.train_on_batch(x, y)
    assert {p.executor for p in model._programs.values()} == {backend, "numpy"}


class Counted(Model):
    """A step of its own, with a metric of its own making."""

    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(1)
        self.seen = metrics.Sum(name="seen")

    def call(self, x):
        return self.inner(x)

    def train_step(self, data):
        x, y = data
        self.seen.update_state(y)
        return {"seen": self.seen.result(), **super().train_step(data)}


def test_a_model_with_a_step_and_a_metric_of_its_own(backend):
    model = Counted()
    model.compile("sgd", "mse")
    x, _ = batch()
    for total in (8.0, 16.0, 4.0):
        y = np.full((8, 1), total / 8, "float32")
        logs = model.train_on_batch(x, y, return_dict=True)
        assert logs["seen"] == total and math.isfinite(logs["loss"])
    assert shorts(model) == 1
