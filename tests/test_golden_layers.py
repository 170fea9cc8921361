"""Every layer against real Keras: outputs, gradients of inputs and weights, state after the call."""

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers.layer import calling
from tests.golden.compare import Golden, close, mode, run_traced, weighted_sum  # noqa: F401
from tests.golden.layer_cases import LAYERS, inputs_of

GOLDEN = Golden("keras_layers")
RTOL = {"float64": 1e-14, "float32": 2e-6}

@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, mode):  # noqa: F811
    make, shapes, call = LAYERS[name]
    call = {k: v for k, v in call.items() if k != "mask"}
    if f"{name}/mask" in GOLDEN:
        call["mask"] = GOLDEN[f"{name}/mask"]
    layer = make(bn)
    layer.build(inputs_of(name, shapes))
    layer.built = True
    layer.trainable = layer.trainable  # freezes the weights of a layer made with trainable=False
    layer.set_weights(GOLDEN.group(f"{name}/w"))
    xs, cot = GOLDEN.group(f"{name}/x"), GOLDEN[f"{name}/cot"]

    def step(*tensors):
        with calling(training=call.get("training", False)):
            y = layer(inputs_of(name, tensors), **call)
        return [y], weighted_sum(y, cot)

    trained = layer.trainable_weights
    y, *grads = run_traced(step, xs, mode[1], trained)
    rtol = RTOL[mode[1]]
    close(y, GOLDEN[f"{name}/y"], rtol, "output")
    wanted = GOLDEN.group(f"{name}/dx") + GOLDEN.group(f"{name}/dw")
    names = [f"gradient of input {i}" for i in range(len(xs))] + [f"gradient of {v.path}" for v in trained]
    assert len(grads) == len(wanted) == len(names)
    for got, want, what in zip(grads, wanted, names, strict=True):
        close(got, want, rtol, what)
    for v, want in zip(layer.non_trainable_weights, GOLDEN.group(f"{name}/after"), strict=True):
        close(v.numpy(), want, rtol, v.path)


@pytest.mark.parametrize("name", LAYERS)
def test_eager_call_and_shape(name):
    make, shapes, call = LAYERS[name]
    call = {k: v for k, v in call.items() if k != "mask"}
    if f"{name}/mask" in GOLDEN:
        call["mask"] = GOLDEN[f"{name}/mask"]
    layer, xs = make(bn), GOLDEN.group(f"{name}/x")
    inputs = inputs_of(name, xs)
    layer(inputs, **call)
    layer.set_weights(GOLDEN.group(f"{name}/w"))
    y = layer(inputs, **call)
    close(y, GOLDEN[f"{name}/y"], RTOL["float32"], "output")
    shape = layer.compute_output_shape(inputs_of(name, shapes))
    assert tuple(shape) == np.shape(GOLDEN[f"{name}/y"])
