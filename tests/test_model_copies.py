"""Subclassed models, custom layers, configs, pickles and deep copies."""

import copy
import json
import pickle

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import Dense, Input, Layer
from brisknet.models import Functional, Model, Sequential, clone_model
from tests.small_models import Sum, classifier, data, equal, two_in_two_out


# ---- subclassed models ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", [list, tuple, dict])
def test_subclassed_models_of_several_inputs(backend, form):
    arrays = [np.ones((5, 4)), np.full((5, 4), 2.0)]
    x = dict(zip("uv", arrays, strict=True)) if form is dict else form(arrays)
    model = Sum()
    model.compile("sgd", "mse", metrics=["mae"])
    assert list(model.fit(x, np.ones((5, 3)), verbose=0, epochs=2).history) == ["loss", "mae"]
    assert model.count_params() == 15 and [x.name for x in model.layers] == [model.dense.name, model.drop.name]
    assert np.allclose(model.predict(x, verbose=0), model(x), atol=1e-6)
    assert np.isclose(model(x, training=True), 0).any()
    twin = copy.deepcopy(model)
    assert np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))


def test_subclassed_model_of_several_outputs(backend):
    class Two(Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = Dense(3), Dense(1)

        def call(self, x):
            return [self.a(x), self.b(x)]

    model = Two()
    model.compile("sgd", "mse")
    h = model.fit(np.ones((5, 4)), [np.ones((5, 3)), np.ones((5, 1))], verbose=0).history
    assert len(h) == 3 and h["loss"][0] == pytest.approx(sum(v[0] for k, v in h.items() if k != "loss"), rel=1e-5)
    assert [p.shape for p in model.predict(np.ones((2, 4)), verbose=0)] == [(2, 3), (2, 1)]


class Stack(Model):
    """Layers in a list that grows, in a dict, and no get_config()."""

    def __init__(self):
        super().__init__()
        self.blocks, self.heads = [], {}
        for units in (5, 4):
            self.blocks.append(Dense(units, activation="relu"))
        self.heads["out"] = Dense(2)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.heads["out"](x)


def test_layers_in_lists_and_dicts_are_found(backend):
    model = Stack()
    model.blocks[1] = Dense(3)
    model.blocks += [Dense(4)]
    model.compile("adam", "mse")
    model.fit(np.ones((5, 4)), np.ones((5, 2)), verbose=0)
    assert len(model.layers) == 5 and model.count_params() == 25 + 18 + 16 + 10
    assert all(w.trainable for w in model.weights) and len(model.trainable_weights) == 8


@pytest.mark.parametrize("make", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
def test_copies_of_subclassed_models(backend, make):
    x = np.random.default_rng(0).normal(size=(8, 4))
    model = Stack()
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(x, np.ones((8, 2)), verbose=0)
    twin = make(model)
    assert type(twin) is Stack and np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    runs = [m.fit(x, np.ones((8, 2)), epochs=2, verbose=0, shuffle=False).history for m in (model, twin)]
    assert runs[0] == runs[1] and equal(model.get_weights(), twin.get_weights())
    twin.set_weights([w * 0 for w in twin.get_weights()])
    assert not equal(model.get_weights(), twin.get_weights())
    assert not make(Stack()).built


class ByFunction(Model):
    def __init__(self, units=2):
        inputs = Input((3,))
        super().__init__(inputs, Dense(units)(inputs), name="by_function")


class OwnStack(Sequential):
    def __init__(self, units=2):
        super().__init__([Input((3,)), Dense(units)], name="own_stack")


@pytest.mark.parametrize("cls", [ByFunction, OwnStack])
def test_subclasses_that_make_their_own_graph(backend, cls):
    model = cls(4)
    model.compile("adam", "mse")
    x = np.ones((5, 3))
    model.fit(x, np.ones((5, 4)), verbose=0)
    assert model.output_shape == (None, 4) and isinstance(model, cls)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert type(twin) is cls and np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))


