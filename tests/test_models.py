"""Models: building, structure, weights, configs, copies, summary, and everything that can be fed to them."""

import copy
import pickle

import numpy as np
import pytest

import brisknet as bn
from brisknet import config
from brisknet.layers import Activation, Add, BatchNormalization, Concatenate, Dense, Dropout, Flatten, Input, Layer, Reshape
from brisknet.models import Functional, Model, Sequential, clone_model

BACKENDS = ["numpy"] + (["native"] if config.native_available() else [])


@pytest.fixture(params=BACKENDS)
def backend(request):
    before = config.backend()
    config.set_backend(request.param)
    yield request.param
    config.set_backend(before)


def data(n=70):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def classifier(**options):
    """A small network with weights of its own, the same as in the Keras program that gave the numbers below."""
    model = Sequential([Input((4,)), Dense(8, activation="relu", name="d1"), Dense(1, activation="sigmoid", name="d2")])
    model.compile(**{"optimizer": "sgd", "loss": "binary_crossentropy", "metrics": ["accuracy"], **options})
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


def equal(a, b):
    return all(np.array_equal(u, v) for u, v in zip(a, b, strict=True))


def rounded(logs):
    return {k: np.round(v, 4).tolist() for k, v in logs.items()}


# ---- Sequential -------------------------------------------------------------------------------------------------------
def test_add_input_dim_and_input_shape():
    by_add = Sequential()
    by_add.add(Input((4,)))
    by_add.add(Dense(3))
    assert by_add.output_shape == (None, 3)
    by_add.add(Dense(1))
    assert by_add.output_shape == (None, 1) and by_add.built and len(by_add.layers) == 2
    old = Sequential([Dense(3, input_dim=4), Dense(1)])
    older = Sequential([Dense(3, input_shape=(4,)), Dense(1)])
    oldest = Sequential([Dense(3, batch_input_shape=(None, 4)), Dense(1)])
    for model in (old, older, oldest):
        assert model.built and model.input_shape == (None, 4) and model.count_params() == 19


def test_deferred_build(backend):
    model = Sequential([Dense(3), Dense(1)])
    assert not model.built and model.weights == []
    model.compile("sgd", "mse", metrics=["mae"])
    assert model.metrics_names == ["loss"]
    model.fit(np.ones((5, 4)), np.ones(5), verbose=0)
    assert model.built and model.input_shape == (None, 4) and model.count_params() == 19
    assert model.metrics_names == ["loss", "mae"]
    built = Sequential([Dense(3), Dense(1)])
    built.build((None, 4))
    assert built.count_params() == 19
    called = Sequential([Dense(3), Dense(1)])
    assert called(np.ones((2, 4), "float32")).shape == (2, 1) and called.built


def test_a_failed_build_leaves_nothing_behind(backend):
    model = Sequential([Dense(6), Reshape((2, 3)), Flatten(), Dense(1)])
    broken = Sequential([Flatten(), Reshape((2, 3)), Dense(1)])
    with pytest.raises(ValueError, match="Reshape"):
        broken.build((None, 7))
    assert not broken.built and broken.weights == []
    broken.build((None, 6))
    assert broken.output_shape == (None, 2, 1)
    model.build((None, 4))
    assert model.count_params() == 30 + 7


def test_a_layer_that_does_not_fit_is_not_added():
    model = Sequential([Input((4,)), Dense(6)])
    with pytest.raises(ValueError, match="Reshape"):
        model.add(Reshape((4, 4)))
    assert [type(x) for x in model.layers] == [Dense] and model.output_shape == (None, 6)
    model.add(Reshape((2, 3)))
    assert model.output_shape == (None, 2, 3)


