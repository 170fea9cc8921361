"""Convolution, pooling, sizes of images and random images against real Keras: outputs, gradients of inputs and weights,
configs and signatures."""

import inspect
import json

import numpy as np
import pytest

import brisknet as bn
from tests.golden import conv_cases as cases
from tests.golden.compare import HERE, Golden, close, mode, run_traced  # noqa: F401
from tests.test_golden_layers import check_eager, check_layer

GOLDEN = Golden("keras_conv")
NOTES = json.loads((HERE / "keras_conv.json").read_text())


@pytest.mark.parametrize("name", cases.LAYERS)
def test_layer(name, mode):  # noqa: F811
    y = GOLDEN[f"{name}/y"]
    # Keras on JAX has computed some in float32, whatever floatx is: its numbers say which.
    single = np.array_equal(y, y.astype("float32")) and mode[1] == "float64" and not exact(name)
    check_layer(cases, GOLDEN, name, mode, 3e-7 if single else None)


def exact(name):
    """Layers that move numbers and don't compute any: float32 holds what comes out, as it held what went in."""
    return name.startswith(("max", "GlobalMax", "zero_padding", "cropping", "up_sampling1d", "up_sampling3d", "center_crop"))


@pytest.mark.parametrize("name", cases.LAYERS)
def test_eager_call_and_shape(name):
    check_eager(cases, GOLDEN, name)


@pytest.mark.parametrize("name", cases.IMAGES)
def test_random_images_with_given_draws(name, mode, monkeypatch):  # noqa: F811
    layer, args, shape, draws = cases.IMAGES[name]
    made, todo = getattr(bn.layers, layer)(**args), list(draws)

    def drawn(x, low, high, shape=None):
        value = np.asarray(todo.pop(0), mode[1])
        if layer == "RandomRotation":  # Keras draws degrees
            value = value[:, None] / 360
        return value.reshape(shape or (x.shape[0], 1))

    monkeypatch.setattr(made, "_uniform", drawn)
    (y,) = run_traced(lambda x: ([made(x, training=True)], None), [GOLDEN[f"{name}/x"]], mode[1])
    assert not todo
    moves_only = layer in ("RandomFlip", "RandomCrop") or args.get("interpolation") == "nearest"
    close(y, GOLDEN[f"{name}/y"], 1e-12 if moves_only and name != "crop_larger" else 4e-6)  # Keras' weights are float32


def simple(config):
    """A config as JSON has it, without what only Keras has."""
    return json.loads(json.dumps({k: v for k, v in config.items() if k not in ("dtype", "module", "registered_name")}, default=list))


@pytest.mark.parametrize("name", cases.CONFIGS)
def test_config(name):
    layer, theirs = cases.CONFIGS[name](bn), NOTES["configs"][name]
    assert type(layer).__name__ == theirs["class_name"]
    ours = layer.get_config()
    missing = set(theirs["config"]) - set(ours)
    assert not missing
    again = type(layer).from_config(simple(theirs["config"]) if name != "random_crop" else ours)
    assert simple(again.get_config()) == simple(ours)


@pytest.mark.parametrize("name", NOTES["signatures"])
def test_arguments_in_the_order_of_keras(name):
    parameters = [p for p in inspect.signature(getattr(bn.layers, name).__init__).parameters if p not in ("self", "kwargs")]
    theirs = NOTES["signatures"][name]
    assert [p for p in parameters if p in theirs] == [p for p in theirs if p in parameters]
    assert set(theirs) - set(parameters) <= {"trainable", "name", "kernel_size"} - set(parameters)