class Times(Layer):
    """A layer without get_config()."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor


def test_custom_layers_without_a_config_of_their_own():
    model = Sequential([Input((3,)), Times(2.0), Dense(1)])
    assert model.layers[0].get_config()["factor"] == 2.0
    x = np.ones((2, 3))
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(NotImplementedError, match="Times: the argument.*'factor'.* define get_config"):
        Times(np.ones(3)).get_config()


def test_copies_of_a_layer():
    layer = Dense(2)
    layer.build((None, 3))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert equal(twin.get_weights(), layer.get_weights()) and twin.name == layer.name
        assert twin.kernel is twin.weights[0] and twin.kernel is not layer.kernel


def test_a_subclassed_model_can_fail_and_go_on(backend):
    class Picky(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1)

        def call(self, x):
            if len(x.shape) != 2:
                raise ValueError("Picky: rank 2 expected")
            return self.dense(x)

    model = Picky()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Picky: rank 2 expected"):
        model.fit(np.ones((4, 2, 2)), np.ones(4), verbose=0)
    assert not model.built
    model.fit(np.ones((4, 2)), np.ones(4), verbose=0)
    assert model.count_params() == 3


def test_custom_layers(backend):
    class Scale(Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="w")

        def call(self, inputs):
            self.add_loss(1e-3 * bn.ops.sum(bn.ops.square(self.w)))
            return inputs * self.w * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    model = Sequential([Input((4,)), Scale(2.0), Dense(1)])
    assert model.count_params() == 9
    model.compile("sgd", "mse")
    before = model.layers[0].get_weights()
    model.fit(np.ones((5, 4)), np.ones(5), verbose=0)
    assert not equal(before, model.layers[0].get_weights())
    again = Sequential.from_config(model.get_config(), custom_objects={"Scale": Scale})
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(np.ones((2, 4)), verbose=0), model.predict(np.ones((2, 4)), verbose=0))


# ---- configs and copies -----------------------------------------------------------------------------------------------
def test_config_is_plain_data_and_rebuilds():
    model = classifier()
    text = json.dumps(model.get_config())
    again = Sequential.from_config(json.loads(text))
    assert again.name == model.name and again.count_params() == model.count_params()
    branched = two_in_two_out(as_dict=True)
    again = Model.from_config(json.loads(json.dumps(branched.get_config())))
    assert isinstance(again, Functional) and again.count_params() == branched.count_params()
    assert list(again.input) == ["first", "second"] and list(again.output) == ["p", "q"]


@pytest.mark.parametrize("make", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_copies_go_on_exactly(backend, make, optimizer):
    x, y = data()
    model = classifier(optimizer=optimizer, weighted_metrics=["mae"])
    model.fit(x, y, epochs=2, verbose=0)
    twin = make(model)
    assert twin.optimizer is not model.optimizer
    runs = [m.fit(x, y, epochs=2, verbose=0, shuffle=False).history for m in (model, twin)]
    assert runs[0] == runs[1]
    assert equal(model.get_weights(), twin.get_weights())
    twin.set_weights([w * 0 for w in twin.get_weights()])
    assert not equal(model.get_weights(), twin.get_weights()), "copies share nothing"


def test_copies_of_models_that_are_not_built_or_not_compiled():
    for make in (lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy):
        deferred = make(Sequential([Dense(3), Dense(1)], name="later"))
        assert not deferred.built and deferred.name == "later"
        deferred.build((None, 2))
        assert make(deferred).count_params() == 13
        assert not make(deferred).compiled


def test_clone_model():
    model = classifier()
    twin = clone_model(model)
    assert twin.count_params() == model.count_params() and not equal(twin.get_weights(), model.get_weights())

    def wider(layer):
        return Dense(layer.units * 2, activation=layer.activation, name=layer.name)

    assert [x.units for x in clone_model(model, clone_function=wider).layers] == [16, 2]
    branched = two_in_two_out()
    assert clone_model(branched).count_params() == branched.count_params()