def test_add_and_pop_after_training(backend):
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    top = model.pop()
    assert top.name == "d2" and model.output_shape == (None, 8)
    features = model.predict(x, verbose=0)
    model.add(Dense(2, activation="softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.predict(x, verbose=0).shape == (70, 2)
    assert np.allclose(model.layers[0](x), features, atol=1e-6)
    assert set(model.fit(x, y, verbose=0).history) == {"accuracy", "loss"}


def test_one_layer_twice_in_a_stack():
    shared = Dense(4, name="shared")
    model = Sequential([Input((4,)), shared, Activation("relu"), shared])
    assert model.count_params() == 20 and len(model.layers) == 3
    again = Sequential.from_config(model.get_config())
    assert again.count_params() == 20 and again.layers[0] is again.layers[2]


def test_nested_models_train_and_count(backend):
    inner = Sequential([Dense(3, activation="relu"), BatchNormalization()], name="inner")
    a = Input((4,), name="a")
    b = Input((3,), name="b")
    sum_model = Model([a, b], Add()([inner(a), b]), name="sum_model")
    left, right = Input((4,)), Input((3,))
    model = Model([left, right], Dense(1, name="out")(sum_model([left, right])))
    assert model.count_params() == 15 + 12 + 4 and len(model.trainable_weights) == 6
    model.compile("sgd", "mse")
    before = model.get_weights()
    xs = [np.ones((6, 4)), np.arange(18.0).reshape(6, 3)]
    model.fit(xs, np.zeros(6), verbose=0)
    assert not equal(before, model.get_weights())
    assert equal(model.get_weights()[:6], sum_model.get_weights())
    twin = Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    assert np.array_equal(twin.predict(xs, verbose=0), model.predict(xs, verbose=0))
    assert [x.name for x in twin.layers] == [x.name for x in model.layers]


# ---- functional models ------------------------------------------------------------------------------------------------
def test_shared_layers_and_skip_connections(backend):
    a, b = Input((3,), name="a"), Input((3,), name="b")
    shared = Dense(3, name="shared", use_bias=False, kernel_initializer="ones")
    joined = Concatenate()([shared(a), shared(b)])
    model = Model([a, b], joined + Dense(6, name="skip", kernel_initializer="zeros")(joined))
    assert model.count_params() == 9 + 42 and [x.name for x in model.layers][:3] == ["a", "b", "shared"]
    x = np.arange(12.0).reshape(4, 3)
    expected = np.concatenate([np.tile(x.sum(1, keepdims=True), 3), np.tile(2 * x.sum(1, keepdims=True), 3)], axis=1)
    assert np.allclose(model.predict([x, 2 * x], verbose=0), expected)
    model.compile("sgd", "mse")
    model.fit([x, x], np.zeros((4, 6)), verbose=0)
    assert not np.array_equal(shared.get_weights()[0], np.ones((3, 3)))


def two_in_two_out(as_dict=False):
    a, b = Input((3,), name="a"), Input((2,), name="b")
    h = Dense(4, activation="relu")(Concatenate()([a, b]))
    left, right = Dense(1, name="left")(h), Dense(3, activation="softmax", name="right")(h)
    if as_dict:
        return Model({"first": a, "second": b}, {"p": left, "q": right})
    return Model([a, b], [left, right])


def test_inputs_as_list_tuple_and_dict_by_name(backend):
    model = two_in_two_out()
    a, b = np.ones((6, 3)), np.arange(12.0).reshape(6, 2)
    p = model.predict([a, b], verbose=0)
    for form in ((a, b), {"a": a, "b": b}, {"b": b, "a": a, "unused": 1}):
        assert equal(p, model.predict(form, verbose=0))
    assert equal(p, model([a, b])) and equal(p, model({"b": b, "a": a}))
    assert equal(p, model.predict_on_batch([a, b]))


def test_dicts_of_inputs_and_outputs(backend):
    model = two_in_two_out(as_dict=True)
    rng = np.random.default_rng(0)
    x = {"second": rng.normal(size=(6, 2)), "first": rng.normal(size=(6, 3))}
    y = {"q": rng.integers(0, 3, 6), "p": rng.normal(size=(6, 1))}
    losses = {"p": "mse", "q": "sparse_categorical_crossentropy"}
    model.compile("sgd", losses, metrics={"q": ["accuracy"]}, loss_weights={"p": 2.0, "q": 0.5})
    h = model.fit(x, y, verbose=0, validation_data=(x, y)).history
    base = {"loss", "p_loss", "q_loss", "q_accuracy"}
    assert set(h) == base | {f"val_{k}" for k in base}
    assert h["loss"][0] == pytest.approx(2 * h["p_loss"][0] + 0.5 * h["q_loss"][0], rel=1e-5)
    out = model.predict(x, verbose=0)
    assert {k: v.shape for k, v in out.items()} == {"p": (6, 1), "q": (6, 3)}


def test_losses_and_metrics_of_several_outputs(backend):
    xs = [np.ones((6, 3)), np.ones((6, 2))]
    ys = [np.ones((6, 1)), np.zeros(6, int)]
    model = two_in_two_out()
    both = ["mse", "sparse_categorical_crossentropy"]
    model.compile("sgd", both, metrics=[["mae"], ["accuracy"]], loss_weights=[1.0, 2.0])
    assert list(model.fit(xs, ys, verbose=0).history) == [
        "left_loss", "left_mae", "loss", "right_accuracy", "right_loss"
    ]  # fmt: skip
    assert len(model.evaluate(xs, ys, verbose=0)) == 5
    model.compile("sgd", ["mse", None])
    assert list(model.fit(xs, ys, verbose=0).history) == ["loss"], "one loss needs no second name"
    before = model.get_layer("right").get_weights()
    model.fit(xs, [ys[0], None], verbose=0)
    assert equal(before, model.get_layer("right").get_weights())


def test_part_of_a_model_as_a_model(backend):
    x, y = data()
    model = classifier()
    features = Model(model.inputs, model.layers[0].output)
    both = Model(model.inputs, [layer.output for layer in model.layers])
    hidden, out = both.predict(x, verbose=0)
    assert np.allclose(features.predict(x, verbose=0), hidden) and np.allclose(out, model.predict(x, verbose=0))
    a = Input((4,))
    h = Dense(5, name="h")(a)
    tail = Model(h, Dense(2, name="o")(h))
    assert tail.input_shape == (None, 5) and tail.count_params() == 12 and tail.layers[-1].name == "o"
    assert tail.predict(np.ones((3, 5)), verbose=0).shape == (3, 2)


def test_layers_grown_one_by_one_know_their_outputs():
    model = Sequential()
    for layer in (Input((4,)), Dense(3, name="one"), Dense(2, name="two")):
        model.add(layer)
    assert len(model.get_layer("one")._inbound_nodes) == 1, "add() must not call the layers below again"
    assert Model(model.inputs, model.get_layer("one").output).output_shape == (None, 3)


def test_unused_and_repeated_inputs():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    model = Model([a, b], Dense(2)(a))
    assert [x.name for x in model.layers][:2] == ["a", "b"]
    assert model.predict([np.ones((4, 3)), np.zeros((4, 3))], verbose=0).shape == (4, 2)
    assert Model([a, a], Dense(2)(a)).predict([np.ones((4, 3)), np.ones((4, 3))], verbose=0).shape == (4, 2)


def test_arithmetic_and_indexing_of_symbolic_tensors(backend):
    import json

    a = Input((4, 3), name="a")
    first = a[:, 0]
    rest = a[..., 1:]
    m = bn.ops.mean(rest * 2 + 1, axis=1)
    joined = bn.ops.concatenate([first, -m * np.array([1.0, 2.0]), abs(first - 0.5)], axis=-1)
    model = Model(a, bn.ops.reshape(joined / 2.0, (-1, 2, 4)))
    x = np.random.default_rng(0).normal(size=(5, 4, 3)).astype("float32")
    mean = (x[..., 1:] * 2 + 1).mean(1)
    expected = np.concatenate([x[:, 0], -mean * [1, 2], abs(x[:, 0] - 0.5)], axis=-1).reshape(5, 2, 4) / 2
    assert model.output_shape == (None, 2, 4)
    assert np.allclose(model.predict(x, verbose=0), expected, atol=1e-6)
    for twin in (Model.from_config(json.loads(json.dumps(model.get_config()))), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(twin.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(TypeError, match="indexed by ints, slices"):
        a[[0, 1]]
    with pytest.raises(IndexError):
        a[:, 7]


def test_a_model_called_on_other_sizes_of_its_open_axes():
    a = Input((None, 3))
    inner = Model(a, Dense(2)(a))
    assert inner.output_shape == (None, None, 2)
    outer = Input((5, 3))
    assert Flatten()(inner(outer)).shape == (None, 10)


# ---- subclassed models ------------------------------------------------------------------------------------------------
class Sum(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense, self.drop = Dense(units), Dropout(0.5)

    def call(self, inputs, training=False):
        parts = list(inputs.values()) if isinstance(inputs, dict) else list(inputs)
        return self.drop(self.dense(parts[0]) + self.dense(parts[1]), training=training)

    def get_config(self):
        return {"units": self.units, "name": self.name}


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


# ---- weights and trainable --------------------------------------------------------------------------------------------
def test_get_and_set_weights():
    model = classifier()
    weights = model.get_weights()
    weights[0][:] = 0
    assert not np.array_equal(model.get_weights()[0], weights[0]), "get_weights gives copies"
    model.set_weights([w.tolist() for w in weights])
    assert equal(model.get_weights(), weights)
    assert [w.name for w in model.weights] == ["kernel", "bias"] * 2
    assert [w.path for w in model.weights] == ["d1/kernel", "d1/bias", "d2/kernel", "d2/bias"]


def test_trainable_counts_and_takes_effect(backend):
    x, y = data()
    model = classifier()
    model.layers[0].trainable = False
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (2, 2)
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert equal(before[:2], after[:2]) and not np.array_equal(before[2], after[2])
    model.layers[0].trainable = True
    model.compile("adam", "binary_crossentropy")
    model.fit(x, y, verbose=0)
    assert not np.array_equal(after[0], model.get_weights()[0])
    model.trainable = False
    assert not any(layer.trainable for layer in model.layers) and model.trainable_weights == []
    assert len(model.non_trainable_weights) == 4


def test_get_layer():
    model = classifier()
    assert model.get_layer("d1") is model.layers[0] is model.get_layer(index=0)
    assert model.get_layer(index=-1).name == "d2"


# ---- configs and copies -----------------------------------------------------------------------------------------------
def test_config_is_plain_data_and_rebuilds():
    import json

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


# ---- training: numbers from Keras 3.15 on the same data and weights ------------------------------------------------------
def test_class_weights_as_in_keras(backend):
    x, y = data()
    options = {"verbose": 0, "shuffle": False}
    h = classifier().fit(x, y, class_weight={0: 0.2, 1: 3.0}, epochs=2, **options).history
    assert rounded(h) == {"accuracy": [0.5857, 0.5714], "loss": [5.9219, 5.3238]}
    assert rounded(classifier().fit(x, y, class_weight={1: 3.0}, **options).history) == {
        "accuracy": [0.5857], "loss": [6.0637]
    }  # fmt: skip


def test_weighted_metrics_as_in_keras(backend):
    x, y = data()
    h = classifier(weighted_metrics=["accuracy"]).fit(
        x, y, verbose=0, shuffle=False, sample_weight=np.linspace(0, 1, 70), validation_data=(x, y, np.linspace(1, 0, 70))
    ).history  # fmt: skip
    assert rounded(h) == {
        "accuracy": [0.5714], "loss": [1.0431], "val_accuracy": [0.5714], "val_loss": [1.1214],
        "val_weighted_accuracy": [0.5449], "weighted_accuracy": [0.5979],
    }  # fmt: skip


def test_validation_batches_and_steps_as_in_keras(backend):
    x, y = data()
    h = classifier().fit(
        x, y, verbose=0, shuffle=False, epochs=2, validation_data=(x[:9], y[:9]), validation_batch_size=4,
        validation_steps=2,
    ).history  # fmt: skip
    assert rounded(h) == {
        "accuracy": [0.5714, 0.5857], "loss": [2.1675, 2.1047], "val_accuracy": [0.625, 0.625],
        "val_loss": [1.1529, 1.1175],
    }  # fmt: skip


def test_single_batches_as_in_keras(backend):
    x, y = data()
    model = classifier()
    steps = [np.round(model.train_on_batch(x[i : i + 20], y[i : i + 20]), 4).tolist() for i in (0, 20, 40)]
    assert steps == [[1.8878, 0.65], [2.8271, 0.4], [2.4102, 0.55]]
    assert classifier().test_on_batch(x, y, return_dict=True) == pytest.approx(
        {"loss": 2.1831, "accuracy": 0.5714}, abs=5e-5
    )
    assert classifier().evaluate(x, y, batch_size=20, steps=2, verbose=0) == pytest.approx([2.37263, 0.525], abs=5e-6)
    assert isinstance(classifier(metrics=None).evaluate(x, y, verbose=0), float)


def test_compile_names_losses_any_way(backend):
    x, y = data()
    expected = classifier().test_on_batch(x, y)[0]
    for loss in (bn.losses.BinaryCrossentropy(), bn.losses.BinaryCrossentropy, bn.losses.binary_crossentropy,
                 ["binary_crossentropy"], {"d2": "binary_crossentropy"}):  # fmt: skip
        assert classifier(loss=loss).test_on_batch(x, y)[0] == pytest.approx(expected, rel=1e-6)


def test_the_same_metric_twice_gets_a_number(backend):
    x, y = data()
    model = classifier(metrics=["mae", "mae", ["accuracy"]])
    model.fit(x, y, verbose=0)
    assert model.metrics_names == ["loss", "mae", "mae_1", "accuracy"]


def test_penalties_alone_can_be_trained(backend):
    model = Sequential([Input((4,)), Dense(1, kernel_regularizer="l2")])
    model.compile(bn.optimizers.SGD(1.0))
    before = np.abs(model.get_weights()[0]).sum()
    assert list(model.fit(np.ones((5, 4)), verbose=0, epochs=3).history) == ["loss"]
    assert np.abs(model.get_weights()[0]).sum() < before


def test_a_custom_loss_may_want_other_shapes(backend):
    def distance(y_true, y_pred):
        return bn.ops.mean(bn.ops.square(y_pred[:, :1] - y_true), axis=-1)

    model = Sequential([Input((4,)), Dense(3)])
    model.compile("sgd", distance)
    x, _ = data(8)
    loss = model.test_on_batch(x, np.ones((8, 1)))
    assert loss == pytest.approx(np.mean((model.predict(x, verbose=0)[:, 0] - 1) ** 2), rel=1e-5)


def test_errors_inside_a_custom_loss_or_metric_say_so(backend):
    def numpy_loss(y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    x, y = data()
    for options in ({"loss": numpy_loss}, {"metrics": [numpy_loss]}):
        with pytest.raises((TypeError, ValueError)) as caught:
            classifier(**options).fit(x, y, verbose=0)
        assert any("'numpy_loss', which is traced" in note for note in caught.value.__notes__)


# ---- what can be fed --------------------------------------------------------------------------------------------------
class OnlyArray:
    def __init__(self, value):
        self._value = value

    def __array__(self, dtype=None, copy=None):
        return self._value if dtype is None else self._value.astype(dtype)


class OnlyDLPack:
    def __init__(self, value):
        self._value = value

    def __dlpack__(self, **kwargs):
        return self._value.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self._value.__dlpack_device__()


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


FORMS = {
    "list": lambda a, _: a.tolist(),
    "tuple": lambda a, _: tuple(map(tuple, a.tolist())),
    "rows": lambda a, _: list(a),
    "in_a_list": lambda a, _: [a],
    "float64": lambda a, _: a.astype("float64"),
    "float16": lambda a, _: a.astype("float16"),
    "longdouble": lambda a, _: a.astype(np.longdouble),
    "big_endian": lambda a, _: a.astype(">f4"),
    "fortran": lambda a, _: np.asfortranarray(a),
    "strided": lambda a, _: np.repeat(a, 2, axis=0)[::2],
    "reversed": lambda a, _: a[::-1][::-1],
    "columns": lambda a, _: np.concatenate([a, a], axis=1)[:, : a.shape[1]],
    "read_only": lambda a, _: read_only(a),
    "memmap": lambda a, tmp: memmap(a, tmp),
    "array_only": lambda a, _: OnlyArray(a),
    "dlpack_only": lambda a, _: OnlyDLPack(a.copy()),
    "memoryview": lambda a, _: memoryview(np.ascontiguousarray(a)),
    "matrix_of_ints": lambda a, _: np.round(a).astype("int16"),
    "bool": lambda a, _: a > 0,
}


def memmap(a, tmp):
    out = np.memmap(tmp / "x.bin", a.dtype, "w+", shape=a.shape)
    out[:] = a
    out.flush()
    return np.memmap(tmp / "x.bin", a.dtype, "r", shape=a.shape)


@pytest.mark.parametrize("form", FORMS)
def test_arrays_of_any_form(backend, tmp_path, form):
    x, y = data()
    fed = FORMS[form](x, tmp_path)
    plain = np.asarray(fed._value if isinstance(fed, (OnlyArray, OnlyDLPack)) else fed)
    plain = np.ascontiguousarray(plain.reshape(70, 4), dtype="float32")
    model, other = classifier(), classifier()
    assert np.array_equal(model.predict(fed, verbose=0), other.predict(plain, verbose=0))
    assert model.evaluate(fed, y, verbose=0) == other.evaluate(plain, y, verbose=0)
    bn.utils.set_random_seed(1)
    a = model.fit(fed, y, verbose=0, shuffle=False).history
    assert a == other.fit(plain, y, verbose=0, shuffle=False).history
    assert np.allclose(model(fed), model.predict(plain, verbose=0), atol=1e-6)
    assert np.array_equal(np.asarray(plain), plain)


@pytest.mark.parametrize("form", ["list", "tuple", "float16", "big_endian", "strided", "read_only", "memmap", "array_only",
                                  "dlpack_only", "bool", "int8", "uint8", "uint64", "column"])  # fmt: skip
def test_targets_of_any_form(backend, tmp_path, form):
    x, y = data()
    y = y.astype("float32")
    if form == "column":
        fed = y[:, None]
    elif form == "tuple":
        fed = tuple(y.tolist())
    else:
        fed = FORMS[form](y, tmp_path) if form in FORMS else y.astype(form)
    assert classifier().evaluate(x, fed, verbose=0) == classifier().evaluate(x, y, verbose=0)


def test_pandas(backend):
    pd = pytest.importorskip("pandas")
    x, y = data()
    model = classifier()
    p, scores = model.predict(x, verbose=0), model.evaluate(x, y, verbose=0)
    frame = pd.DataFrame(x, columns=list("abcd"), index=np.arange(70)[::-1])
    assert np.array_equal(model.predict(frame, verbose=0), p)
    for target in (pd.Series(y), pd.Series(y, index=np.arange(70)[::-1]), pd.DataFrame({"y": y}), pd.Series(y > 0),
                   pd.Series(y).astype("Int64"), pd.Series(y > 0).astype("boolean"), pd.Series(y).astype("Float32")):  # fmt: skip
        assert model.evaluate(frame, target, verbose=0) == scores
    nullable = frame.round().astype("Int32")
    mixed = frame.round().assign(b=lambda f: f.b.astype("Int8"), c=lambda f: f.c.astype("float64"))
    assert np.array_equal(model.predict(nullable, verbose=0), model.predict(np.round(x), verbose=0))
    assert np.array_equal(model.predict(mixed, verbose=0), model.predict(np.round(x), verbose=0))
    a, b = classifier(), classifier()
    w = pd.Series(np.linspace(0, 1, 70))
    runs = [m.fit(f, t, sample_weight=v, validation_split=0.2, verbose=0, shuffle=False).history
            for m, f, t, v in ((a, frame, pd.Series(y), w), (b, x, y, w.to_numpy()))]  # fmt: skip
    assert runs[0] == runs[1]


def test_feeding_changes_no_array_of_the_user(backend):
    x, y = data()
    kept = x.copy(), y.copy()
    classifier().fit(x, y, epochs=2, verbose=0)
    assert np.array_equal(x, kept[0]) and np.array_equal(y, kept[1])


def test_one_feature_may_come_without_its_axis(backend):
    model = Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(6.0)
    assert np.array_equal(model.predict(x, verbose=0), model.predict(x[:, None], verbose=0))
    model.fit(x, x, verbose=0)


# ---- summary ----------------------------------------------------------------------------------------------------------
def table_of(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    assert len(texts) == 1, "print_fn gets the summary as one string"
    return texts[0]


def cells(text):
    return [[c.strip() for c in line.strip("│").split("│")] for line in text.splitlines() if line.startswith("│")]


def test_summary_of_a_stack_before_and_after_training():
    x, y = data()
    model = classifier(optimizer="adam")
    text = table_of(model)
    assert cells(text) == [["d1 (Dense)", "(None, 8)", "40"], ["d2 (Dense)", "(None, 1)", "9"]]
    assert text.splitlines()[0] == f'Model: "{model.name}"'
    assert text.splitlines()[-3:] == [
        " Total params: 49 (196.00 B)", " Trainable params: 49 (196.00 B)", " Non-trainable params: 0 (0.00 B)"
    ]  # fmt: skip
    model.fit(x, y, verbose=0)
    assert table_of(model).splitlines()[-4:] == [  # as Keras counts: iteration and learning rate are among them
        " Total params: 149 (600.00 B)", " Trainable params: 49 (196.00 B)", " Non-trainable params: 0 (0.00 B)",
        " Optimizer params: 100 (404.00 B)",
    ]  # fmt: skip


def test_summary_of_a_model_that_is_not_built():
    model = Sequential([Dense(3, name="q"), Dropout(0.5, name="r")])
    assert cells(table_of(model)) == [["q (Dense)", "?", "0 (unbuilt)"], ["r (Dropout)", "?", "0"]]


def test_summary_of_branches_and_nested_models():
    a = Input((4,), name="a")
    inner = Model(a, Dense(3, name="i")(a), name="inner")
    inner.trainable = False
    b = Input((4,), name="b")
    h = inner(b)
    h = Add(name="sum")([h, BatchNormalization(name="bn")(h)])
    model = Model(b, h)
    assert cells(table_of(model, expand_nested=True, show_trainable=True, line_length=100)) == [
        ["b (InputLayer)", "(None, 4)", "0", "-", "-"],
        ["inner (Functional)", "(None, 3)", "15", "b[0][0]", "N"],
        ["└ a (InputLayer)", "(None, 4)", "0", "-", "-"],
        ["└ i (Dense)", "(None, 3)", "15", "a[0][0]", "N"],
        ["bn (BatchNormalization)", "(None, 3)", "12", "inner[0][0]", "Y"],
        ["sum (Add)", "(None, 3)", "0", "inner[0][0], bn[0][0]", "-"],
    ]
    assert [row[0] for row in cells(table_of(model, layer_range=("inner", "bn"), line_length=100))] == [
        "inner (Functional)", "bn (BatchNormalization)"
    ]  # fmt: skip


def test_summary_folds_to_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    model = Sequential([Input((4,)), Dense(3, name="a_layer_with_quite_a_long_name_indeed")])
    lines = table_of(model).splitlines()
    assert max(map(len, lines[1:-3])) <= 50 and len({len(x) for x in lines[1:-3]}) == 1
    assert "".join(row[0] for row in cells("\n".join(lines))).replace(" ", "") == "a_layer_with_quite_a_long_name_indeed(Dense)"
    assert {len(x) for x in table_of(model, line_length=60).splitlines()[1:-3]} == {60}


def test_summary_in_a_terminal_without_box_characters(monkeypatch):
    import io
    import sys

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    classifier().summary()
    sys.stdout.flush()
    assert b"| d1 (Dense)" in raw.getvalue() and raw.getvalue().isascii()


def test_summary_of_a_subclassed_model():
    model = Sum(name="sums")
    x = [np.ones((2, 4)), np.ones((2, 4))]
    model(x)
    assert cells(table_of(model))[0][1:] == ["(None, 3)", "15"]
