"""Configs and JSON of models and objects, Keras' own included; registration; clones."""

import json
import pathlib

import numpy as np
import pytest

import brisknet as bn
from brisknet import saving
from brisknet.layers import Add, BatchNormalization, Dense, Dropout, Input, Layer
from brisknet.models import Functional, Model, Sequential, clone_model, model_from_json
from tests.golden.saving_cases import MODELS, inputs
from tests.small_models import Sum, classifier, data, equal, two_in_two_out

GOLDEN = np.load(pathlib.Path(__file__).parent / "golden" / "keras_saving.npz")
GRAPHS = [name for name in MODELS if name != "written"]


def file_of(name):
    return {k.removeprefix(f"{name}/file/"): GOLDEN[k] for k in GOLDEN.files if k.startswith(f"{name}/file/")}


@pytest.mark.parametrize("name", GRAPHS)
def test_json_of_keras(backend, name, tmp_path):
    model = model_from_json(str(GOLDEN[f"{name}/json"]))
    np.savez(tmp_path / "w.npz", **file_of(name))
    model.load_weights(tmp_path / "w.npz")
    out = model(inputs(name, bn))
    keys = [k for k in GOLDEN.files if k.startswith(f"{name}/out/")]
    for key in keys:
        value = out[key.rpartition("/")[2]] if isinstance(out, dict) else out
        assert np.allclose(value, GOLDEN[key], rtol=1e-5, atol=1e-6)
    assert model.compiled == (name == "stack")
    if name == "stack":
        assert isinstance(model.optimizer, bn.optimizers.Adam) and model.optimizer.built
        assert int(model.optimizer.iterations.numpy()) == 1, "the state of the optimizer came with the weights"


@pytest.mark.parametrize("name", GRAPHS)
def test_our_json_has_the_form_of_keras(name):
    ours, theirs = json.loads(MODELS[name](bn).to_json()), json.loads(str(GOLDEN[f"{name}/json"]))
    assert (ours["class_name"], ours["module"].split(".")[0]) == (theirs["class_name"], "keras")

    def shape_of(config):
        return [(x["class_name"], x["module"]) for x in config["config"]["layers"]]

    assert shape_of(ours) == shape_of(theirs)
    for part in ("input_layers", "output_layers"):
        ends = [json.dumps(c["config"].get(part)) for c in (ours, theirs)]
        assert ends[0].count("[") == ends[1].count("[") and ends[0].count("{") == ends[1].count("{")


@pytest.mark.parametrize("make", [classifier, two_in_two_out, lambda: two_in_two_out(True)])
def test_to_json_and_back(backend, make):
    model = make()
    again = model_from_json(model.to_json(indent=2))
    assert type(again) is type(model) and again.count_params() == model.count_params() and again.name == model.name
    again.set_weights(model.get_weights())
    xs = [np.ones((3, *t.shape[1:])) for t in model.inputs]
    given = dict(zip(model.input, xs, strict=True)) if isinstance(model.input, dict) else xs if len(xs) > 1 else xs[0]
    p, q = model.predict(given, verbose=0), again.predict(given, verbose=0)
    assert equal(p.values(), q.values()) if isinstance(p, dict) else np.array_equal(p[0], q[0])
    assert again.compiled == model.compiled


def test_compile_config():
    x, y = data()
    model = classifier(
        optimizer=bn.optimizers.SGD(0.1, momentum=0.9), loss=bn.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", bn.metrics.AUC(name="area")], weighted_metrics=[["mae"]],
    )  # fmt: skip
    config = json.loads(json.dumps(model.get_compile_config()))
    assert config["loss"]["module"] == "keras.losses" and config["metrics"][0] == "accuracy"
    twin = classifier()
    twin.set_weights(model.get_weights())
    twin.compile_from_config(config)
    runs = [m.fit(x, y, verbose=0, shuffle=False).history for m in (model, twin)]
    assert runs[0] == runs[1] and set(runs[0]) == {"accuracy", "area", "loss", "mae"}
    assert Sequential([Dense(1)]).get_compile_config() is None
    by_name = two_in_two_out()
    by_name.compile("sgd", {"left": "mse", "right": bn.losses.SparseCategoricalCrossentropy}, loss_weights={"left": 2.0})
    again = two_in_two_out()
    again.compile_from_config(json.loads(json.dumps(by_name.get_compile_config())))
    assert again.loss["left"] == "mse" or callable(again.loss["left"])


@saving.register_keras_serializable("tests")
class Halve(Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def build(self, input_shape):
        self.shift = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="shift")

    def call(self, x):
        return x / self.by + self.shift

    def get_config(self):
        return {**super().get_config(), "by": self.by}


class Plain(Layer):
    def call(self, x):
        return x


def test_registered_classes_and_scopes():
    model = Sequential([Input((3,)), Halve(4.0), Dense(1)])
    text = model.to_json()
    assert json.loads(text)["config"]["layers"][1]["registered_name"] == "tests>Halve"
    assert model_from_json(text).layers[0].by == 4.0
    assert saving.get_registered_name(Halve) == "tests>Halve" and saving.get_registered_object("tests>Halve") is Halve
    assert saving.get_registered_name(Plain) == "Plain" and saving.get_registered_object("Plain") is None
    other = Sequential([Input((3,)), Plain()]).to_json()
    with pytest.raises(ValueError, match="Plain"):
        model_from_json(other)
    with saving.custom_object_scope({"Plain": Plain}):
        assert type(model_from_json(other).layers[0]) is Plain
        assert saving.get_registered_object("Plain") is Plain
    assert type(model_from_json(other, {"Plain": Plain}).layers[0]) is Plain
    saving.get_custom_objects()["Plain"] = Plain
    try:
        assert type(model_from_json(other).layers[0]) is Plain
    finally:
        del saving.get_custom_objects()["Plain"]
    with pytest.raises(ValueError, match="no get_config"):
        saving.register_keras_serializable()(int)
    with pytest.raises(ValueError, match="custom_object_scope: a dict"):
        saving.custom_object_scope([Plain])


