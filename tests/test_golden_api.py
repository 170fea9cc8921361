"""Names, signatures, configs and look-ups against what real Keras has (tests/golden/keras.json)."""

import inspect

import numpy as np
import pytest

import brisknet as bn
from brisknet.metrics.names import as_metric, resolve
from brisknet.saving.objects import deserialize_layer, serialize_layer
from tests.golden import function_cases, layer_cases, optimizer_cases
from tests.golden.compare import notes
from tests.golden.model_cases import GRAPHS

NOTES = notes()
CONFIGS, SIGNATURES = NOTES["configs"], NOTES["signatures"]


# ---- signatures -------------------------------------------------------------------------------------------------------
def public():
    """(module, name) of everything that both have."""
    for module, names in SIGNATURES.items():
        for name in names:
            if hasattr(getattr(bn, module), name):
                yield f"{module}.{name}"


def parameters(thing):
    found = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters.values()
    return [p for p in found if p.name != "self"]


@pytest.mark.parametrize("name", list(public()))
def test_signature(name):
    """Keras' arguments in Keras' order with Keras' defaults; what brisknet adds comes behind them."""
    module, name = name.split(".")
    ours = parameters(getattr(getattr(bn, module), name))
    positional = [p for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = [a for a in SIGNATURES[module][name] if a[1] == "POSITIONAL_OR_KEYWORD"]
    got = [(p.name, "" if p.default is p.empty else repr(p.default)) for p in positional[: len(wanted)]]
    assert got == [(a[0], a[2]) for a in wanted]
    assert all(p.default is not p.empty for p in positional[len(wanted) :])
    if any(a[1] == "VAR_KEYWORD" for a in SIGNATURES[module][name]):
        assert any(p.kind is p.VAR_KEYWORD for p in ours)


# ---- configs ----------------------------------------------------------------------------------------------------------
def same_config(ours: dict, theirs: dict, but=()):
    """Every key of Keras' config is in ours with the same value."""
    for key, want in theirs.items():
        if key not in but:
            assert key in ours, f"{key} is missing"
            assert plain(ours[key]) == plain(want), f"{key}: {ours[key]!r}, Keras has {want!r}"


def plain(x):
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


def unnumbered(config):
    """Automatic names are numbered through the process; the number says nothing."""
    return {**config, "name": config["name"].rstrip("0123456789").rstrip("_")} if "name" in config else config


@pytest.mark.parametrize("name", layer_cases.CONFIGS)
def test_layer_config(name):
    layer, theirs = layer_cases.CONFIGS[name](bn), CONFIGS["layers"][name]
    ours = serialize_layer(layer)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"])
    made = deserialize_layer(theirs)
    assert plain(made.get_config()) == plain(layer.get_config())


@pytest.mark.parametrize("name", function_cases.LOSSES)
def test_loss_config(name):
    loss, theirs = function_cases.LOSSES[name][0](bn), CONFIGS["losses"][name]
    ours = bn.losses.serialize(loss)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"])
    assert bn.losses.deserialize(ours).get_config() == loss.get_config()
    assert isinstance(bn.losses.deserialize(theirs), type(loss))


@pytest.mark.parametrize("name", function_cases.METRICS)
def test_metric_config(name):
    metric, theirs = function_cases.METRICS[name][0](bn), CONFIGS["metrics"][name]
    ours = bn.metrics.serialize(metric)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"], but=("fn",))
    assert bn.metrics.deserialize(ours).get_config() == metric.get_config()
    assert bn.metrics.deserialize(theirs).get_config() == metric.get_config()


@pytest.mark.parametrize("name", optimizer_cases.OPTIMIZERS)
def test_optimizer_config(name):
    optimizer, theirs = optimizer_cases.OPTIMIZERS[name](bn), CONFIGS["optimizers"][name]
    ours = bn.optimizers.serialize(optimizer)
    assert ours["class_name"] == theirs["class_name"]
    same_config(unnumbered(ours["config"]), unnumbered(theirs["config"]))
    assert bn.optimizers.deserialize(theirs).get_config() == {**optimizer.get_config(), "name": theirs["config"]["name"]}


@pytest.mark.parametrize("name", [*function_cases.DRAWS, *function_cases.FIXED])
def test_initializer_config(name):
    fixed = name in function_cases.FIXED
    made = function_cases.FIXED[name][0](bn) if fixed else function_cases.DRAWS[name](bn, None)
    theirs, ours = CONFIGS["initializers"][name], bn.initializers.serialize(made)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"])
    assert bn.initializers.serialize(bn.initializers.deserialize(ours)) == ours
    same_config(bn.initializers.deserialize(theirs).get_config(), theirs["config"])


@pytest.mark.parametrize("name", function_cases.REGULARIZERS)
def test_regularizer_config(name):
    made, theirs = function_cases.REGULARIZERS[name](bn), CONFIGS["regularizers"][name]
    ours = bn.regularizers.serialize(made)
    assert ours["class_name"] == theirs["class_name"]
    same_config(ours["config"], theirs["config"])
    assert bn.regularizers.serialize(bn.regularizers.deserialize(theirs)) == ours


@pytest.mark.parametrize("name", CONFIGS["activations"])
def test_activation_name(name):
    assert bn.activations.serialize(bn.activations.get(name)) == CONFIGS["activations"][name]


# ---- look-ups ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("target, output, metric, loss", NOTES["resolutions"]["shapes"])
def test_accuracy_by_shape(target, output, metric, loss):
    assert type(resolve("accuracy", tuple(target), tuple(output))).__name__ == metric
    assert resolve("crossentropy", tuple(target), tuple(output))._loss.name == loss


@pytest.mark.parametrize("name", NOTES["resolutions"]["names"])
def test_metric_by_name(name):
    cls, label = NOTES["resolutions"]["names"][name]
    metric = resolve(name, (8, 3), (8, 3))
    assert (type(metric).__name__, metric.name) == (cls, label)


def test_loss_names_give_what_keras_gives():
    losses = bn.losses
    for name, fn in {"mse": losses.mean_squared_error, "MAE": losses.mean_absolute_error, "huber": losses.huber,
                     "bce": losses.binary_crossentropy, "log_cosh": losses.log_cosh}.items():  # fmt: skip
        assert losses.get(name) is fn
    for name in ("MeanSquaredError", "Huber", "CategoricalCrossentropy"):
        assert type(losses.get(name)).__name__ == name
        assert type(losses.get(getattr(losses, name))).__name__ == name
    assert losses.get(None) is None
    assert losses.get(losses.hinge) is losses.hinge
    made = losses.get({"class_name": "Huber", "config": {"delta": 0.5}})
    assert isinstance(made, losses.Huber)
    assert made.delta == 0.5
    custom = lambda y, p: p  # noqa: E731
    assert losses.get(custom) is custom
    assert losses.deserialize(losses.serialize(losses.mean_squared_error)) is losses.mean_squared_error
    for bad in ("nope", 3, ["mse"]):
        with pytest.raises((ValueError, TypeError), match="loss"):
            losses.get(bad)


@pytest.mark.parametrize("spelling", ["adam", "ADAM", "Adam"])
def test_optimizer_names_in_any_case(spelling):
    assert type(bn.optimizers.get(spelling)) is bn.optimizers.Adam
    assert type(bn.optimizers.get({"class_name": spelling, "config": {"learning_rate": 0.5}})) is bn.optimizers.Adam


def test_metrics_of_compile_are_named_after_what_was_given():
    def half(y_true, y_pred):
        return y_pred * 0.0 + 0.5

    for given, name in (("mse", "mse"), (bn.losses.huber, "huber"), (half, "half"), (bn.metrics.Mean("m"), "m"),
                        (bn.metrics.binary_accuracy, "binary_accuracy")):  # fmt: skip
        assert as_metric(given).name == name
    assert bn.metrics.get("mse").name == "mean_squared_error"
    assert bn.metrics.get(bn.losses.huber) is bn.losses.huber


@pytest.mark.parametrize("name", GRAPHS)
def test_order_of_layers_and_weights(name):
    model = GRAPHS[name](bn)
    layers, shapes = NOTES["orders"][name]
    assert [layer.name for layer in model.layers] == layers
    assert [list(w.shape) for w in model.get_weights()] == shapes


# ---- arguments of Keras that are refused, and say so ---------------------------------------------------------------------
REFUSED = {
    "ema_momentum": lambda: bn.optimizers.Adam(use_ema=True, ema_momentum=1.5),
    "loss_scale_factor": lambda: bn.optimizers.SGD(loss_scale_factor=0.0),
    "gradient_accumulation_steps": lambda: bn.optimizers.RMSprop(gradient_accumulation_steps=1),
    "unknown": lambda: bn.optimizers.SGD(momentun=0.9),
    "synchronized": lambda: bn.layers.BatchNormalization(synchronized=True),
    "lora_rank": lambda: bn.layers.Dense(3, lora_rank=2),
    "quantization_config": lambda: bn.layers.Dense(3, quantization_config={}),
    "kernel_constraint": lambda: bn.layers.Dense(3, kernel_constraint="max_nrom"),
    "sparse": lambda: bn.Input((3,), sparse=True),
    "ragged": lambda: bn.Input((3,), ragged=True),
    "optional": lambda: bn.Input((3,), optional=True),
    "reduction": lambda: bn.losses.MeanSquaredError(reduction="average"),
    "mask": lambda: bn.layers.BatchNormalization()(np.ones((2, 3)), mask=np.ones((2, 3), bool)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(ValueError, match=name):
        REFUSED[name]()


def test_old_decay_argument_is_ignored_with_a_warning():
    with pytest.warns(UserWarning, match="decay"):
        assert bn.optimizers.SGD(0.1, decay=1e-4).learning_rate == pytest.approx(0.1)


def test_weight_decay_is_fixed_once_built():
    optimizer = bn.optimizers.SGD(0.1, weight_decay=0.1)
    optimizer.build([bn.Variable(np.ones(3), name="kernel")])
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_constraint_is_applied_and_named_in_the_config():
    class Positive:
        def __call__(self, w):
            return bn.ops.maximum(w, 0.0)

        def get_config(self):
            return {}

    model = bn.Sequential([bn.Input((2,)), bn.layers.Dense(2, kernel_constraint=Positive())])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((4, 2)), np.full((4, 2), -9.0))
    assert model.layers[0].kernel.numpy().min() >= 0
    assert model.layers[0].get_config()["kernel_constraint"] == {"class_name": "Positive", "config": {}}


def test_optimizer_set_weights():
    variables = [bn.Variable(np.ones((2, 3)), name="kernel"), bn.Variable(np.ones(3), name="bias")]
    optimizer = bn.optimizers.Adam()
    with pytest.raises(ValueError, match="build"):
        optimizer.set_weights([])
    optimizer.build(variables)
    values = [np.full(v.shape, i, v.dtype) for i, v in enumerate(optimizer.variables)]
    optimizer.set_weights(values)
    assert all(np.array_equal(v.numpy(), w) for v, w in zip(optimizer.variables, values, strict=True))
    with pytest.raises(ValueError, match="shapes"):
        optimizer.set_weights(values[::-1])
