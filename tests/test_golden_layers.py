"""Every layer against real Keras: outputs, gradients of inputs and weights, state after the call."""

import numpy as np
import pytest

import brisknet as bn
from brisknet.layers.layer import calling
from tests.golden import layer_cases
from tests.golden.compare import Golden, close, mode, run_traced, weighted_sum  # noqa: F401

GOLDEN = Golden("keras_layers")
RTOL = {"float64": 1e-14, "float32": 2e-6}


def made_call(cases, golden, name):
    """(layer, its input shapes, call arguments) of a case."""
    make, shapes, call = cases.LAYERS[name]
    call = {k: v for k, v in call.items() if k != "mask"}
    if f"{name}/mask" in golden:
        call["mask"] = golden[f"{name}/mask"]
    return make(bn), shapes, call


def check_layer(cases, golden, name, mode, rtol=None):  # noqa: F811
    """Outputs, gradients and state of one case against its golden values, from one traced program."""
    layer, shapes, call = made_call(cases, golden, name)
    if not layer.built:
        layer.build(cases.inputs_of(name, shapes))
    layer.set_weights(golden.group(f"{name}/w"))
    xs, cot = golden.group(f"{name}/x"), golden[f"{name}/cot"]

    def step(*tensors):
        with calling(training=call.get("training", False)):
            y = layer(cases.inputs_of(name, tensors), **call)
        return [y], weighted_sum(y, cot)

    trained = layer.trainable_weights
    y, *grads = run_traced(step, xs, mode[1], trained)
    rtol = RTOL[mode[1]] if rtol is None else rtol
    close(y, golden[f"{name}/y"], rtol, "output")
    wanted = golden.group(f"{name}/dx") + golden.group(f"{name}/dw")
    names = [f"gradient of input {i}" for i in range(len(xs))] + [f"gradient of {v.path}" for v in trained]
    assert len(grads) == len(wanted) == len(names)
    for got, want, what in zip(grads, wanted, names, strict=True):
        close(got, want, rtol, what)
    for v, want in zip(layer.non_trainable_weights, golden.group(f"{name}/after"), strict=True):
        close(v.numpy(), want, rtol, v.path)


def check_eager(cases, golden, name):
    """A call on arrays, and compute_output_shape()."""
    layer, shapes, call = made_call(cases, golden, name)
    xs = golden.group(f"{name}/x")
    inputs = cases.inputs_of(name, xs)
    layer(inputs, **call)
    layer.set_weights(golden.group(f"{name}/w"))
    y = layer(inputs, **call)
    close(y, golden[f"{name}/y"], RTOL["float32"], "output")
    assert tuple(layer.compute_output_shape(cases.inputs_of(name, shapes))) == np.shape(golden[f"{name}/y"])


@pytest.mark.parametrize("name", layer_cases.LAYERS)
def test_layer(name, mode):  # noqa: F811
    check_layer(layer_cases, GOLDEN, name, mode)


@pytest.mark.parametrize("name", layer_cases.LAYERS)
def test_eager_call_and_shape(name):
    check_eager(layer_cases, GOLDEN, name)
