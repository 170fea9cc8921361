"""Sequential and functional models: building, structure, inputs, outputs, training against numbers from Keras."""

import pickle

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers import Activation, Add, BatchNormalization, Concatenate, Dense, Flatten, Input, Reshape
from brisknet.models import Model, Sequential
from tests.small_models import classifier, data, equal, rounded, two_in_two_out


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
        a["x"]
    with pytest.raises(IndexError):
        a[:, 7]


def test_a_model_called_on_other_sizes_of_its_open_axes():
    a = Input((None, 3))
    inner = Model(a, Dense(2)(a))
    assert inner.output_shape == (None, None, 2)
    outer = Input((5, 3))
    assert Flatten()(inner(outer)).shape == (None, 10)


# ---- weights and trainable --------------------------------------------------------------------------------------------
def test_get_and_set_weights():
    model = classifier()
    weights = model.get_weights()
    weights[0][:] = 0
    assert not np.array_equal(model.get_weights()[0], weights[0]), "get_weights gives copies"
    model.set_weights([w.tolist() for w in weights])
    assert equal(model.get_weights(), weights)
    assert [w.name for w in model.weights] == ["kernel", "bias"] * 2
    assert [w.path for w in model.weights] == [f"{model.name}/{p}" for p in ("d1/kernel", "d1/bias", "d2/kernel", "d2/bias")]


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


# ---- training: numbers from Keras 3.15 on the same data and weights ------------------------------------------------------
def test_class_weights_as_in_keras(backend):
    x, y = data()
    options = {"verbose": 0, "shuffle": False}
    h = classifier().fit(x, y, class_weight={0: 0.2, 1: 3.0}, epochs=2, **options).history
    assert rounded(h) == {"accuracy": [0.5857, 0.5714], "loss": [5.9219, 5.3238]}
    assert rounded(classifier().fit(x, y, class_weight={1: 3.0}, **options).history) == {
        "accuracy": [0.5857], "loss": [6.0637]
    }  # fmt: skip
    h = classifier().fit(x, y, class_weight={0: 0.2, 1: 3.0}, validation_split=0.3, **options).history
    assert rounded(h) == {"accuracy": [0.5102], "loss": [7.0296], "val_accuracy": [0.7143], "val_loss": [1.2966]}


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


@pytest.mark.parametrize(
    ("weights", "loss"),
    [(np.arange(30.0).reshape(6, 5), 232.0), (np.arange(30.0).reshape(6, 5, 1), 232.0), (np.arange(6.0)[:, None], 40.0)],
)
def test_weights_of_places_as_in_keras(backend, weights, loss):
    model = Sequential([Input((5, 4)), Dense(2, kernel_initializer="ones")])
    model.compile("sgd", "mse", weighted_metrics=["mae"])
    found = model.test_on_batch(np.ones((6, 5, 4)), np.zeros((6, 5, 2)), sample_weight=weights)
    assert found == pytest.approx([loss, 4.0])


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
        return np.fft.fft(y_true - y_pred)

    x, y = data()
    for options in ({"loss": numpy_loss}, {"metrics": [numpy_loss]}):
        with pytest.raises((TypeError, ValueError)) as caught:
            classifier(**options).fit(x, y, verbose=0)
        assert any("'numpy_loss', which is traced" in note for note in caught.value.__notes__)