def test_subclassed_models_as_json(backend):
    x = [np.ones((4, 3)), np.ones((4, 3))]
    model = Sum(5)
    model(x)
    again = model_from_json(model.to_json(), {"Sum": Sum})
    assert again.built and again.units == 5
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


@saving.register_keras_serializable("tests")
def squared(x):
    return x * x


@pytest.mark.parametrize("thing", [
    3, 2.5, "word", None, True, [1, {"a": (2, 3)}], slice(1, None, 2), Ellipsis, b"bytes", np.arange(6).reshape(2, 3),
    bn.initializers.HeNormal(seed=3), bn.regularizers.L2(0.5), bn.losses.Huber(2.0), bn.metrics.Mean(name="m"),
    bn.optimizers.Adam(0.01), squared, bn.activations.relu, bn.losses.mean_squared_error,
])  # fmt: skip
def test_any_object(thing):
    config = json.loads(json.dumps(saving.serialize_keras_object(thing)))
    again = saving.deserialize_keras_object(config)
    if isinstance(thing, np.ndarray):
        assert np.array_equal(again, thing) and again.dtype == thing.dtype
    elif hasattr(thing, "get_config"):
        assert type(again) is type(thing) and again.get_config() == thing.get_config()
    elif isinstance(thing, list):
        assert again == [1, {"a": [2, 3]}]
    else:
        assert again == thing or again is thing
    assert saving.serialize_keras_object(np.float32(0.5)) == 0.5


def test_what_is_refused():
    with pytest.raises(ValueError, match="lambda can't be serialized"):
        saving.serialize_keras_object(lambda x: x)
    with pytest.raises(TypeError, match="must have get_config"):
        saving.serialize_keras_object(object())
    with pytest.raises(ValueError, match="lambda, which is code"):
        saving.deserialize_keras_object({"class_name": "__lambda__", "config": {"value": "4wAA"}})
    for bad in ({"module": "os", "class_name": "system", "config": {}, "registered_name": "system"},
                {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"}):  # fmt: skip
        with pytest.raises(ValueError, match="unknown (class|function)"):
            saving.deserialize_keras_object(bad)
    for text in ("{", "[1]", 3, '{"class_name": "Dense", "config": {"units": 2}}'):
        with pytest.raises(ValueError, match="model_from_json: the JSON text of a model"):
            model_from_json(text)


# ---- clones -----------------------------------------------------------------------------------------------------------------
def test_clones_are_compiled_as_their_model():
    model = classifier(optimizer="adam", metrics=["mae"])
    twin = clone_model(model)
    assert twin.compiled and isinstance(twin.optimizer, bn.optimizers.Adam) and twin.optimizer is not model.optimizer
    x, y = data()
    assert set(twin.fit(x, y, verbose=0).history) == {"loss", "mae"}


def test_clones_on_other_inputs(backend):
    model = two_in_two_out()
    a, b = Input((3,), name="left_in"), Dense(2)(Input((7,), name="seven"))
    twin = clone_model(model, input_tensors=[a, b])
    assert [t.shape for t in twin.inputs] == [(None, 3), (None, 2)] and twin.count_params() == model.count_params()
    with pytest.raises(ValueError, match="structure of model.input"):
        clone_model(model, input_tensors=a)
    stack = clone_model(classifier(), input_tensors=Input((4,), batch_size=8))
    assert stack.input_shape == (8, 4)
    with pytest.raises(ValueError, match="one symbolic tensor"):
        clone_model(classifier(), input_tensors=[a, a])


def test_clones_with_other_layers_and_calls(backend):
    inner = Sequential([Input((4,)), Dense(4, name="deep"), Dropout(0.5)], name="inner")
    a = Input((4,))
    shared = Dense(4, name="shared")
    model = Model(a, Add()([inner(shared(a)), shared(inner(a))]))

    def no_bias(layer):
        if isinstance(layer, Dense):
            return Dense(layer.units, use_bias=False, name=layer.name)
        return type(layer).from_config(layer.get_config())

    flat = clone_model(model, clone_function=no_bias)
    assert flat.count_params() == 16 + 20
    deep = clone_model(model, clone_function=no_bias, recursive=True)
    assert deep.count_params() == 32 and len(deep.layers) == len(model.layers)

    def with_norm(layer, *args, **kwargs):
        out = layer(*args, **kwargs)
        return BatchNormalization()(out) if isinstance(layer, Dense) else out

    normed = clone_model(model, call_function=with_norm)
    assert sum(isinstance(x, BatchNormalization) for x in normed.layers) == 2
    assert normed.predict(np.ones((2, 4)), verbose=0).shape == (2, 4)
    with pytest.raises(ValueError, match="call_function is for functional models"):
        clone_model(inner, call_function=with_norm)


def test_clones_of_subclassed_models():
    model = Sum(6)
    twin = clone_model(model)
    assert type(twin) is Sum and twin.units == 6 and not twin.built
    with pytest.raises(ValueError, match="for Sequential and functional models, got Sum"):
        clone_model(model, clone_function=lambda layer: layer)
    assert isinstance(clone_model(two_in_two_out()), Functional)
